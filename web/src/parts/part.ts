import { LitElement } from "lit";

/// Parts render into the document itself: one style sheet, and whatever reads the page (people's tools, axe) sees all of it.
export class Part extends LitElement {
  protected override createRenderRoot() { return this; }
}

let ids = 0;
export const freshId = (stem: string) => `${stem}-${++ids}`;
