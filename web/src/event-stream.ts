// Reads the server's event stream. `fetch` and not EventSource: it tells the status of an answer, and shows the
// heartbeats, by whose absence a dead network is noticed.
import type { ServerEvent } from "./model.js";

/// starting: not known yet. live: events come. lost: no connection, it is tried again. none: this server has no event stream. signed-out: the
/// session has ended.
export type StreamState = "starting" | "live" | "lost" | "none" | "signed-out";
export interface StreamMessage { state?: StreamState; event?: ServerEvent }

const heartbeatTimeout = 40_000;
const longestPause = 30_000;

export interface Stream {
  stop: () => void;
  hurry: () => void;  // a lost connection is made again now
  watchProgress: (wanted: boolean) => void;  // from now on with what is told of progress, or without
}

/// `firstPause`: how soon a lost connection is made again; longer each time. `progress`: as watchProgress().
export function follow(tell: (message: StreamMessage) => void, firstPause = 1000, progress = false): Stream {
  let stopped = false;
  let wake = () => {};
  let watchdog = 0;
  let abort: AbortController | undefined;
  let lastId = "";
  let switched = false;  // the connection goes because the next one asks otherwise

  const read = async (response: Response, alive: () => void) => {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let fields: Record<string, string> = {};
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      const lines = (rest + value).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (fields.id) lastId = fields.id;
          if (fields.data) {
            try {
              tell({ event: { ...(JSON.parse(fields.data) as ServerEvent), ...(fields.event ? { kind: fields.event } : {}) } });
            } catch { /* no JSON: none of ours */ }
          }
          fields = {};
        } else if (!line.startsWith(":")) {
          const colon = line.indexOf(":");
          const name = colon < 0 ? line : line.slice(0, colon);
          const text = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
          fields[name] = name === "data" && fields.data ? `${fields.data}\n${text}` : text;
        }
      }
    }
  };

  const run = async () => {
    for (let pause = firstPause; !stopped; pause = Math.min(pause * 2, longestPause)) {
      abort = new AbortController();
      const missed = switched && !lastId;  // nothing says where the connection before has ended
      switched = false;
      const alive = () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort?.abort(), heartbeatTimeout) as unknown as number;
      };
      try {
        alive();
        const response = await fetch(progress ? "/api/events?progress=true" : "/api/events", {
          credentials: "same-origin", cache: "no-store", signal: abort.signal,
          headers: { Accept: "text/event-stream", "Quire-Page": "1", ...(lastId ? { "Last-Event-ID": lastId } : {}) },
        });
        if (stopped) return;
        if (response.ok && response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
          tell({ state: "live" });
          if (missed) tell({ event: { kind: "missed" } });
          pause = firstPause / 2;
          await read(response, alive);
        } else {
          abort.abort();
          if (response.status === 401) return tell({ state: "signed-out" });
          if (response.status === 404 || response.status === 405) return tell({ state: "none" });
        }
      } catch { /* cut, stalled or refused: once more */ }
      clearTimeout(watchdog);
      if (stopped) return;
      if (switched) { pause = firstPause / 2; continue; }
      tell({ state: "lost" });
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, pause * (0.75 + Math.random() / 2));
      });
    }
  };
  void run();
  const watchProgress = (wanted: boolean) => {
    if (wanted === progress) return;
    progress = wanted;
    switched = true;
    abort?.abort();
    wake();
  };
  return { stop: () => { stopped = true; clearTimeout(watchdog); abort?.abort(); }, hurry: () => wake(), watchProgress };
}
