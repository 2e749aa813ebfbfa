// Uploads of this browser: each is an update session of an item. A file goes as a whole, or in parts, several at a time,
// over one queue of lanes; after a break the server is asked what it has, and what lacks is sent. What is under way is
// remembered in IndexedDB, so that it goes on after a reload.
import { CallError, clientToken, get, patch, post, remove, segment, sentence } from "./api.js";
import { changed } from "./live.js";
import type { Item, SessionFile, UpdateSession, Warning } from "./model.js";
import type { Picked } from "./picked.js";
import { inOrder } from "./picked.js";
import { cut, length, missing, normalised, parseRanges } from "./ranges.js";
import type { Range } from "./ranges.js";
import { Speed } from "./speed.js";

const lanes = 3;                   // of the browser's six connections: the others are for calls, events and other tabs
const partMax = 256 * 1024 * 1024;
const slowLine = 64 * 1024 * 1024; // bytes a second: what is slower may gain by several connections, so it goes in parts.
const trial = 3000;                // After this time that is judged. Else a file goes as it is, which browsers read faster.
const partMin = 16 * 1024 * 1024;
const stallTimeout = 20_000;       // a dead network raises no error
const answerTimeout = 15 * 60_000; // all is sent, the server checks or unpacks
const keepAliveInterval = 60_000;
const drawInterval = 250;
const pauses = [500, 1000, 2000, 5000, 10_000, 20_000];

/// starting: the session is being made. sending. paused. waiting: no network; goes on by itself. needs-files: after a
/// reload the files must be chosen again. asks: the package's signer must be accepted. finishing. Then the ends.
export type UploadState = "starting" | "sending" | "paused" | "waiting" | "needs-files" | "asks" | "finishing" | "done" | "failed" | "canceled";
const ended = (state: UploadState) => state === "done" || state === "canceled";

interface Part { range: Range; sent: number; xhr: XMLHttpRequest }

export interface Sending {
  name: string; size: number; modified: number; path: string;
  file?: File | undefined; handle?: FileSystemFileHandle | undefined;
  ready: boolean; have: Range[]; queue: Range[]; active: Set<Part>; partSize: number; failures: number; timer: number;
  acknowledged: number;  // parts that the server said it has
}

interface Stored {
  id: string; user: string; library: string; item: string; itemName: string; made: boolean; session: string;
  files: { name: string; size: number; modified: number; path: string; handle?: FileSystemFileHandle }[];
}

// --- what outlives a reload

let database: Promise<IDBDatabase> | undefined;
const records = () => (database ??= new Promise((resolve, reject) => {
  const open = indexedDB.open("quire", 1);
  open.onupgradeneeded = () => open.result.createObjectStore("uploads", { keyPath: "id" });
  open.onsuccess = () => resolve(open.result);
  open.onerror = () => reject(open.error ?? new Error("IndexedDB is not to be had"));
}));
async function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
  try {
    const transaction = (await records()).transaction("uploads", mode);
    const request = work(transaction.objectStore("uploads"));
    return await new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error("IndexedDB failed"));
    });
  } catch {
    return undefined;  // private windows: uploads go on, but not after a reload
  }
}

// --- one upload

export class Upload {
  state: UploadState = "starting";
  problem = "";
  files: Sending[] = [];
  warnings: Warning[] = [];
  session = "";
  readonly speed = new Speed();
  private release: (() => void) | undefined;

  constructor(readonly id: string, readonly user: string, readonly library: string, public item: string, public itemName: string, public made: boolean) {}

  get size() { return this.files.reduce((sum, file) => sum + file.size, 0); }
  get sent() { return this.files.reduce((sum, file) => sum + sentOf(file), 0); }
  get rate() { return this.state === "sending" ? this.speed.value : 0; }
  get secondsLeft() { return this.rate > 0 ? (this.size - this.sent) / this.rate : Infinity; }
  get isRunning() { return this.state === "starting" || this.state === "sending" || this.state === "waiting" || this.state === "finishing"; }

