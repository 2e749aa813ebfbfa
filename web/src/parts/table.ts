import { html, nothing } from "lit";
import type { PropertyValues, TemplateResult } from "lit";
import { count } from "../format.js";
import { icon } from "./icon.js";
import { freshId, Part } from "./part.js";

export interface Column<Row> {
  key: string;
  label: string;
  width?: string;  // of a grid track
  end?: boolean;   // numbers
  cell: (row: Row) => unknown;
  sort?: (row: Row) => string | number;
  text?: (row: Row) => string;  // what the filter looks at
}

const rowHeight = 36;
const spare = 8;  // rows rendered beyond what shows

/// A table of any length: only the rows that show are in the document. Sorted and filtered here. Arrow keys, Home, End and
/// Page keys move; space marks a row where rows can be marked; Enter opens the row's first link.
export class DataTable<Row = unknown> extends Part {
  static override properties = {
    columns: { attribute: false }, rows: { attribute: false }, keyOf: { attribute: false }, label: {}, marked: { attribute: false },
    empty: { attribute: false }, actions: { attribute: false }, filterable: { type: Boolean }, filter: { state: true }, sortKey: { state: true },
    descending: { state: true }, first: { state: true }, visible: { state: true }, current: { state: true },
  };
  declare columns: Column<Row>[];
  declare rows: Row[] | undefined;
  declare keyOf: (row: Row) => string;
  declare label: string;
  declare marked: Set<string> | undefined;  // set: rows can be marked
  declare empty: TemplateResult | typeof nothing;
  declare actions: unknown;  // shown above the rows
  declare filterable: boolean;
  declare filter: string;
  declare sortKey: string;
  declare descending: boolean;
  declare first: number;
  declare visible: number;
  declare current: number;
  private shown: Row[] = [];
  private observer: ResizeObserver | undefined;
  private focusRow = false;
  private readonly filterId = freshId("filter");

  constructor() {
    super();
    this.columns = [];
    this.keyOf = String;
    this.label = "";
    this.empty = nothing;
    this.filterable = false;
    this.filter = "";
    this.sortKey = "";
    this.descending = false;
    this.first = 0;
    this.visible = 30;
    this.current = 0;
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.observer?.disconnect();
    this.observer = undefined;
  }

  protected override willUpdate(changes: PropertyValues) {
    if (!["rows", "columns", "filter", "sortKey", "descending"].some((name) => changes.has(name))) return;
    let rows = this.rows ?? [];
    const wanted = this.filter.trim().toLowerCase();
    if (wanted) rows = rows.filter((row) => this.columns.some((column) => column.text?.(row).toLowerCase().includes(wanted)));
    const sort = this.columns.find((column) => column.key === this.sortKey)?.sort;
    if (sort) {
      const sign = this.descending ? -1 : 1;
      const compare = (a: string | number, b: string | number) =>
        typeof a === "string" && typeof b === "string" ? collator.compare(a, b) : a < b ? -1 : a > b ? 1 : 0;
      rows = rows.map((row) => ({ row, by: sort(row) })).sort((a, b) => sign * compare(a.by, b.by)).map(({ row }) => row);
    }
    this.shown = rows;
    if (this.current >= rows.length) this.current = Math.max(0, rows.length - 1);
  }

  private get body() { return this.querySelector<HTMLElement>(".rows"); }

  protected override updated(changes: PropertyValues) {
    const body = this.body;
    if (body && ["rows", "columns", "filter"].some((name) => changes.has(name))) this.fitHead(body);
    if (body && !this.observer) {
      this.observer = new ResizeObserver(() => { this.measure(); if (this.body) this.fitHead(this.body); });
      this.observer.observe(body);
    } else if (!body && this.observer) {
      this.observer.disconnect();
      this.observer = undefined;
    }
    if (this.focusRow) {
      this.focusRow = false;
      this.querySelector<HTMLElement>(`[data-index="${this.current}"]`)?.focus({ preventScroll: true });
    }
  }

  /// Where the rows have a scroll bar, the head ends before it too.
  private fitHead(body: HTMLElement) {
    this.querySelector<HTMLElement>(".head-clip")!.style.paddingRight = `${body.offsetWidth - body.clientWidth}px`;
  }

  private measure() {
    const body = this.body;
    if (!body) return;
    this.first = Math.max(0, Math.floor(body.scrollTop / rowHeight) - spare);
    this.visible = Math.ceil(body.clientHeight / rowHeight) + 2 * spare;
  }

  private sortBy(key: string) {
    this.descending = this.sortKey === key && !this.descending;
    this.sortKey = key;
  }

  private mark(key: string) {
    const marked = new Set(this.marked);
    if (!marked.delete(key)) marked.add(key);
    this.tell(marked);
  }
  private markAll() {
    const all = this.shown.every((row) => this.marked?.has(this.keyOf(row)));
    this.tell(new Set(all ? [] : this.shown.map((row) => this.keyOf(row))));
  }
  private tell(marked: Set<string>) { this.dispatchEvent(new CustomEvent("mark", { detail: marked })); }

  private moveTo(index: number) {
    const body = this.body;
    if (!body) return;
    this.current = Math.min(Math.max(index, 0), this.shown.length - 1);
    const top = this.current * rowHeight;
    if (top < body.scrollTop) body.scrollTop = top;
    else if (top + rowHeight > body.scrollTop + body.clientHeight) body.scrollTop = top + rowHeight - body.clientHeight;
    this.measure();
    this.focusRow = true;
    this.requestUpdate();
  }

