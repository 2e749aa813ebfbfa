import { html, nothing } from "lit";
import { bytes, duration, percent, plural, rate } from "../format.js";
import { href } from "../navigation.js";
import { bar, iconButton } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { attempt, failed } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import { pickChosen } from "../picked.js";
import { onUploads, sentOf, uploads } from "../uploads.js";
import type { Upload } from "../uploads.js";

const stateWords = (upload: Upload): string => {
  switch (upload.state) {
    case "starting": return "Beginning";
    case "sending": return upload.rate ? `${rate(upload.rate)}, ${duration(upload.secondsLeft)} left` : "Sending";
    case "paused": return "Paused";
    case "waiting": return "No connection; goes on by itself";
    case "needs-files": return "Choose the files again to go on";
    case "asks": return "The signer must be accepted";
    case "finishing": return "Being checked by the server";
    case "done": return "Done";
    case "failed": return "Failed";
    case "canceled": return "Canceled";
  }
};

/// What this browser uploads, at the bottom of every page.
class Transfers extends Part {
  static override properties = { open: { state: true }, expanded: { state: true } };
  declare open: boolean;
  declare expanded: string;
  private off: (() => void) | undefined;

  constructor() {
    super();
    this.open = true;
    this.expanded = "";
  }
  override connectedCallback() {
    super.connectedCallback();
    this.off = onUploads(() => this.requestUpdate());
  }
  override disconnectedCallback() {
    super.disconnectedCallback();
    this.off?.();
  }

  private choose(upload: Upload) {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.addEventListener("change", () => {
      const wrong = input.files ? upload.choose(pickChosen(input.files)) : "";
      if (wrong) failed(new Error(wrong));
    });
    input.click();
  }
  private async goOn(upload: Upload) {
    await upload.takeHandles(true);
    if (upload.files.some((file) => !file.ready && !file.file)) this.choose(upload);
    else upload.go();
  }
  private accept(upload: Upload) {
    void ask({
      title: "Who signed this package?", confirm: "Accept and go on",
      intro: html`<p><b>${upload.signer}</b> signed it.</p>${upload.warnings.map(({ message }) => html`<p>${message.default_message}</p>`)}`,
      run: () => upload.accept(),
    });
  }

  private actions(upload: Upload) {
    const name = upload.itemName;
    switch (upload.state) {
      case "sending":
      case "waiting": return html`${iconButton("pause", `Pause ${name}`, () => upload.pause())}${iconButton("close", `Cancel ${name}`, () => attempt(() => upload.cancel()))}`;
      case "paused": return html`${iconButton("play", `Go on with ${name}`, () => attempt(() => upload.unpause()))}${iconButton("close", `Cancel ${name}`, () => attempt(() => upload.cancel()))}`;
      case "needs-files": return html`<button class="flat" @click=${() => attempt(() => this.goOn(upload))}>Choose files…</button>${iconButton("close", `Cancel ${name}`, () => attempt(() => upload.cancel()))}`;
      case "asks": return html`<button class="flat" @click=${() => this.accept(upload)}>Look…</button>${iconButton("close", `Cancel ${name}`, () => attempt(() => upload.cancel()))}`;
      case "failed": return html`${iconButton("close", `Cancel ${name}`, () => attempt(async () => { await upload.cancel(); upload.dismiss(); }))}`;
      case "done":
      case "canceled": return iconButton("close", `Take ${name} off this list`, () => upload.dismiss());
      default: return nothing;
    }
  }

  private upload(upload: Upload) {
    const { size, sent } = upload;
    const expanded = this.expanded === upload.id;
    return html`<li class="transfer ${upload.state}">
      <div class="line">${upload.files.length > 1 ? html`<button class="plain" aria-expanded=${expanded} aria-label="Files of ${upload.itemName}" @click=${() => { this.expanded = expanded ? "" : upload.id; }}>${icon(expanded ? "down" : "right")}</button>` : html`<span class="space"></span>`}
        <span class="name">${upload.item ? html`<a href=${href("items", upload.item)}>${upload.itemName}</a>` : upload.itemName}</span>
        ${bar(sent, size, `Progress of ${upload.itemName}`)}<span class="amount">${percent(sent, size)} % of ${bytes(size)}</span><span class="state">${stateWords(upload)}</span><span class="actions">${this.actions(upload)}</span></div>
      ${upload.problem ? html`<div class="alert error" role="alert">${icon("warning")}<span>${upload.problem}</span></div>` : nothing}
      ${expanded ? html`<ul class="files">${upload.files.map((file) => html`<li><span class="name">${file.name}</span>${bar(sentOf(file), file.size, `Progress of ${file.name}`)}<span class="amount">${bytes(sentOf(file))} of ${bytes(file.size)}</span><span class="state">${file.ready ? "Ready" : file.active.size > 1 ? `${file.active.size} parts at a time` : ""}</span></li>`)}</ul>` : nothing}</li>`;
  }

  protected override render() {
    if (!uploads.length) return nothing;
    const running = uploads.filter((upload) => upload.isRunning);
    const size = running.reduce((sum, upload) => sum + upload.size, 0);
    const sent = running.reduce((sum, upload) => sum + upload.sent, 0);
    const speed = running.reduce((sum, upload) => sum + upload.rate, 0);
    return html`<section class="dock" aria-label="Uploads of this browser"><header><button class="plain" aria-expanded=${this.open} @click=${() => { this.open = !this.open; }}>${icon(this.open ? "down" : "up")}<b>Uploads</b></button>
      <span>${running.length ? `${plural(running.length, "upload")} under way, ${percent(sent, size)} %${speed ? `, ${rate(speed)}` : ""}` : "Nothing under way"}</span><span class="grow"></span>
      ${uploads.some(({ state }) => state === "done" || state === "canceled") ? html`<button class="flat" @click=${() => { for (const upload of [...uploads]) if (upload.state === "done" || upload.state === "canceled") upload.dismiss(); }}>Clear finished</button>` : nothing}</header>
      ${this.open ? html`<ul>${uploads.map((upload) => this.upload(upload))}</ul>` : nothing}</section>`;
  }
}
customElements.define("q-transfers", Transfers);