  /// Only one tab sends; another one that has the page leaves it alone, and may wait for its turn.
  async own(wait = false): Promise<boolean> {
    if (!navigator.locks) return true;
    return new Promise((resolve) => {
      void navigator.locks.request(`quire-upload-${this.id}`, { ifAvailable: !wait }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise<void>((release) => { this.release = release; }) : undefined;
      });
    });
  }

  async begin(picked: Picked[], spec: { name: string; type: string } | undefined, replace: boolean) {
    try {
      await this.own();
      if (spec) {
        this.item = await post<string>("/content/library/item", { library_id: this.library, name: spec.name, ...(spec.type ? { type: spec.type } : {}) }, { client_token: clientToken() });
        this.made = true;
        changed("item.created");
      }
      this.session = await post<string>("/content/library/item/update-session", { library_item_id: this.item }, { client_token: clientToken() });
      if (replace) {
        const names = new Set(picked.map(({ file }) => file.name));
        for (const file of await get<SessionFile[]>(this.url("/file"))) if (!names.has(file.name)) await remove(this.url("/file/" + segment(file.name)));
      }
      await this.add(picked);
      this.state = "sending";
      for (const file of this.files) this.fill(file);
    } catch (error) {
      this.stop("failed", sentence(error));
      if (this.session) await post(this.url("?action=cancel")).catch(() => {});
      if (this.made) await this.removeItem();
      this.forget();
    }
    notify();
    pump();
  }

  async add(picked: Picked[]) {
    for (const { file, handle } of inOrder(picked)) {
      const added = await post<SessionFile>(this.url("/file"), { name: file.name, source_type: "PUSH", size: file.size });
      const path = new URL(added.upload_endpoint!.uri).pathname;
      this.files = this.files.filter(({ name }) => name !== file.name);
      this.files.push({ ...emptyFile(file.name, file.size, file.lastModified, path), file, handle });
    }
    await this.remember();
  }

  /// Files that were missing when it was to be completed.
  async addMore(picked: Picked[]) {
    const before = new Set(this.files);
    await this.add(picked);
    for (const file of this.files) if (!before.has(file)) this.fill(file);
    this.state = "sending";
    this.problem = "";
    notify();
    pump();
  }

  private url(rest: string) { return `/content/library/item/update-session/${this.session}${rest}`; }

  private remember() {
    const stored: Stored = {
      id: this.id, user: this.user, library: this.library, item: this.item, itemName: this.itemName, made: this.made, session: this.session,
      files: this.files.map(({ name, size, modified, path, handle }) => ({ name, size, modified, path, ...(handle ? { handle } : {}) })),
    };
    return inStore("readwrite", (store) => store.put(stored));
  }
  /// Somebody has signed out: it is remembered, and goes on when they are back.
  leave() {
    for (const file of this.files) this.halt(file);
    this.state = "paused";
    this.release?.();
    this.release = undefined;
  }
  private forget() {
    this.release?.();
    this.release = undefined;
    void inStore("readwrite", (store) => store.delete(this.id));
  }

  /// After a reload: what the server still has of it.
  async resume(stored: Stored) {
    this.session = stored.session;
    try {
      const session = await get<UpdateSession>(this.url(""));
      if (session.state !== "ACTIVE") {
        this.files = stored.files.map((file) => emptyFile(file.name, file.size, file.modified, file.path));
        if (session.state === "DONE") { this.stop("done", ""); return; }
        this.stop("failed", session.error_message?.default_message ?? "Its update session was ended. Start the upload again.");
        return;
      }
      const listed = new Map((await get<SessionFile[]>(this.url("/file"))).map((file) => [file.name, file]));
      this.files = stored.files.map((file) => ({
        ...emptyFile(file.name, file.size, file.modified, file.path), handle: file.handle, ready: listed.get(file.name)?.status === "READY",
      }));
      for (const file of this.files) if (!file.ready) await this.ask(file);
      await this.takeHandles(false);
      this.go();
    } catch (error) {
      this.files = stored.files.map((file) => emptyFile(file.name, file.size, file.modified, file.path));
      if (error instanceof CallError && error.status === 404) this.stop("failed", "Its update session has expired. Start the upload again.");
      else if (error instanceof CallError && error.status === 0) { this.state = "waiting"; setTimeout(() => void this.resume(stored), pauses[3]); }
      else this.stop("failed", sentence(error));
    }
    notify();
  }

  /// Browsers that keep handles of files give them back; some only after a click.
  async takeHandles(mayAsk: boolean) {
    for (const file of this.files) {
      if (file.ready || file.file || !file.handle) continue;
      const handle = file.handle as FileSystemFileHandle & Record<"queryPermission" | "requestPermission", (options: { mode: "read" }) => Promise<string>>;
      try {
        let state = await handle.queryPermission({ mode: "read" });
        if (state === "prompt" && mayAsk) state = await handle.requestPermission({ mode: "read" });
        if (state === "granted") this.take(file, await handle.getFile());
      } catch { /* moved or removed: it has to be chosen */ }
    }
  }

  private take(entry: Sending, file: File): boolean {
    if (file.size !== entry.size || (entry.modified && file.lastModified !== entry.modified)) return false;
    entry.file = file;
    this.fill(entry);
    return true;
  }

  /// The files were chosen again. Says which did not fit.
  choose(picked: Picked[]): string {
    const wrong: string[] = [];
    for (const { file } of picked) {
      const entry = this.files.find(({ name }) => name === file.name);
      if (!entry || !this.take(entry, file)) wrong.push(file.name);
    }
    this.go();
    return wrong.length ? `${wrong.join(", ")} is not what was being uploaded: its name, size or date differ.` : "";
  }

  go() {
    const unknown = this.files.some((file) => !file.ready && !file.file);
    this.state = unknown ? "needs-files" : "sending";
    notify();
    pump();
    this.finishIfReady();
  }

  pause() {
    this.state = "paused";
    for (const file of this.files) this.halt(file);
    this.speed.reset();
    notify();
    pump();
  }
  async unpause() {
    this.state = "sending";
    notify();
    for (const file of this.files) if (!file.ready) void this.sync(file);
  }

  private halt(file: Sending) {
    clearTimeout(file.timer);
    for (const part of file.active) part.xhr.abort();
    file.active.clear();
    file.queue = [];
  }

  async cancel() {
    for (const file of this.files) this.halt(file);
    this.state = "canceled";
    notify();
    if (this.session) await post(this.url("?action=cancel")).catch(() => {});
    if (this.made) await this.removeItem();
    this.forget();
    changed("update_session.ended");
    pump();
  }
  /// An item that this upload made and that never got content.
  private async removeItem() {
    try {
      const item = await get<Item>(`/content/library/item/${this.item}`);
      if (item.size === 0) await remove(`/content/library/item/${this.item}`);
      changed("item.deleted");
    } catch { /* gone already, or not ours to remove */ }
  }
  dismiss() {
    this.forget();
    uploads.splice(uploads.indexOf(this), 1);
    notify();
  }

  private stop(state: "failed" | "done", problem: string) {
    for (const file of this.files) this.halt(file);
    this.state = state;
    this.problem = problem;
    if (state === "done") this.forget();
    notify();
  }

  /// Puts what lacks into the queue.
  private fill(file: Sending) {
    if (file.ready) { this.finishIfReady(); return; }
    const under = [...file.active].map(({ range }) => range);
    const partSize = file.have.length || under.length ? Math.min(file.partSize, partMax) : file.partSize;
    file.queue = file.size === 0 ? [[0, 0]] : cut(missing([...file.have, ...under], file.size), partSize);
    if (!file.queue.length && !file.active.size) this.retry(file);  // all is there, but nobody has said that it is whole
  }

  /// Asks the server what it has of a file; again when a part was acknowledged meanwhile, for the answer may be older than
  /// that. Throws when it cannot be asked; a file that is gone ends the upload.
  private async ask(file: Sending) {
    let answer: Response, acknowledged: number;
    do {
      acknowledged = file.acknowledged;
      answer = await fetch(file.path, { method: "HEAD", cache: "no-store" }).catch(() => { throw new CallError(0, "UNREACHABLE", ""); });
    } while (acknowledged !== file.acknowledged);
    if (answer.status === 404 || answer.status === 410) throw new CallError(404, "NOT_FOUND", "");
    if (!answer.ok) throw new CallError(0, "UNREACHABLE", "");
    file.ready = answer.headers.get("Upload-Complete") === "?1";
    file.have = parseRanges(answer.headers.get("Upload-Ranges"));
  }

  private async sync(file: Sending) {
    try {
      await this.ask(file);
    } catch (error) {
      if (error instanceof CallError && error.status === 404) return void this.explainEnd();
      return this.retry(file);
    }
    if (this.state === "waiting") this.state = "sending";
    if (this.state !== "sending") return;
    if (!file.file && !file.ready) { this.state = "needs-files"; notify(); return; }
    this.fill(file);
    notify();
    pump();
  }

  private retry(file: Sending) {
    if (this.state !== "sending" && this.state !== "waiting") return;
    const pause = pauses[Math.min(file.failures, pauses.length - 1)]!;
    file.failures += 1;
    if (file.failures > 1) this.state = "waiting";
    clearTimeout(file.timer);
    file.timer = setTimeout(() => void this.sync(file), pause) as unknown as number;
    notify();
  }
  /// The network is back: no need to wait any longer.
  hurry() {
    if (this.state !== "waiting") return;
    for (const file of this.files) if (!file.ready && !file.active.size) { clearTimeout(file.timer); void this.sync(file); }
  }

  private async explainEnd() {
    let reason = "Its update session has expired or was ended by somebody. Start the upload again.";
    try {
      const session = await get<UpdateSession>(this.url(""));
      if (session.error_message) reason = session.error_message.default_message;
      if (session.state === "DONE") return this.stop("done", "");
      if (session.state === "CANCELED") reason = "Its update session was canceled. Start the upload again.";
    } catch { /* it is gone */ }
    this.stop("failed", reason);
    changed("update_session.ended");
  }

  /// The next part to be sent.
  next(): { file: Sending; range: Range } | undefined {
    if (this.state !== "sending") return undefined;
    for (const file of this.files) {
      const range = file.file ? file.queue.shift() : undefined;
      if (range) return { file, range };
    }
    return undefined;
  }

  send(file: Sending, range: Range) {
    const [from, to] = range;
    const whole = from === 0 && to === file.size;
    const xhr = new XMLHttpRequest();
    const part: Part = { range, sent: 0, xhr };
    file.active.add(part);
    let watchdog = 0;
    const watch = (timeout: number) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => { xhr.abort(); broken(); }, timeout) as unknown as number;
    };
    const leave = () => {
      clearTimeout(watchdog);
      return file.active.delete(part);
    };
    const broken = () => {
      if (!leave() || (this.state !== "sending" && this.state !== "waiting")) return;
      file.partSize = Math.max(partMin, Math.min(file.partSize, partMax) / 2);
      this.speed.reset();
      this.retry(file);
      pump();
    };
    const begun = performance.now();
    let judged = to - from <= partMax;
    const judge = (loaded: number) => {
      const took = performance.now() - begun;
      if (judged || took < trial) return;
      judged = true;
      if (loaded * 1000 >= slowLine * took || !leave()) return;
      xhr.abort();
      file.partSize = partMax;
      void this.sync(file);
    };
    xhr.open("PUT", file.path);
    xhr.setRequestHeader("Content-Type", "application/octet-stream");
    if (file.size > 0) xhr.setRequestHeader("Content-Range", `bytes ${from}-${to - 1}/${file.size}`);
    xhr.upload.onprogress = ({ loaded }) => {
      part.sent = Math.min(loaded, to - from);
      if (loaded > 0) file.failures = 0;
      watch(stallTimeout);
      this.speed.mark(this.sent);
      judge(loaded);
      notifyLater();
    };
    xhr.upload.onload = () => watch(answerTimeout);
    xhr.onerror = broken;
    xhr.onload = () => {
      if (!leave()) return;
      if (xhr.status === 200 || xhr.status === 204 || xhr.status === 201) {
        file.acknowledged += 1;
        file.have = normalised([...file.have, range]);
        file.ready = xhr.status === 200 || xhr.getResponseHeader("Upload-Complete") === "?1";
        if (file.ready) file.have = [[0, file.size]];
        else if (!file.queue.length && !file.active.size) this.fill(file);
        this.finishIfReady();
      } else if (xhr.status === 409 || xhr.status === 408 || xhr.status >= 502) {
        this.retry(file);
      } else if (xhr.status === 404 || xhr.status === 410) {
        void this.explainEnd();
      } else {
        this.refused(xhr, file);
      }
      notify();
      pump();
    };
    watch(stallTimeout);
    try {
      xhr.send(whole ? file.file! : file.file!.slice(from, to));
    } catch {
      broken();
    }
  }

  private refused(xhr: XMLHttpRequest, file: Sending) {
    let text = `The server refused ${file.name} with status ${xhr.status}.`;
    try {
      const body = JSON.parse(xhr.responseText) as { messages?: { default_message: string }[] };
      text = body.messages?.map((message) => message.default_message).join(" ") || text;
    } catch { /* no JSON */ }
    this.stop("failed", text);
    changed("update_session.ended");
  }

  private finishIfReady() {
    if (this.state === "sending" && this.files.length > 0 && this.files.every((file) => file.ready)) void this.finish();
  }

  private async finish() {
    this.state = "finishing";
    notify();
    try {
      const session = await get<UpdateSession>(this.url(""));
      this.warnings = (session.preview_info?.warnings ?? []).filter(({ ignored }) => !ignored);
      if (this.warnings.length) {
        this.signer = session.preview_info?.certificate_info?.subject ?? "";
        this.state = "asks";
        notify();
        return;
      }
      await post(this.url("?action=complete"));
      this.stop("done", "");
      changed("item.content_changed");
    } catch (error) {
      if (error instanceof CallError && error.status === 0) {
        setTimeout(() => void this.finish(), pauses[3]);
        return;
      }
      this.stop("failed", sentence(error));
      changed("update_session.ended");
    }
  }
  signer = "";

  /// Somebody has looked at the warnings and wants the package all the same.
  async accept() {
    await patch(this.url(""), { warning_behavior: this.warnings.map(({ type }) => ({ type, ignored: true })) });
    await this.finish();
  }

  /// Bytes keep a session alive; while none go, this does.
  async keepAlive() {
    if (ended(this.state) || !this.session) return;
    await post(this.url("?action=keep-alive"), { client_progress: this.size ? Math.floor((this.sent * 100) / this.size) : 0 }).catch((error: unknown) => {
      if (error instanceof CallError && error.status === 404 && this.state !== "failed") void this.explainEnd();
    });
  }
}