  private onKey(event: KeyboardEvent) {
    const target = event.target as HTMLElement;
    const row = target.closest<HTMLElement>("[data-index]");
    if (!row) return;
    const page = Math.max(1, Math.floor((this.body?.clientHeight ?? 0) / rowHeight) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    const index = Number(row.dataset.index);
    if (event.key in steps) this.moveTo(index + steps[event.key]!);
    else if (event.key === "Home") this.moveTo(0);
    else if (event.key === "End") this.moveTo(this.shown.length - 1);
    else if (target === row && event.key === "Enter") row.querySelector<HTMLElement>("a, button:not(.mark)")?.click();
    else if (target === row && event.key === " " && this.marked) this.mark(this.keyOf(this.shown[index]!));
    else return;
    event.preventDefault();
  }

  private head(tracks: string) {
    const all = this.shown.length > 0 && this.shown.every((row) => this.marked?.has(this.keyOf(row)));
    return html`<div class="head" role="row" aria-rowindex="1" .style=${tracks}>
      ${this.marked ? html`<div role="columnheader" class="mark-cell"><input type="checkbox" class="mark" aria-label="Mark all rows" .checked=${all} @change=${() => this.markAll()}></div>` : nothing}
      ${this.columns.map((column) => {
        const sorted = this.sortKey === column.key;
        return html`<div role="columnheader" class=${column.end ? "end" : ""} aria-sort=${sorted ? (this.descending ? "descending" : "ascending") : "none"}>
          ${column.sort ? html`<button class="sort" @click=${() => this.sortBy(column.key)}>${column.label}${sorted ? icon(this.descending ? "down" : "up") : nothing}</button>` : column.label}</div>`;
      })}</div>`;
  }

  private row(row: Row, index: number, tracks: string) {
    const key = this.keyOf(row);
    const marked = this.marked?.has(key) ?? false;
    return html`<div class="row ${marked ? "marked" : ""}" role="row" data-index=${index} aria-rowindex=${index + 2} aria-selected=${this.marked ? String(marked) : nothing}
        tabindex=${index === this.current ? 0 : -1} .style=${`${tracks};top:${index * rowHeight}px`} @focusin=${() => { this.current = index; }}>
      ${this.marked ? html`<div role="gridcell" class="mark-cell"><input type="checkbox" class="mark" tabindex="-1" aria-label="Mark this row" .checked=${marked} @change=${() => this.mark(key)}></div>` : nothing}
      ${this.columns.map((column) => {
        const shown = column.cell(row);
        return html`<div role="gridcell" class=${column.end ? "end" : ""} title=${column.text?.(row) || nothing}>${typeof shown === "string" && !column.end && shown ? html`<span title=${shown}>${shown}</span>` : shown}</div>`;
      })}</div>`;
  }

  protected override render() {
    const loading = this.rows === undefined;
    const bare = !loading && this.rows!.length === 0;
    const widths = [...(this.marked ? ["36px"] : []), ...this.columns.map((column) => column.width ?? "minmax(110px,1fr)")];
    // Every row is a grid of its own: their tracks agree because all have the same least width.
    const least = widths.reduce((sum, width) => sum + Number(/\d+/.exec(width)?.[0] ?? 0), 0);
    const tracks = `min-width:${least}px;grid-template-columns:${widths.join(" ")}`;
    const slice = this.shown.slice(this.first, this.first + this.visible);
    return html`
      ${(this.actions || this.filterable) && !(bare && this.empty !== nothing) ? html`<div class="bar">${this.actions}
        ${this.filterable && !bare ? html`<label class="filter" for=${this.filterId}><span class="hidden">Filter</span>
          <input id=${this.filterId} type="search" placeholder="Filter" .value=${this.filter} @input=${(event: InputEvent) => { this.filter = (event.target as HTMLInputElement).value; if (this.body) this.body.scrollTop = 0; }}></label>` : nothing}</div>` : nothing}
      ${bare && this.empty !== nothing ? this.empty : html`
        <div class="grid" role="grid" aria-label=${this.label} aria-rowcount=${this.shown.length + 1} aria-multiselectable=${this.marked ? "true" : nothing} aria-busy=${String(loading)} @keydown=${this.onKey}>
          <div class="head-clip" role="rowgroup">${this.head(tracks)}</div>
          <div class="rows" role="rowgroup" @scroll=${this.onScroll}>
            <div class="space" role="presentation" .style=${`min-width:${least}px;height:${this.shown.length * rowHeight}px`}>${slice.map((row, index) => this.row(row, this.first + index, tracks))}</div>
          </div>
        </div>
        <div class="foot" aria-live="polite">${loading ? "Loading…" : this.filter && this.rows ? `${count(this.shown.length)} of ${count(this.rows.length)}` : `${count(this.shown.length)} ${this.shown.length === 1 ? "row" : "rows"}`}${this.marked?.size ? `, ${count(this.marked.size)} marked` : ""}</div>`}`;
  }

  private onScroll() {
    this.measure();
    const head = this.querySelector(".head-clip");
    if (head && this.body) head.scrollLeft = this.body.scrollLeft;
  }
}
customElements.define("q-table", DataTable);

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
