import { html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { clientToken, get, patch, post, segment } from "../api.js";
import { bytes, percent, plural, rate, time, words } from "../format.js";
import { changed, followProgress, Live } from "../live.js";
import type { Probe, ServerEvent, SubscriptionInfo, Synchronization, TaskProgress } from "../model.js";
import { go, href } from "../navigation.js";
import { badge, bar, button, facts, problem } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import type { Field, Values } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { attempt, done } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import { presented } from "../parts/presented.js";
import { storageField } from "./libraries.js";

const mebibyte = 1 << 20;
const publisherUser = "vcsp";

export const isCached = (item: { cached?: boolean | undefined; size: number }) => item.cached ?? item.size > 0;
export const cachedBadge = (cached: boolean) => (cached ? badge("good", "Here") : badge("quiet", "Not here yet"));

type Named = { library_item: string; name: string };
const whom = (items: Named[]) => (items.length === 1 ? items[0]!.name : plural(items.length, "item"));

export async function syncItems(items: Named[]) {
  for (const { library_item } of items) await post(`/content/library/subscribed-item/${segment(library_item)}?action=sync`, { force_sync_content: true });
  changed("task.created");
  done(`${whom(items)} ${items.length === 1 ? "is" : "are"} being fetched from the publisher. Tasks shows how far it is.`);
}
export const evictItems = (items: Named[]) => ask({
  title: `Evict ${whom(items)}`, confirm: "Evict", intro: "The content is dropped here to free space, and comes again when somebody asks for it. The names stay.",
  run: async () => {
    for (const { library_item } of items) await post(`/content/library/subscribed-item/${segment(library_item)}?action=evict`);
    changed("item.evicted");
  },
});

/// The fields that say when what a publisher has comes.
export const contentFields = (values: Values): Field[] => [
  { name: "content", label: "Content", kind: "choice", value: values.content, options: [{ value: "immediate", label: "Fetch everything at once" }, { value: "demand", label: "On demand: fetch an item when somebody asks for it" }] },
  { name: "automatic", label: "Synchronize automatically", kind: "check", value: values.automatic },
];
/// The fields that say how to follow a publisher.
const publisherFields = (values: Values, kept: boolean): Field[] => [
  { name: "url", label: "Subscription URL", required: true, value: values.url, hint: "What the publisher shows: https://publisher.example:443/cls/vcsp/lib/…/lib.json" },
  { name: "user", label: "User", value: values.user, hint: `Empty: ${publisherUser}, as publishers have it.` },
  { name: "password", label: "Password", kind: "password", value: values.password, autocomplete: "new-password", hint: kept ? "Empty: the one that is set stays." : "Empty when everybody may read the library." },
  ...contentFields(values),
];

/// Of what stands in the form. `before`: a subscription whose password stays when none is given.
function infoOf(values: Values, before?: SubscriptionInfo): SubscriptionInfo {
  const url = values.url.trim();
  try { new URL(url); } catch { throw new Error("That is no URL. Paste the one that the publisher shows, with https:// in front."); }
  const secret = values.password ? { authentication_method: "BASIC" as const, user_name: values.user.trim() || publisherUser, password: values.password }
    : { authentication_method: before?.authentication_method ?? ("NONE" as const), ...(before?.authentication_method === "BASIC" ? { user_name: values.user.trim() || publisherUser } : {}) };
  return { ...secret, subscription_url: url, on_demand: values.content === "demand", automatic_sync_enabled: values.automatic, ...(values.thumbprint?.trim() ? { ssl_thumbprint: values.thumbprint.trim() } : {}) };
}

/// Asks the publisher; throws the reason when one cannot subscribe so, but for a certificate that people may accept.
async function probe(info: SubscriptionInfo): Promise<Probe> {
  const keepsPassword = info.authentication_method === "BASIC" && !info.password;  // only the server knows it
  const { user_name: _, ...open } = info;
  const answer = await post<Probe>("/content/subscribed-library?action=probe", { subscription_info: keepsPassword ? { ...open, authentication_method: "NONE" } : info });
  const unknown = answer.status === "CERTIFICATE_ERROR" && answer.ssl_thumbprint && !info.ssl_thumbprint;
  if (answer.status !== "SUCCESS" && !unknown && !(keepsPassword && answer.status === "INVALID_CREDENTIALS"))
    throw new Error(answer.error_messages.map((message) => message.default_message).join(" ") || `${words(answer.status)}. Look at the URL and try again.`);
  return answer;
}

/// A form, then what the publisher answered. Whoever goes back finds the form as it was.
async function askPublisher(form: { title: string; wide?: boolean; fields: (values: Values) => Field[] }, begin: Values, before: SubscriptionInfo | undefined, confirm: string,
  finish: (values: Values, info: SubscriptionInfo) => Promise<void>) {
  let values = begin;
  for (;;) {
    let info: SubscriptionInfo | undefined;
    let answer: Probe | undefined;
    const asked = await ask({
      title: form.title, confirm: "Look", fields: form.fields(values),
      run: async (typed) => {
        values = typed;
        info = infoOf(typed, before);
        answer = await probe(info);
      },
    });
    if (!asked || !info || !answer) return;
    const seen = info;
    const untrusted = answer.status === "CERTIFICATE_ERROR";
    const accepted = await ask({
      title: untrusted ? "Accept this certificate?" : "The publisher answers", confirm: untrusted ? `Accept and ${confirm.toLowerCase()}` : confirm, wide: true,
      intro: html`${await presented(new URL(seen.subscription_url), answer)}${untrusted ? html`<p>It is pinned: from then on no other certificate is taken from this publisher.</p>` : nothing}`,
      run: () => finish(values, untrusted ? { ...seen, ssl_thumbprint: answer!.ssl_thumbprint! } : seen),
    });
    if (accepted) return;
  }
}

export async function subscribe() {
  const storage = await storageField();
  await askPublisher({
    title: "Subscribe to a library",
    fields: (values) => [{ name: "name", label: "Name", required: true, value: values.name }, ...publisherFields(values, false), { ...storage, value: values.datastore ?? "" }],
  }, { content: "immediate", automatic: true }, undefined, "Subscribe", async (values, info) => {
    const library = await post<string>("/content/subscribed-library", { name: values.name, storage_backings: [{ type: "DATASTORE", datastore_id: values.datastore }], subscription_info: info }, { client_token: clientToken() });
    changed("library.created");
    go(href("libraries", library));
  });
}

const editSubscription = (library: string, before: SubscriptionInfo) => askPublisher({
  title: "Edit the subscription",
  fields: (values) => [...publisherFields(values, before.authentication_method === "BASIC"), { name: "thumbprint", label: "Thumbprint of the pinned certificate", value: values.thumbprint, hint: "Empty: the certificate must be one that the server trusts." }],
}, { url: before.subscription_url, user: before.user_name ?? "", content: before.on_demand ? "demand" : "immediate", automatic: before.automatic_sync_enabled, thumbprint: before.ssl_thumbprint ?? "" }, before, "Save", async (_, info) => {
  await patch(`/content/subscribed-library/${segment(library)}`, { subscription_info: { ...info, ssl_thumbprint: info.ssl_thumbprint ?? "" } });
  changed("library.updated");
});

const hourOf = (text: string, what: string): number | undefined => {
  if (!text.trim()) return undefined;
  const hour = Number(text);
  if (!Number.isInteger(hour) || hour < 0 || hour > 23) throw new Error(`${what} is no hour of the day. Give a whole number from 0 to 23, or leave both empty.`);
  return hour;
};

const editLimits = (library: string, now: Synchronization) => ask({
  title: "Limits of the synchronization", confirm: "Save",
  fields: [
    { name: "rate", label: "Bandwidth in MiB/s", value: now.bytes_per_second_max ? String(now.bytes_per_second_max / mebibyte) : "", hint: "Empty: no limit." },
    { name: "start", label: "Automatic ones from this hour on", value: String(now.window_start_hour ?? ""), hint: "0 to 23, in UTC. Empty: the hours of the configuration." },
    { name: "stop", label: "Until this hour", value: String(now.window_stop_hour ?? ""), hint: "May be earlier than the first: over midnight." },
  ],
  run: async (values) => {
    const speed = Number(values.rate.trim().replace(",", ".") || 0);
    if (!Number.isFinite(speed) || speed < 0) throw new Error("The bandwidth is no number. Give MiB a second, or leave it empty.");
    const start = hourOf(values.start, "The first");
    const stop = hourOf(values.stop, "The second");
    if ((start === undefined) !== (stop === undefined)) throw new Error("One hour is missing. Give both, or none.");
    await post(`/quire/subscribed-library/${segment(library)}?action=set-limits`, { bytes_per_second_max: Math.round(speed * mebibyte), ...(start === undefined ? {} : { window_start_hour: start, window_stop_hour: stop }) });
    changed("library.updated");
  },
});

/// How a library follows its publisher; `brief`: what runs or is wrong, above the items.
class Subscription extends Part {
  static override properties = { library: {}, may: { attribute: false }, brief: { type: Boolean } };
  declare library: string;
  declare may: Set<string> | undefined;
  declare brief: boolean;
  private readonly state = new Live(this, async () => {
    const [{ subscription_info: info }, sync] = await Promise.all([
      get<{ subscription_info: SubscriptionInfo }>(`/content/subscribed-library/${segment(this.library)}`), get<Synchronization>(`/quire/subscribed-library/${segment(this.library)}/status`)]);
    return { info, sync };
  }, (event) => /^(library|item|task)\./.test(event.kind) && (!event.library || event.library === this.library));

  constructor() {
    super();
    followProgress(this, (event) => this.take(event));
  }
  protected override updated(changes: PropertyValues) {
    if (changes.get("library") === undefined) return;
    this.state.value = undefined;
    void this.state.reload();
  }
  private take({ kind, subject, details }: ServerEvent) {
    const running = this.state.value?.sync.running;
    if (kind !== "task.progress" || !running || running.task !== subject) return;
    Object.assign(running, { status: "RUNNING", ...(details as TaskProgress) });
    this.requestUpdate();
  }

  private allowed(privilege: string) { return this.may?.has(privilege) ?? false; }

  private readonly syncNow = async () => {
    await post(`/content/subscribed-library/${segment(this.library)}?action=sync`);
    changed("task.created");
  };
  private readonly evict = () => ask({
    title: "Evict everything", confirm: "Evict", intro: "The content of all items is dropped here to free space, and comes again when somebody asks for it. The names stay.",
    run: async () => {
      await post(`/content/subscribed-library/${segment(this.library)}?action=evict`);
      changed("item.evicted");
    },
  });

  private renderRunning({ running }: Synchronization) {
    if (!running) return nothing;
    const { completed, total, status } = running;
    const text = status !== "RUNNING" ? "A synchronization waits for its turn." : total ? `Being synchronized: ${bytes(completed)} of ${bytes(total)}, ${percent(completed, total)} %` : "Being synchronized: the publisher is being read.";
    return html`<div class="alert info running">${icon("refresh")}<span role="status">${text}</span>${total ? bar(completed, total, "Synchronization") : nothing}</div>`;
  }
  private renderProblem({ problem: last, failures, next_sync_time, problem_count }: Synchronization, automatic: boolean) {
    if (!last) return nothing;
    const next = automatic && next_sync_time ? `The next attempt is not before ${time(next_sync_time)}.` : "Look into it, then synchronize again.";
    return html`<div class="alert error" role="alert">${icon("warning")}<span>${last.default_message} ${failures > 1 ? `This is failure ${failures} in a row. ` : ""}${next}
      ${this.brief ? html`<a href=${href("libraries", this.library, "subscription")}>${problem_count ? `${plural(problem_count, "item")} with a problem` : "More about it"}</a>` : nothing}</span></div>`;
  }
  private renderActions({ sync, info }: { sync: Synchronization; info: SubscriptionInfo }) {
    const now = this.allowed("ContentLibrary.SyncLibrary") ? button("refresh", "Sync now", () => attempt(this.syncNow), { primary: !this.brief, disabled: sync.running !== undefined }) : nothing;
    if (this.brief) return now;
    const edits = this.allowed("ContentLibrary.UpdateSubscribedLibrary");
    return html`<div class="bar">${now}${info.on_demand && this.allowed("ContentLibrary.EvictSubscribedLibrary") ? button("close", "Evict", () => attempt(this.evict), { disabled: !sync.cached_items }) : nothing}
      ${edits ? button("edit", "Edit subscription", () => attempt(() => editSubscription(this.library, info))) : nothing}${edits ? button("clock", "Limits", () => attempt(() => editLimits(this.library, sync))) : nothing}</div>`;
  }
  private renderItems({ problems, problem_count }: Synchronization) {
    if (!problem_count) return nothing;
    return html`<section class="card wide"><h2>Items with problems</h2><table class="plain-table"><thead><tr><th scope="col">Item</th><th scope="col">Why it is not as the publisher has it</th></tr></thead>
      <tbody>${problems.map((one) => html`<tr><td><a href=${href("items", one.library_item)}>${one.name}</a></td><td>${one.message.default_message}</td></tr>`)}</tbody></table>
      ${problem_count > problems.length ? html`<p class="remark">And ${plural(problem_count - problems.length, "more item", "more items")}.</p>` : nothing}</section>`;
  }

  protected override render() {
    const state = this.state.value;
    if (!state) return this.state.error ? problem(this.state.error, () => this.state.reload()) : this.brief ? nothing : html`<div class="loading" aria-busy="true"></div>`;
    const { info, sync } = state;
    if (this.brief) return html`${this.renderRunning(sync)}${sync.running ? nothing : this.renderProblem(sync, info.automatic_sync_enabled)}
      <div class="bar"><span class="remark">${sync.last_success_time ? `As its publisher had it ${time(sync.last_success_time)}` : "Not yet as its publisher has it"}</span>${this.renderActions(state)}</div>`;
    const window = sync.window_start_hour === undefined ? "The hours of the configuration" : `${sync.window_start_hour}:00 to ${sync.window_stop_hour}:00 UTC`;
    return html`${this.renderRunning(sync)}${this.renderProblem(sync, info.automatic_sync_enabled)}${this.renderActions(state)}
      <div class="cards two">
        <section class="card"><h2>Publisher</h2>${facts([["URL", html`<code>${info.subscription_url}</code>`], ["Signs in as", info.authentication_method === "BASIC" ? info.user_name || publisherUser : "Nobody: no password"],
          ["Certificate", info.ssl_thumbprint ? html`Pinned: <code>${info.ssl_thumbprint}</code>` : info.subscription_url.startsWith("https:") ? "Any that the server trusts" : "None"],
          ["Content", info.on_demand ? "On demand" : "At once"], ["Synchronized", info.automatic_sync_enabled ? "Automatically" : "When asked"]])}</section>
        <section class="card"><h2>State</h2>${facts([["Items", `${sync.items}, ${sync.cached_items} with their content here`], ["Last asked for", time(sync.last_sync_time) || "Never"], ["Last success", time(sync.last_success_time) || "Never"],
          info.automatic_sync_enabled && ["Next", sync.next_sync_time ? `Not before ${time(sync.next_sync_time)}` : "Soon"], ["Failures in a row", String(sync.failures)],
          ["Bandwidth", sync.bytes_per_second_max ? rate(sync.bytes_per_second_max) : "No limit"], info.automatic_sync_enabled && ["Hours", window]])}</section>
        ${this.renderItems(sync)}</div>`;
  }
}
customElements.define("q-subscription", Subscription);