const emptyFile = (name: string, size: number, modified: number, path: string): Sending =>
  ({ name, size, modified, path, ready: false, have: [], queue: [], active: new Set(), partSize: Infinity, failures: 0, timer: 0, acknowledged: 0 });

export function sentOf(file: Sending): number {
  if (file.ready) return file.size;
  let sent = length(file.have);
  for (const part of file.active) sent += part.sent;
  return Math.min(sent, file.size);
}

// --- all of them

export const uploads: Upload[] = [];
const listeners = new Set<() => void>();
let frame = 0;
/// Called at most once a frame.
export function onUploads(listener: () => void) {
  listeners.add(listener);
  return () => { listeners.delete(listener); };
}
function notify() {
  frame ||= requestAnimationFrame(() => { frame = 0; for (const listener of listeners) listener(); });
}
let later = 0;
/// For what comes twenty times a second: drawing takes the processor from what sends.
function notifyLater() {
  later ||= setTimeout(() => { later = 0; notify(); }, drawInterval) as unknown as number;
}

let turn = 0;
function pump() {
  for (;;) {
    const busy = uploads.reduce((sum, upload) => sum + upload.files.reduce((parts, file) => parts + file.active.size, 0), 0);
    if (busy >= lanes) return;
    let found: { upload: Upload; file: Sending; range: Range } | undefined;
    for (let i = 0; i < uploads.length && !found; ++i) {
      const upload = uploads[(turn + i) % uploads.length]!;
      const next = upload.next();
      if (next) { found = { upload, ...next }; turn = (turn + i + 1) % uploads.length; }
    }
    if (!found) return;
    found.upload.send(found.file, found.range);
  }
}

