import { html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { get, post, remove } from "../api.js";
import { bytes, duration, percent, rate, time, words } from "../format.js";
import { changed, followProgress, kinds, Live } from "../live.js";
import type { ServerEvent, SessionProgress, SessionSummary } from "../model.js";
import { go, href } from "../navigation.js";
import { badge, bar, button, emptyState, facts, problem, title } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import { attempt } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";
import { Speed } from "../speed.js";

const stateKind = { ACTIVE: "busy", DONE: "good", ERROR: "bad", CANCELED: "quiet" } as const;
const sent = (session: SessionSummary) => fresh(session).reduce((sum, file) => sum + file.bytes_transferred, 0);
const fresh = (session: SessionSummary) => session.files.filter(({ source_type }) => source_type !== "NONE");
const size = (session: SessionSummary) => fresh(session).reduce<number | undefined>((sum, file) => (sum === undefined || file.size === undefined ? undefined : sum + file.size), 0);

/// Everybody's update sessions, or one of them.
class Sessions extends Part {
  static override properties = { session: {}, now: { state: true } };
  declare session: string;
  declare now: number;
  private clock = 0;
  private readonly speeds = new Map<string, Speed>();
  private readonly sessions = new Live(this, async () => {
    const all = await get<SessionSummary[]>("/quire/update-sessions");
    for (const one of all) if (one.state !== "ACTIVE") this.speeds.delete(one.update_session);
    return all.sort((a, b) => Number(b.state === "ACTIVE") - Number(a.state === "ACTIVE") || b.created.localeCompare(a.created));
  }, kinds("update_session.", "item.deleted", "library.deleted"));
  private readonly columns: Column<SessionSummary>[] = [
    { key: "item", label: "Item", width: "minmax(180px,1.5fr)", sort: (row) => row.library_item_name, text: (row) => row.library_item_name, cell: (row) => html`<a href=${href("sessions", row.update_session)}>${row.library_item_name}</a>` },
    { key: "user", label: "Held by", width: "minmax(240px,1fr)", sort: (row) => row.user, text: (row) => row.user, cell: (row) => row.user },
    { key: "state", label: "State", width: "110px", sort: (row) => row.state, text: (row) => row.state, cell: (row) => badge(stateKind[row.state], row.completing && row.state === "ACTIVE" ? "Completing" : words(row.state)) },
    { key: "progress", label: "Progress", width: "minmax(180px,1.5fr)", cell: (row) => this.progress(row) },
    { key: "expires", label: "Expires in", width: "120px", sort: (row) => (row.state === "ACTIVE" ? row.expiration_time : "~"), cell: (row) => (row.state === "ACTIVE" ? this.left(row) : "") },
    { key: "created", label: "Since", width: "190px", sort: (row) => row.created, cell: (row) => time(row.created) },
  ];

  constructor() {
    super();
    this.session = "";
    this.now = Date.now();
    followProgress(this, (event) => this.take(event));
  }
  override connectedCallback() {
    super.connectedCallback();
    this.clock = setInterval(() => {
      this.now = Date.now();
      // What has not moved is not told: a rate goes down to nothing by itself.
      for (const one of this.sessions.value ?? []) this.speeds.get(one.update_session)?.mark(sent(one));
    }, 1000) as unknown as number;
  }
  override disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.clock);
  }
  private take({ kind, subject, details }: ServerEvent) {
    const one = this.sessions.value?.find(({ update_session }) => update_session === subject);
    if (kind !== "update_session.progress" || !one) return;
    const { files, ...rest } = details as SessionProgress;
    Object.assign(one, rest);
    for (const moved of files) Object.assign(one.files.find(({ name }) => name === moved.name) ?? {}, moved);
    const speed = this.speeds.get(one.update_session) ?? new Speed();
    this.speeds.set(one.update_session, speed);
    speed.mark(sent(one));
    this.requestUpdate();
  }
  protected override updated(_changes: PropertyValues) {
    const one = this.one;
    if (this.session) document.title = `Update session of ${one?.library_item_name ?? "an item"} – Quire`;
  }

  private get one() { return this.sessions.value?.find(({ update_session }) => update_session === this.session); }

  private left(session: SessionSummary) {
    const seconds = (Date.parse(session.expiration_time) - this.now) / 1000;
    return seconds > 0 ? duration(seconds) : "now";
  }
  private progress(session: SessionSummary) {
    if (session.state !== "ACTIVE") return session.error_message ? html`<span title=${session.error_message.default_message}>${session.error_message.default_message}</span>` : "";
    const whole = size(session);
    const done = sent(session);
    if (!session.files.length || !fresh(session).length) return "Nothing sent yet";
    return html`${bar(done, whole, `Progress of ${session.library_item_name}`)}<span class="amount">${whole === undefined ? bytes(done) : `${percent(done, whole)} %`}</span>`;
  }

  private async keepAlive(session: SessionSummary) {
    await post(`/content/library/item/update-session/${session.update_session}?action=keep-alive`, {});
    await this.sessions.reload();
  }
  private cancel(session: SessionSummary) {
    return ask({
      title: `Cancel the update of ${session.library_item_name}?`, danger: true, confirm: "Cancel the update",
      intro: `What ${session.user} has sent is removed. The item stays as it was.`,
      run: async () => {
        await post(`/content/library/item/update-session/${session.update_session}?action=cancel`);
        changed("update_session.ended");
      },
    });
  }
  private async dismiss(session: SessionSummary) {
    await remove(`/content/library/item/update-session/${session.update_session}`);
    changed("update_session.ended");
    go(href("sessions"));
  }
  private async complete(session: SessionSummary) {
    await post(`/content/library/item/update-session/${session.update_session}?action=complete`);
    changed("item.content_changed");
  }

  private renderOne(session: SessionSummary) {
    const active = session.state === "ACTIVE";
    const speed = this.speeds.get(session.update_session)?.value ?? 0;
    const whole = size(session);
    const done = sent(session);
    return html`${title([{ label: "Update sessions", href: href("sessions") }], "session", `Update of ${session.library_item_name}`, session.usable ? html`${active ? html`
        ${button("clock", "Keep alive", () => attempt(() => this.keepAlive(session), "It has a whole time-out again."))}
        ${button("check", "Complete", () => attempt(() => this.complete(session)), { disabled: session.completing })}
        ${button("close", "Cancel", () => attempt(() => this.cancel(session)))}` : button("trash", "Take off the list", () => attempt(() => this.dismiss(session)))}` : nothing)}
      ${session.error_message ? problem(session.error_message.default_message) : nothing}
      ${facts([["Item", html`<a href=${href("items", session.library_item)}>${session.library_item_name}</a>`], ["Held by", session.user], ["State", badge(stateKind[session.state], words(session.state))], ["Since", time(session.created)],
        active ? ["Expires in", this.left(session)] : ["Ended", time(session.ended)], active && done ? ["Received", `${bytes(done)}${whole === undefined ? "" : ` of ${bytes(whole)}`}`] : undefined,
        active && session.client_progress ? ["Told by the client", `${session.client_progress} %`] : undefined, active && speed ? ["Rate", `${rate(speed)}${whole === undefined ? "" : `, ${duration((whole - done) / speed)} left`}`] : undefined])}
      ${active ? html`<h2>Files</h2><table class="plain-table files"><thead><tr><th scope="col">Name</th><th scope="col">From</th><th scope="col">State</th><th scope="col">Progress</th><th scope="col" class="end">Received</th></tr></thead><tbody>
        ${session.files.map((file) => html`<tr><td>${file.name}</td><td>${file.source_type === "NONE" ? "Item" : file.source_type === "PUSH" ? "Client" : "URL"}</td><td>${badge(file.status === "READY" ? "good" : file.status === "ERROR" ? "bad" : "busy", words(file.status))}</td>
          <td>${file.source_type === "NONE" ? "Unchanged" : file.error_message ? file.error_message.default_message : bar(file.bytes_transferred, file.size, `Progress of ${file.name}`)}</td><td class="end">${bytes(file.bytes_transferred)}${file.size === undefined ? "" : ` of ${bytes(file.size)}`}</td></tr>`)}</tbody></table>` : nothing}`;
  }

  protected override render() {
    const all = this.sessions.value;
    if (this.sessions.error && !all) return html`${title([], "session", "Update sessions")}${problem(this.sessions.error, () => this.sessions.reload())}`;
    if (this.session && all) {
      const one = this.one;
      return one ? this.renderOne(one) : html`${title([{ label: "Update sessions", href: href("sessions") }], "session", "Update session")}${problem("There is no such update session any more: it has expired, or was completed and taken off the list.")}`;
    }
    return html`${title([], "session", "Update sessions")}<q-table label="Update sessions" .columns=${this.columns.slice()} .rows=${all} .keyOf=${(row: SessionSummary) => row.update_session} filterable
      .empty=${emptyState("session", "Nobody is updating an item", "Uploads and fetches from URLs show here while they last, and how they ended for a day.")}></q-table>`;
  }
}
customElements.define("q-sessions", Sessions);
