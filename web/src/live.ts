// What the page shows is loaded once, and again when an event says that it changed.
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { CallError, sentence } from "./api.js";
import { follow } from "./event-stream.js";
import type { Stream, StreamMessage, StreamState } from "./event-stream.js";
import type { ServerEvent } from "./model.js";

declare const EVENTS_WORKER: string;

type EventListener = (event: ServerEvent) => void;
const eventListeners = new Set<EventListener>();
const progressListeners = new Set<EventListener>();
const stateListeners = new Set<() => void>();
export let streamState: StreamState = "starting";
let port: MessagePort | undefined;
let stream: Stream | undefined;
let doubt = 0;

function take({ state, event }: StreamMessage) {
  const missed: ServerEvent = { kind: "missed" };
  if (event?.kind.endsWith(".progress")) for (const listener of progressListeners) listener(event);
  else if (event) for (const listener of eventListeners) listener(event.kind === "events.lost" ? missed : event);
  if (!state || state === streamState) return;
  streamState = state;
  clearTimeout(doubt);
  if (state === "lost" && port) doubtWorker(false);
  // What happened before somebody listened is in no event that comes.
  if (state === "live") for (const listener of eventListeners) listener(missed);
  for (const listener of stateListeners) listener();
}

const doubtAfter = 3000;

/// Browsers let pages past a certificate that somebody has accepted, but not their workers. A worker gets through on a
/// connection that the page has made, if it asks right after it; where that fails too, the page follows events itself.
function doubtWorker(again: boolean) {
  doubt = setTimeout(() => void (async () => {
    const reachable = await fetch("/api/session", { cache: "no-store", headers: { "Quire-Page": "1" } }).then(({ ok }) => ok, () => false);
    if (!port || streamState !== "lost") return;
    if (!reachable) return doubtWorker(false);
    if (!again) {
      port.postMessage("hurry");
      return doubtWorker(true);
    }
    port.postMessage("close");
    port = undefined;
    stream = follow(take, undefined, wantsProgress());
  })(), doubtAfter) as unknown as number;
}

interface TrustedTypes { createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL: (url: string) => string } }

let workerUrl: string | undefined;
/// The policy lets one address through: that of the page's own worker.
function trustedWorkerUrl(): string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  const rules = { createScriptURL: (url: string) => { if (url !== EVENTS_WORKER) throw new TypeError("not the page's worker"); return url; } };
  workerUrl ??= (types ? types.createPolicy("quire", rules) : rules).createScriptURL(EVENTS_WORKER);
  return workerUrl;
}

export function startEvents() {
  stopEvents();
  streamState = "starting";
  if (typeof SharedWorker === "undefined") {
    stream = follow(take, undefined, wantsProgress());
    return;
  }
  const worker = new SharedWorker(trustedWorkerUrl(), { type: "module", name: "quire-events" });
  worker.onerror = () => { port = undefined; stream ??= follow(take, undefined, wantsProgress()); };
  port = worker.port;
  port.onmessage = ({ data }) => take(data as StreamMessage);
  port.start();
  askForProgress();
  port.postMessage("reopen");  // the cookie may be another one than when the worker began
}
export function stopEvents() {
  clearTimeout(doubt);
  if (port) port.onmessage = null;
  port?.postMessage("close");
  port = undefined;
  stream?.stop();
  stream = undefined;
}
addEventListener("pagehide", () => port?.postMessage("close"));
addEventListener("pageshow", (event) => { if (event.persisted && port) startEvents(); });

export function onEvent(listener: EventListener) {
  eventListeners.add(listener);
  return () => { eventListeners.delete(listener); };
}

const wantsProgress = () => progressListeners.size > 0 && !document.hidden;
function askForProgress() {
  port?.postMessage(wantsProgress() ? "progress" : "no progress");
  stream?.watchProgress(wantsProgress());
}
document.addEventListener("visibilitychange", askForProgress);

/// How far sessions and tasks are, about every second. The server is asked for it only while a host of such a listener shows.
export function followProgress(host: ReactiveControllerHost, listener: EventListener) {
  host.addController({
    hostConnected() {
      progressListeners.add(listener);
      askForProgress();
    },
    hostDisconnected() {
      progressListeners.delete(listener);
      askForProgress();
    },
  });
}
export function onStreamState(listener: () => void) {
  stateListeners.add(listener);
  return () => { stateListeners.delete(listener); };
}
/// For what this page itself has just done, where there may be no event stream, or it is behind.
export function changed(kind: string) { for (const listener of eventListeners) listener({ kind }); }

const settle = 150;

/// A value of the server's that the host shows. `concerns` says of which events it follows.
export class Live<T> implements ReactiveController {
  value: T | undefined;
  error: string | undefined;
  status = 0;
  private running = false;
  private again = false;
  private timer = 0;
  private off: (() => void) | undefined;
  private readonly onVisible = () => { if (this.again && !document.hidden) this.soon(); };

  constructor(private readonly host: ReactiveControllerHost, private readonly load: () => Promise<T>, private readonly concerns: (event: ServerEvent) => boolean) {
    host.addController(this);
  }
  hostConnected() {
    this.off = onEvent((event) => { if (event.kind === "missed" || this.concerns(event)) this.soon(); });
    document.addEventListener("visibilitychange", this.onVisible);
    void this.reload();
  }
  hostDisconnected() {
    this.off?.();
    clearTimeout(this.timer);
    this.timer = 0;
    document.removeEventListener("visibilitychange", this.onVisible);
  }
  /// Many events in a row are one reload; a page that nobody sees waits.
  private soon() {
    this.again = true;
    if (document.hidden || this.timer) return;
    this.timer = setTimeout(() => { this.timer = 0; void this.reload(); }, settle) as unknown as number;
  }
  async reload() {
    if (this.running) { this.again = true; return; }
    this.running = true;
    this.again = false;
    try {
      this.value = await this.load();
      this.error = undefined;
      this.status = 200;
    } catch (error) {
      this.error = sentence(error);
      this.status = error instanceof CallError ? error.status : 0;
    }
    this.running = false;
    this.host.requestUpdate();
    if (this.again) this.soon();
  }
}

export const kinds = (...prefixes: string[]) => ({ kind }: ServerEvent) => prefixes.some((prefix) => kind.startsWith(prefix));
