// One event stream for all tabs of the page: browsers open six connections to a host and no more. Follows
// GET /api/events, which a heartbeat keeps busy, and hands each message to every tab.
import { follow } from "./event-stream.js";
import type { Stream, StreamMessage } from "./event-stream.js";

const scope = self as unknown as { onconnect: (event: MessageEvent) => void };
const ports = new Set<MessagePort>();
const watching = new Set<MessagePort>();  // of tabs that show progress
let stream: Stream | undefined;

const tell = (message: StreamMessage) => { for (const port of ports) port.postMessage(message); };

scope.onconnect = (event) => {
  const port = event.ports[0];
  if (!port) return;
  port.onmessage = ({ data }) => {
    if (data === "hurry") stream?.hurry();
    if (data === "close") ports.delete(port);
    if (data === "progress") watching.add(port);
    else if (data === "no progress" || data === "close") watching.delete(port);
    if (data === "reopen") {
      // From here on, and not before: how the stream of an earlier login has ended is no news for who has just signed in.
      ports.add(port);
      stream?.stop();
      stream = follow(tell, undefined, watching.size > 0);
    }
    stream?.watchProgress(watching.size > 0);
  };
};
