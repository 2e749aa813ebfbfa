import { html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { get, patch, post, remove, segment } from "../api.js";
import { changed, Live } from "../live.js";
import type { LibrarySubscription, PublishInfo, SubscriptionInfo } from "../model.js";
import { href } from "../navigation.js";
import { badge, button, facts, iconButton, problem } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import type { Field } from "../parts/dialog.js";
import { attempt, done } from "../parts/notice.js";
import { Part } from "../parts/part.js";

const elsewhere = "elsewhere";

/// Whether and where a library is published, and whom that tells of changes.
class Publication extends Part {
  static override properties = { library: {}, may: { attribute: false } };
  declare library: string;
  declare may: Set<string> | undefined;
  private readonly state = new Live(this, async () => {
    const { publish_info: info } = await get<{ publish_info: PublishInfo }>(`/content/local-library/${segment(this.library)}`);
    const subscriptions = info.published ? await get<LibrarySubscription[]>(`/content/library/${segment(this.library)}/subscriptions`) : undefined;
    return { info, subscriptions };
  }, (event) => /^(library|subscription)\./.test(event.kind) && (!event.library || event.library === this.library));

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

  private async addSubscription({ publish_url }: PublishInfo) {
    const ids = await get<string[]>("/content/subscribed-library");
    const all = await Promise.all(ids.map((id) => get<{ id: string; name: string; subscription_info: SubscriptionInfo }>(`/content/subscribed-library/${segment(id)}`)));
    const here = all.filter((one) => new URL(one.subscription_info.subscription_url).href === new URL(publish_url!).href);
    await ask({
      title: "Add a subscription", confirm: "Add", intro: "A subscribed library that is told to synchronize when this one is published.",
      fields: [
        { name: "which", label: "Subscribed library", kind: "choice", options: [...here.map(({ id, name }) => ({ value: id, label: `${name}, on this server` })), { value: elsewhere, label: "One on another server" }] },
        { name: "host", label: "Name of the other server", hint: "HOST or HOST:PORT; only for one on another server, like the identifier." },
        { name: "id", label: "Identifier of the library there" },
      ],
      run: async ({ which, host, id }) => {
        const [, hostname, port] = /^(.*?)(?::(\d+))?$/.exec(host.trim())!;
        if (which === elsewhere && (!hostname || !id.trim())) throw new Error("Name the other server, and the identifier that the subscribed library has there.");
        await post(`/content/library/${segment(this.library)}/subscriptions`, {
          subscribed_library: {
            target: "USE_EXISTING", subscribed_library: which === elsewhere ? id.trim() : which, location: which === elsewhere ? "REMOTE" : "LOCAL",
            ...(which === elsewhere ? { vcenter: { hostname, ...(port ? { https_port: Number(port) } : {}) } } : {}),
          },
        });
        changed("subscription.created");
      },
    });
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
    done("The subscriptions are being told.");
  };

  private renderSubscriptions(info: PublishInfo, all: LibrarySubscription[] | undefined) {
    if (!all) return nothing;
    const removes = this.allowed("ContentLibrary.DeleteSubscription");
    return html`<section class="card wide"><h2>Subscriptions</h2>
      <p>Every subscriber with the URL follows this library. These are told besides when it is published, and need not wait for their own time.</p>
      <div class="bar">${this.allowed("ContentLibrary.AddSubscription") ? button("add", "Add", () => attempt(() => this.addSubscription(info))) : nothing}${this.allowed("ContentLibrary.PublishLibrary") ? button("refresh", "Publish now", () => attempt(this.publishNow), { disabled: !all.length }) : nothing}</div>
      ${all.length ? html`<table class="plain-table"><thead><tr><th scope="col">Library</th><th scope="col">Server</th>${removes ? html`<th scope="col"><span class="hidden">Actions</span></th>` : nothing}</tr></thead>
        <tbody>${all.map((one) => html`<tr><td>${one.subscribed_library_vcenter_hostname ? one.subscribed_library_name : html`<a href=${href("libraries", one.subscribed_library)}>${one.subscribed_library_name}</a>`}</td><td>${one.subscribed_library_vcenter_hostname ?? "This one"}</td>
          ${removes ? html`<td class="end">${iconButton("trash", `Remove ${one.subscribed_library_name}`, () => attempt(() => this.removeSubscription(one)))}</td>` : nothing}</tr>`)}</tbody></table>` : html`<p class="remark">None.</p>`}</section>`;
  }

  protected override render() {
    const state = this.state.value;
    if (!state) return this.state.error ? problem(this.state.error, () => this.state.reload()) : html`<div class="loading" aria-busy="true"></div>`;
    const { info, subscriptions } = state;
    const url = info.publish_url ?? "";
    const may = this.allowed("ContentLibrary.UpdateLocalLibrary");
    return html`<div class="cards two"><section class="card wide"><h2>Publication</h2>
      ${facts([["Published", info.published ? badge("good", "Yes") : badge("quiet", "No")],
        info.published && ["URL for subscribers", html`<code>${url}</code> ${iconButton("copy", "Copy the URL", () => attempt(() => navigator.clipboard.writeText(url), "URL copied. Paste it where a subscribed library is made."))}`],
        info.published && ["Password", info.authentication_method === "BASIC" ? "Set; subscribers sign in as vcsp" : "None: everybody who reaches the server may read it"]])}
      ${info.published ? nothing : html`<p>Other servers, vCenter among them, can subscribe to a library that is published.</p>`}
      ${may ? html`<div class="bar">${info.published ? html`${button("key", "Change the password", () => attempt(() => this.access(info)))}${button("close", "Stop publishing", () => attempt(() => this.stop(info)))}` : button("link", "Publish", () => attempt(() => this.access(info)), { primary: true })}</div>` : nothing}</section>
      ${this.renderSubscriptions(info, subscriptions)}</div>`;
  }
}
customElements.define("q-publication", Publication);
