import { html } from "lit";
import { sentence } from "../api.js";
import { icon } from "./icon.js";
import { Part } from "./part.js";

interface Notice { id: number; kind: "error" | "done"; text: string }

const shownFor = 6000;
let notices: Notice[] = [];
let host: Notices | undefined;
let next = 1;

function add(kind: Notice["kind"], text: string) {
  const notice = { id: next++, kind, text };
  notices = [...notices.filter((other) => other.text !== text), notice].slice(-4);
  host?.requestUpdate();
  if (kind === "done") setTimeout(() => drop(notice.id), shownFor);
}
function drop(id: number) {
  notices = notices.filter((notice) => notice.id !== id);
  host?.requestUpdate();
}
/// Says that something was done; goes by itself.
export const done = (text: string) => add("done", text);
/// Says what failed; stays until somebody has read it.
export const failed = (error: unknown) => add("error", sentence(error));
/// Runs what a click asked for.
export async function attempt(work: () => Promise<unknown>, afterwards?: string): Promise<boolean> {
  try {
    await work();
    if (afterwards) done(afterwards);
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
}

class Notices extends Part {
  override connectedCallback() { super.connectedCallback(); host = this; }
  protected override render() {
    return html`<div class="notices" role="status" aria-live="polite">${notices.map((notice) => html`<div class="notice ${notice.kind}">${icon(notice.kind === "error" ? "warning" : "check")}<span>${notice.text}</span>
      <button class="plain" aria-label="Close this message" @click=${() => drop(notice.id)}>${icon("close")}</button></div>`)}</div>`;
  }
}
customElements.define("q-notices", Notices);