let user = "";
let timer = 0;
/// Goes on with what this user's browser was uploading.
export async function startUploads(signedIn: string) {
  if (user === signedIn) return;
  user = signedIn;
  timer ||= setInterval(() => { for (const upload of uploads) void upload.keepAlive(); }, keepAliveInterval) as unknown as number;
  for (const stored of (await inStore("readonly", (store) => store.getAll() as IDBRequest<Stored[]>)) ?? []) {
    if (stored.user !== user || uploads.some(({ id }) => id === stored.id)) continue;
    const upload = new Upload(stored.id, user, stored.library, stored.item, stored.itemName, stored.made);
    if (await upload.own()) takeUp(upload, stored);
    else void takeOver(upload);
  }
  notify();
}
function takeUp(upload: Upload, stored: Stored) {
  uploads.push(upload);
  notify();
  void upload.resume(stored);
}
/// When the tab that sends it is closed.
async function takeOver(upload: Upload) {
  await upload.own(true);
  const stored = await inStore("readonly", (store) => store.get(upload.id) as IDBRequest<Stored | undefined>);
  if (stored && upload.user === user) takeUp(upload, stored);
  else upload.leave();
}
export function stopUploads() {
  for (const upload of uploads) upload.leave();
  uploads.length = 0;
  user = "";
  notify();
}
addEventListener("online", () => { for (const upload of uploads) upload.hurry(); });

/// A new item with these files.
export function uploadNew(library: string, name: string, type: string, picked: Picked[]) {
  const upload = new Upload(crypto.randomUUID(), user, library, "", name, false);
  uploads.push(upload);
  void upload.begin(picked, { name, type }, false);
  return upload;
}
/// New content of an item; files that an upload of it was missing go there.
export async function uploadInto(library: string, item: string, name: string, picked: Picked[], replace: boolean) {
  const waiting = uploads.find((upload) => upload.item === item && upload.state === "failed" && upload.session);
  if (waiting) {
    try {
      return await waiting.addMore(picked);
    } catch {
      waiting.dismiss();  // its session is no more
    }
  }
  const upload = new Upload(crypto.randomUUID(), user, library, item, name, false);
  uploads.push(upload);
  void upload.begin(picked, undefined, replace);
}
