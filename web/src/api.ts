// Calls of the server's API, as the page makes them: the session is a cookie that scripts cannot read, and `Quire-Page`
// shows that the page itself makes the call.
import type { Message } from "./model.js";

/// A call that failed; `message` is a sentence for people, with what to do.
export class CallError extends Error {
  constructor(readonly status: number, readonly type: string, sentence: string) { super(sentence); }
}

type Listener = () => void;
const signedOut = new Set<Listener>();
/// Called when the server no longer knows the session.
export function onSignedOut(listener: Listener) { signedOut.add(listener); }

export const unreachable = "The server cannot be reached. Check the network and that the server runs; the page tries again by itself.";

function sentenceOf(status: number, body: unknown): { type: string; sentence: string } {
  const error = body as { error_type?: string; messages?: Message[] } | null;
  const sentence = error?.messages?.map((message) => message.default_message).filter(Boolean).join(" ");
  if (sentence) return { type: error?.error_type ?? "ERROR", sentence };
  if (status === 502 || status === 503 || status === 504)
    return { type: "SERVICE_UNAVAILABLE", sentence: "The server is busy or starting. Try again in a moment." };
  return { type: "ERROR", sentence: `The server answered ${status} and gave no reason. Its log tells more.` };
}

async function request(method: string, url: string, body: unknown, headers: Record<string, string>): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, {
      method, credentials: "same-origin", cache: "no-store", redirect: "error",
      headers: { "Quire-Page": "1", Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new CallError(0, "UNREACHABLE", unreachable);
  }
  const text = await response.text().catch(() => "");
  let value: unknown = null;
  try { value = text ? JSON.parse(text) : null; } catch { /* no JSON: a proxy's page */ }
  if (response.ok) return value;
  const { type, sentence } = sentenceOf(response.status, value);
  if (response.status === 401 && !headers.Authorization) for (const listener of signedOut) listener();
  throw new CallError(response.status, type, sentence);
}

export type Query = Record<string, string | number | boolean | undefined>;

function withQuery(path: string, query: Query): string {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  if (!fields.length) return path;
  const text = fields.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&");
  return path + (path.includes("?") ? "&" : "?") + text;
}

export const get = <T>(path: string, query: Query = {}) => request("GET", withQuery("/api" + path, query), undefined, {}) as Promise<T>;
/// What each of `paths` gives; what has been removed since it was listed is left out.
export async function getThose<T>(paths: string[]): Promise<T[]> {
  const found: (T | undefined)[] = await Promise.all(paths.map((path) => get<T>(path).catch((error: unknown) => {
    if (error instanceof CallError && error.status === 404) return undefined;
    throw error;
  })));
  return found.filter((one) => one !== undefined) as T[];
}
export const post = <T = void>(path: string, body?: unknown, query: Query = {}) => request("POST", withQuery("/api" + path, query), body, {}) as Promise<T>;
export const patch = (path: string, body: unknown) => request("PATCH", "/api" + path, body, {}) as Promise<void>;
export const put = (path: string, body: unknown) => request("PUT", "/api" + path, body, {}) as Promise<void>;
export const remove = (path: string, query: Query = {}) => request("DELETE", withQuery("/api" + path, query), undefined, {}) as Promise<void>;

/// An operation that only the older REST form has.
export const legacy = async <T>(path: string, body: unknown) => ((await request("POST", "/rest/com/vmware" + path, body, {})) as { value: T }).value;

const utf8Base64 = (text: string) => btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));

/// The cookie comes with the answer.
export const signIn = (user: string, password: string) =>
  request("POST", "/api/session", undefined, { Authorization: "Basic " + utf8Base64(`${user}:${password}`) });
export const signOut = () => remove("/session");

export const segment = encodeURIComponent;
export const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));
/// For operations that must not happen twice when their answer is lost.
export const clientToken = () => crypto.randomUUID();
