import { html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { clientToken, get, getThose, patch, post, remove, segment } from "../api.js";
import { time } from "../format.js";
import { changed, Live } from "../live.js";
import type { LibrarySubscription, PublicationState, PublishInfo, SubscriptionInfo } from "../model.js";
import { href } from "../navigation.js";
import { badge, button, facts, iconButton, problem } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import type { Field, Values } from "../parts/dialog.js";
import { attempt, done } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import { storageField } from "./libraries.js";
import { contentFields } from "./subscription.js";

type Followed = { id: string; name: string; subscription_info: SubscriptionInfo };

/// Where a server is whose libraries can be subscriptions.
function placeOf(peer: string) {
  if (!peer) return { location: "LOCAL" };
  const [, hostname, port] = /^(.*):(\d+)$/.exec(peer)!;
  return { location: "REMOTE", vcenter: { hostname, https_port: Number(port) } };
}
const told = ({ last_notified_time, waiting_since, problem: why }: LibrarySubscription) => html`${last_notified_time ? time(last_notified_time) : "Never"}
  ${waiting_since ? badge("busy", "Being told") : why ? badge("bad", "Not told") : nothing}${why ? html`<div class="remark">${why.default_message}</div>` : nothing}`;

/// Whether and where a library is published, who reads it, and whom that tells of changes.
class Publication extends Part {
  static override properties = { library: {}, may: { attribute: false } };
  declare library: string;
  declare may: Set<string> | undefined;
  private readonly state = new Live(this, async () => {
    const { publish_info: info } = await get<{ publish_info: PublishInfo }>(`/content/local-library/${segment(this.library)}`);
    const publication = info.published ? await get<PublicationState>(`/quire/local-library/${segment(this.library)}/publication`) : undefined;
    return { info, publication };
  }, (event) => /^(library|subscription|task)\./.test(event.kind) && (!event.library || event.library === this.library));

  protected override updated(changes: PropertyValues) {
    if (changes.get("library") === undefined) return;
    this.state.value = undefined;
    void this.state.reload();
  }

  private allowed(privilege: string) { return this.may?.has(privilege) ?? false; }

  private async change(publish_info: object) {
    await patch(`/content/local-library/${segment(this.library)}`, { publish_info });
    changed("library.updated");
  }
  /// A password that is set is asked for before anything about it changes; it stays set while the library is not published.
  private currentField({ authentication_method }: PublishInfo, required = true): Field[] {
    return authentication_method === "BASIC" ? [{ name: "current", label: "Current password", kind: "password", required, autocomplete: "current-password" }] : [];
  }
  private access(info: PublishInfo) {
    const again = !info.published && info.authentication_method === "BASIC";
    return ask({
      title: info.published ? "Change the password" : "Publish this library", confirm: info.published ? "Change" : "Publish",
      intro: "Whoever has the URL reads all of the library, with the password if one is set. Subscribers sign in as vcsp.",
      fields: [...this.currentField(info, !again), {
        name: "password", label: info.published || again ? "New password" : "Password", kind: "password", autocomplete: "new-password",
        hint: again ? "Leave both empty to publish it with the password that it had." : "Empty: everybody who reaches the server may read it.",
      }],
      run: ({ current, password }) => this.change({
        published: true, ...(current ? { current_password: current } : {}),
        ...(password ? { authentication_method: "BASIC", password } : again && !current ? {} : { authentication_method: "NONE" }),
      }),
    });
  }
  private stop(info: PublishInfo) {
    return ask({
      title: "Stop publishing", danger: true, confirm: "Stop", intro: "Subscribers keep what they have and get nothing new. The URL is the same when the library is published again.",
      fields: this.currentField(info), run: ({ current }) => this.change({ published: false, ...(current ? { current_password: current } : {}) }),
    });
  }

  private async subscribed() {
    const ids = await get<string[]>("/content/subscribed-library");
    return getThose<Followed>(ids.map((id) => `/content/subscribed-library/${segment(id)}`));
  }
  /// First which library, then what there is to say of it. A new one cannot be given a password that only its digest is known of.
  private async addSubscription({ publish_url, authentication_method }: PublishInfo, peers: string[]) {
    const own = new URL(publish_url!).href;
    const here = (await this.subscribed()).filter((one) => new URL(one.subscription_info.subscription_url).href === own);
    const open = authentication_method === "NONE";
    const options = ["", ...peers].flatMap((peer) => [
      ...(peer || here.length ? [{ value: `old ${peer}`, label: `One that ${peer || "this server"} has` }] : []), ...(open ? [{ value: `new ${peer}`, label: `A new one on ${peer || "this server"}` }] : [])]);
    if (!options.length) throw new Error("No subscribed library of this server follows this library. Make one with its URL and its password, then add it here.");
    let which = options[0]!.value;
    const chosen = await ask({
      title: "Add a subscription", confirm: "Next", intro: "A subscribed library that is told to synchronize when this one is published.",
      fields: [{ name: "which", label: "Subscribed library", kind: "choice", value: which, options,
        hint: peers.length ? "" : "Libraries of other servers can be told once this server has a token of theirs: the setting peer." }],
      run: async (values) => { which = values.which; },
    });
    if (!chosen) return;
    const peer = which.slice("new ".length);
    await (which.startsWith("new") ? this.addNew(peer) : this.addExisting(peer, here));
  }
  private async addExisting(peer: string, here: Followed[]) {
    await ask({
      title: `A library of ${peer || "this server"}`, confirm: "Add",
      fields: [peer ? { name: "library", label: "Identifier of the library there", required: true, hint: "As its page there shows it. It must follow the URL of this publication." }
        : { name: "library", label: "Subscribed library", kind: "choice", options: here.map(({ id, name }) => ({ value: id, label: name })) }],
      run: ({ library }) => this.add({ target: "USE_EXISTING", subscribed_library: library.trim(), ...placeOf(peer) }),
    });
  }
  private async addNew(peer: string) {
    const storage: Field = peer ? { name: "datastore", label: "Identifier of the storage there", value: "datastore-11", required: true } : await storageField();
    const token = clientToken();
    await ask({
      title: `A new library on ${peer || "this server"}`, confirm: "Add",
      fields: [{ name: "name", label: "Name", required: true }, storage, ...contentFields({ content: "immediate", automatic: true })],
      run: (values: Values) => this.add({
        target: "CREATE_NEW", ...placeOf(peer),
        new_subscribed_library: { name: values.name, storage_backings: [{ type: "DATASTORE", datastore_id: values.datastore.trim() }], automatic_sync_enabled: values.automatic, on_demand: values.content === "demand" },
      }, token),
    });
  }
  private async add(subscribed_library: object, token?: string) {
    await post(`/content/library/${segment(this.library)}/subscriptions`, { subscribed_library }, token ? { client_token: token } : {});
    changed("subscription.created");
  }
  private removeSubscription({ subscription, subscribed_library_name }: LibrarySubscription) {
    return ask({
      title: `Remove the subscription of ${subscribed_library_name}`, danger: true, confirm: "Remove", intro: "The subscribed library stays, and still follows this one in its own time.",
      run: async () => {
        await remove(`/content/library/${segment(this.library)}/subscriptions/${segment(subscription)}`);
        changed("subscription.deleted");
      },
    });
  }
  private readonly publishNow = async () => {
    await post(`/content/local-library/${segment(this.library)}?action=publish`);
    changed("subscription.updated");
    done("The subscriptions are being told.");
  };

  private renderReaders({ readers, readers_since, version }: PublicationState) {
    return html`<section class="card wide"><h2>Readers</h2>
      <p>Who read it since ${time(readers_since)}, when this server was started. ${readers.length ? "" : "Nobody yet."}</p>
      <div class="bar">${button("refresh", "Look again", () => this.state.reload())}</div>
      ${readers.length ? html`<table class="plain-table"><thead><tr><th scope="col">Last read</th><th scope="col">Address</th><th scope="col">Program</th><th scope="col">Knows</th></tr></thead>
        <tbody>${readers.map((one) => html`<tr><td>${time(one.last_read_time)}</td><td><code>${one.address}</code></td><td>${one.user_agent ?? "Does not say"}</td>
          <td>${one.version === undefined ? "Read files only" : one.version === version ? badge("good", "The newest") : `Version ${one.version} of ${version}`}</td></tr>`)}</tbody></table>` : nothing}</section>`;
  }
  private renderSubscriptions(info: PublishInfo, { subscriptions: all, peers }: PublicationState) {
    const removes = this.allowed("ContentLibrary.DeleteSubscription");
    return html`<section class="card wide"><h2>Subscriptions</h2>
      <p>Every subscriber with the URL follows this library. These are told besides when it is published, and need not wait for their own time.</p>
      <div class="bar">${this.allowed("ContentLibrary.AddSubscription") ? button("add", "Add", () => attempt(() => this.addSubscription(info, peers))) : nothing}${this.allowed("ContentLibrary.PublishLibrary") ? button("refresh", "Publish now", () => attempt(this.publishNow), { disabled: !all.length }) : nothing}</div>
      ${all.length ? html`<table class="plain-table"><thead><tr><th scope="col">Library</th><th scope="col">Server</th><th scope="col">Last told</th>${removes ? html`<th scope="col"><span class="hidden">Actions</span></th>` : nothing}</tr></thead>
        <tbody>${all.map((one) => html`<tr><td>${one.subscribed_library_vcenter_hostname ? one.subscribed_library_name : html`<a href=${href("libraries", one.subscribed_library)}>${one.subscribed_library_name}</a>`}</td><td>${one.subscribed_library_vcenter_hostname ?? "This one"}</td><td>${told(one)}</td>
          ${removes ? html`<td class="end">${iconButton("trash", `Remove ${one.subscribed_library_name}`, () => attempt(() => this.removeSubscription(one)))}</td>` : nothing}</tr>`)}</tbody></table>` : html`<p class="remark">None.</p>`}</section>`;
  }

  protected override render() {
    const state = this.state.value;
    if (!state) return this.state.error ? problem(this.state.error, () => this.state.reload()) : html`<div class="loading" aria-busy="true"></div>`;
    const { info, publication } = state;
    const url = info.publish_url ?? "";
    const may = this.allowed("ContentLibrary.UpdateLocalLibrary");
    return html`<div class="cards two"><section class="card wide"><h2>Publication</h2>
      ${facts([["Published", info.published ? badge("good", "Yes") : badge("quiet", "No")],
        info.published && ["URL for subscribers", html`<code>${url}</code> ${iconButton("copy", "Copy the URL", () => attempt(() => navigator.clipboard.writeText(url), "URL copied. Paste it where a subscribed library is made."))}`],
        info.published && ["Password", info.authentication_method === "BASIC" ? "Set; subscribers sign in as vcsp" : "None: everybody who reaches the server may read it"]])}
      ${info.published ? nothing : html`<p>Other servers, vCenter among them, can subscribe to a library that is published.</p>`}
      ${may ? html`<div class="bar">${info.published ? html`${button("key", "Change the password", () => attempt(() => this.access(info)))}${button("close", "Stop publishing", () => attempt(() => this.stop(info)))}` : button("link", "Publish", () => attempt(() => this.access(info)), { primary: true })}</div>` : nothing}</section>
      ${publication ? html`${this.renderSubscriptions(info, publication)}${this.renderReaders(publication)}` : nothing}</div>`;
  }
}
customElements.define("q-publication", Publication);
