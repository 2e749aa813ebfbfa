import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../src/event-stream.js";
import type { StreamMessage } from "../src/event-stream.js";

/// Answers, one after the other, to the fetches of a stream; what the stream told, and with which Last-Event-ID it asked.
async function told(...answers: (Response | "cut")[]): Promise<{ messages: StreamMessage[]; asked: string[] }> {
  const messages: StreamMessage[] = [];
  const asked: string[] = [];
  const original = globalThis.fetch;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => { finish = resolve; });
  globalThis.fetch = (async (_url: string, options: RequestInit) => {
    asked.push(new Headers(options.headers).get("Last-Event-ID") ?? "");
    const answer = answers.shift();
    if (!answer) { finish(); return new Promise<Response>(() => {}); }
    if (answer === "cut") throw new TypeError("network error");
    return answer;
  }) as typeof fetch;
  const stream = follow((message) => { messages.push(message); if (message.state === "none" || message.state === "signed-out") finish(); }, 1);
  await finished;
  stream.stop();
  globalThis.fetch = original;
  return { messages, asked };
}
const events = (...pieces: string[]) => new Response(new ReadableStream({
  start(controller) {
    for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
    controller.close();
  },
}), { headers: { "Content-Type": "text/event-stream" } });

test("messages are read, however they are cut, and taken up where they ended", async () => {
  const { messages, asked } = await told(events("retry: 3000\n\n", "id: 7\neve", "nt: item.created\ndata: {\"item\":\"a\"}\n", "\n:\n\n:\nid: 9\n\n"), events("id: 10\r\nevent: library.deleted\r\ndata: {}\r\n\r\n"));
  assert.deepEqual(messages.map(({ state, event }) => state ?? event), ["live", { kind: "item.created", item: "a" }, "lost", "live", { kind: "library.deleted" }, "lost"]);
  assert.deepEqual(asked, ["", "9", "10"]);
});

test("progress is asked for while somebody watches, and nothing is lost by the change", async () => {
  const asked: { url: string; last: string }[] = [];
  const messages: StreamMessage[] = [];
  const original = globalThis.fetch;
  let answered = () => {};
  globalThis.fetch = (async (url: string, options: RequestInit) => {
    asked.push({ url, last: new Headers(options.headers).get("Last-Event-ID") ?? "" });
    const first = asked.length === 2 ? "id: 5\nevent: item.created\ndata: {}\n\n" : ":\n\n";
    return new Response(new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(first));
        options.signal!.addEventListener("abort", () => controller.error(new DOMException("aborted", "AbortError")));
      },
    }), { headers: { "Content-Type": "text/event-stream" } });
  }) as typeof fetch;
  const stream = follow((message) => { messages.push(message); answered(); }, 60_000);  // a pause would be longer than the test
  const until = async (done: () => boolean) => { while (!done()) await new Promise<void>((resolve) => { answered = resolve; }); };
  await until(() => messages.length === 1);
  stream.watchProgress(true);
  await until(() => messages.length === 4);
  stream.watchProgress(true);
  stream.watchProgress(false);
  await until(() => messages.length === 5);
  stream.stop();
  globalThis.fetch = original;
  assert.deepEqual(asked, [{ url: "/api/events", last: "" }, { url: "/api/events?progress=true", last: "" }, { url: "/api/events", last: "5" }]);
  // Before the first number nobody can say what was between the connections.
  assert.deepEqual(messages.map(({ state, event }) => state ?? event?.kind), ["live", "live", "missed", "item.created", "live"]);
});

test("a broken connection is made again", async () => {
  const { messages } = await told("cut", new Response("busy", { status: 503 }), events(":\n\n"));
  assert.deepEqual(messages.map(({ state }) => state), ["lost", "lost", "live", "lost"]);
});

test("a server without events, and one that knows the session no more, are told", async () => {
  assert.deepEqual((await told(new Response("", { status: 404 }))).messages, [{ state: "none" }]);
  assert.deepEqual((await told(new Response("", { status: 401 }))).messages, [{ state: "signed-out" }]);
});
