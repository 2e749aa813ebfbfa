import { html, nothing } from "lit";
import { get } from "../api.js";
import { time } from "../format.js";
import { onEvent } from "../live.js";
import type { AuditEntry } from "../model.js";
import { go, href, onNavigate, place } from "../navigation.js";
import { badge, button, emptyState, facts, problem, title } from "../parts/bits.js";
import { show } from "../parts/dialog.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";

const pageSize = 200;
const fields = ["user", "event", "address", "operation"] as const;

/// The filters stand in the address, so that a view can be kept and sent.
class Audit extends Part {
  static override properties = { entries: { state: true }, next: { state: true }, error: { state: true }, newer: { state: true }, busy: { state: true } };
  declare entries: AuditEntry[] | undefined;
  declare next: number | undefined;
  declare error: string;
  declare newer: boolean;
  declare busy: boolean;
  private readonly off: (() => void)[] = [];
  private readonly columns: Column<AuditEntry>[] = [
    { key: "time", label: "Time", width: "190px", cell: (row) => time(row.time) },
    { key: "user", label: "User", width: "minmax(240px,1fr)", text: (row) => row.user, cell: (row) => html`<span>${row.user}</span>${row.api_token ? html` ${badge("quiet", row.api_token)}` : nothing}` },
    { key: "event", label: "Event", width: "minmax(235px,1fr)", text: (row) => row.event, cell: (row) => html`<button class="link" @click=${() => this.look(row)}>${row.event}</button>${row.refused ? html` ${badge("bad", "Refused")}` : nothing}` },
    { key: "what", label: "What", width: "minmax(220px,2fr)", text: (row) => JSON.stringify(row.details) + (row.subject ?? ""), cell: (row) => Object.entries(row.details).map(([name, value]) => `${name}: ${value}`).join(", ") || row.subject || "" },
    { key: "address", label: "From", width: "130px", text: (row) => row.address ?? "", cell: (row) => row.address ?? "" },
  ];
  constructor() {
    super();
    this.error = "";
    this.newer = false;
    this.busy = false;
  }
  override connectedCallback() {
    super.connectedCallback();
    this.off.push(onNavigate(() => { if (place().path[0] === "audit") void this.load(); }), onEvent(() => { this.newer = true; }));
    void this.load();
  }
  override disconnectedCallback() {
    super.disconnectedCallback();
    for (const off of this.off.splice(0)) off();
  }
  private async load(after?: number) {
    this.busy = true;
    this.error = "";
    const { query } = place();
    try {
      const page = await get<{ entries: AuditEntry[]; next?: number }>("/quire/audit", { ...Object.fromEntries(query), newest_first: true, limit: pageSize, after });
      this.entries = after === undefined ? page.entries : [...(this.entries ?? []), ...page.entries];
      this.next = page.next;
      if (after === undefined) this.newer = false;
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
    }
    this.busy = false;
  }
  private search(event: SubmitEvent) {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const query = new URLSearchParams();
    for (const [name, value] of data) if (value) query.set(name, String(value));
    const text = query.toString();
    go(href("audit") + (text ? `?${text}` : ""));
  }
  private look(row: AuditEntry) {
    return show(row.event, html`${facts([["Number", row.number], ["Time", time(row.time)], ["User", row.user], row.api_token ? ["API token", row.api_token] : undefined, ["From", row.address ?? "The server itself"], row.operation ? ["Operation", html`<code>${row.operation}</code>`] : undefined,
      row.operation_id ? ["Identifier of the call", html`<code>${row.operation_id}</code>`] : undefined, row.library_id ? ["Library", html`<a href=${href("libraries", row.library_id)}>${row.library_id}</a>`] : undefined, row.library_item_id ? ["Item", html`<a href=${href("items", row.library_item_id)}>${row.library_item_id}</a>`] : undefined,
      row.subject ? ["Subject", html`<code>${row.subject}</code>`] : undefined, ...Object.entries(row.details).map(([name, value]) => [name, value] as const)])}`, true);
  }
  protected override render() {
    const { query } = place();
    const labels = { user: "User", event: "Event", address: "From", operation: "Operation" };
    return html`${title([], "audit", "Audit trail", this.newer && this.entries ? button("refresh", "Show newer entries", () => this.load()) : nothing)}
      <form class="filters" @submit=${this.search}>${fields.map((name) => html`<label>${labels[name]}<input name=${name} .value=${query.get(name) ?? ""}></label>`)}
        <label class="check"><input type="checkbox" name="refused" value="true" ?checked=${query.get("refused") === "true"}>Refused only</label><button class="flat">Search</button></form>
      ${this.error ? problem(this.error, () => this.load()) : nothing}
      <q-table label="Audit trail" .columns=${this.columns} .rows=${this.entries} .keyOf=${(row: AuditEntry) => String(row.number)} .empty=${emptyState("audit", "Nothing fits", "Take a filter away. Entries stay for as long as the server's setting event_retention says.")}></q-table>
      ${this.next === undefined ? nothing : html`<div class="more">${button("down", "Show older entries", () => this.load(this.next), { disabled: this.busy })}</div>`}`;
  }
}
customElements.define("q-audit", Audit);
