import { html, nothing } from "lit";
import { pickDropped } from "../picked.js";
import type { Picked } from "../picked.js";
import { icon } from "./icon.js";
import { attempt } from "./notice.js";
import type { Part } from "./part.js";

/// Makes all of a part a place where files can be dropped, while `may` says so.
export class DropArea {
  private over = false;

  constructor(private readonly host: Part, may: () => boolean, take: (picked: Picked[]) => Promise<unknown>) {
    const wanted = (event: DragEvent) => (event.dataTransfer?.types.includes("Files") && may() ? event.dataTransfer : undefined);
    host.addEventListener("dragover", (event) => {
      const transfer = wanted(event);
      if (!transfer) return;
      event.preventDefault();
      transfer.dropEffect = "copy";
      this.show(true);
    });
    host.addEventListener("dragleave", (event) => { if (!host.contains(event.relatedTarget as Node | null)) this.show(false); });
    host.addEventListener("drop", (event) => {
      this.show(false);
      const transfer = wanted(event);
      if (!transfer) return;
      event.preventDefault();
      const picked = pickDropped(transfer);  // what is dropped can be read now only
      void attempt(async () => take(await picked));
    });
  }
  private show(over: boolean) {
    if (this.over === over) return;
    this.over = over;
    this.host.requestUpdate();
  }

  /// What shows over the part while something is above it.
  render(text: string) { return this.over ? html`<div class="drop" aria-hidden="true">${icon("upload")}${text}</div>` : nothing; }
}
