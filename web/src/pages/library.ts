import { html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { clientToken, get, legacy, patch, post, remove, segment } from "../api.js";
import { bytes, count, plural, signatureWords, time, words } from "../format.js";
import { changed, Live } from "../live.js";
import type { Datastore, Item, ItemSummary, LibrarySummary, Probe, Quota } from "../model.js";
import { go, href } from "../navigation.js";
import { badge, button, emptyState, facts, problem, tabs, title, typeIcon } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import { DropArea } from "../parts/drop.js";
import { icon } from "../parts/icon.js";
import { attempt, done } from "../parts/notice.js";
import { presented } from "../parts/presented.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";
import { pickChosen, planItems } from "../picked.js";
import type { Picked, PlannedItem } from "../picked.js";
import { mayOn } from "../session.js";
import { uploadNew } from "../uploads.js";
import { deleteLibraries, editLibrary, listLibraries } from "./libraries.js";
import "./permissions.js";
import "./publication.js";
import { cachedBadge, evictItems, isCached, syncItems } from "./subscription.js";

export const typeName = (type: string) => (type ? (type.length <= 4 ? type.toUpperCase() : type) : "File");
export const signatureBadge = (status: string | undefined) =>
  !status || status === "NOT_AVAILABLE" ? nothing : badge(status === "VERIFIED" ? "good" : status === "UNTRUSTED" || status === "VERIFICATION_FAILURE" ? "bad" : "quiet", signatureWords(status));

/// Files by the browser's own dialog.
export function chooseFiles(folder: boolean): Promise<Picked[]> {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.webkitdirectory = folder;
    input.hidden = true;
    input.className = "chooser";
    document.body.append(input);
    const end = (picked: Picked[]) => { input.remove(); resolve(picked); };
    input.addEventListener("change", () => end(input.files ? pickChosen(input.files) : []));
    input.addEventListener("cancel", () => end([]));
    input.click();
  });
}

/// What files make which items, before they are sent.
async function confirmItems(library: string, picked: Picked[]) {
  const planned = planItems(picked);
  if (!planned.length) return;
  const size = (item: PlannedItem) => item.files.reduce((sum, { file }) => sum + file.size, 0);
  await ask({
    title: planned.length === 1 ? "New item" : `${plural(planned.length, "new item")}`, confirm: "Upload", wide: true,
    content: () => html`<table class="plan"><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Files</th><th scope="col" class="end">Size</th></tr></thead>
      <tbody>${planned.map((item, index) => html`<tr><td><input ?autofocus=${index === 0} aria-label="Name of item ${index + 1}" .value=${item.name} required @input=${(event: InputEvent) => { item.name = (event.target as HTMLInputElement).value; }}></td>
        <td>${typeName(item.type)}</td><td title=${item.files.map(({ path }) => path).join("\n")}>${item.files.length === 1 ? item.files[0]!.file.name : plural(item.files.length, "file")}</td><td class="end">${bytes(size(item))}</td></tr>`)}</tbody></table>`,
    run: async () => { for (const item of planned) uploadNew(library, item.name, item.type, item.files); },
  });
}

/// The server fetches the file itself; first it looks which certificate is shown there.
export async function addFromUrl(library: string, item?: { id: string; name: string }) {
  let address = "";
  let name = item?.name ?? "";
  const asked = await ask({
    title: item ? `New content of ${item.name} from a URL` : "Add from a URL", confirm: "Look",
    intro: "The server fetches the file itself: its address must be one that the server reaches and may reach.",
    fields: [{ name: "url", label: "URL", required: true, hint: "https://mirror.example/images/vm.ova. An .ovf brings the files that it names." },
      ...(item ? [] : [{ name: "name", label: "Name of the item", hint: "Empty: the name of the file." }])],
    run: async (values) => {
      const url = new URL(values.url.trim());
      if (url.protocol !== "http:" && url.protocol !== "https:" && url.protocol !== "ds:" && url.protocol !== "file:") throw new Error(`${url.protocol} is not possible here. Give an http or https address.`);
      address = url.href;
      const file = decodeURIComponent(url.pathname.split("/").pop() ?? "");
      if (!file) throw new Error("The address names no file. Give the address of the file itself.");
      name ||= values.name?.trim() || file.replace(/\.[^.]+$/, "");
    },
  });
  if (!asked) return;
  const url = new URL(address);
  const file = decodeURIComponent(url.pathname.split("/").pop()!);
  let thumbprint: string | undefined;
  let shown: unknown = "It is read from a storage of the server.";
  if (url.protocol.startsWith("http")) {
    const probe = await legacy<Probe>("/content/library/item/updatesession/file?~action=probe", { source_endpoint: { uri: address } });
    if (probe.status !== "SUCCESS" && probe.status !== "CERTIFICATE_ERROR") throw new Error(probe.error_messages.map((message) => message.default_message).join(" ") || words(probe.status));
    if (probe.status === "CERTIFICATE_ERROR") thumbprint = probe.ssl_thumbprint;
    shown = await presented(url, probe);
  }
  await ask({
    title: thumbprint ? "Accept this certificate?" : `Fetch ${file}`, confirm: thumbprint ? "Accept and fetch" : "Fetch", intro: shown, wide: true,
    run: async () => {
      const kind = file.toLowerCase().match(/\.(ovf|ova|iso)$/)?.[1];
      const type = kind === "iso" ? "iso" : kind ? "ovf" : "";
      const target = item?.id ?? await post<string>("/content/library/item", { library_id: library, name, ...(type ? { type } : {}) }, { client_token: clientToken() });
      try {
        const session = await post<string>("/content/library/item/update-session", { library_item_id: target }, { client_token: clientToken() });
        await post(`/content/library/item/update-session/${session}/file`, { name: file, source_type: "PULL", source_endpoint: { uri: address, ...(thumbprint ? { ssl_certificate_thumbprint: thumbprint } : {}) } });
        await post(`/content/library/item/update-session/${session}?action=complete`);
        changed("update_session.created");
        go(href("sessions", session));
      } catch (error) {
        if (!item) await remove(`/content/library/item/${target}`).catch(() => {});
        throw error;
      }
    },
  });
}

class Library extends Part {
  static override properties = { library: {}, tab: {}, marked: { state: true } };
  declare library: string;
  declare tab: string;
  declare marked: Set<string>;
  private readonly about = new Live(this, async () => (await get<LibrarySummary[]>("/quire/libraries", { library_id: this.library }))[0]!,
    (event) => (event.kind.startsWith("library.") || event.kind.startsWith("item.")) && (!event.library || event.library === this.library));
  private readonly items = new Live(this, () => get<ItemSummary[]>("/quire/items", { library_id: this.library }),
    (event) => /^(item\.|update_session\.(created|ended)|library\.)/.test(event.kind) && (!event.library || event.library === this.library));
  /// What is used is counted anew where there is no quota; so it is asked for only where it shows.
  private readonly summary = new Live(this, async () => {
    if (this.tab !== "summary") return undefined;
    const [quota, stores] = await Promise.all([get<Quota>(`/quire/quota/libraries/${segment(this.library)}`), get<Datastore[]>("/vcenter/datastore").catch(() => [])]);
    return { quota, stores };
  }, (event) => /^(item\.|update_session\.|quota\.)/.test(event.kind) && (!event.library || event.library === this.library));
  private readonly dropped = new DropArea(this, () => this.adds, (picked) => confirmItems(this.library, picked));
  private readonly may = new Live(this, () => mayOn(this.library), (event) => event.kind.startsWith("permission.") || event.kind.startsWith("role."));
  private readonly columns: Column<ItemSummary>[] = [
    { key: "name", label: "Name", width: "minmax(220px,2fr)", sort: (row) => row.name, text: (row) => row.name, cell: (row) => html`${icon(typeIcon(row.type))}<a href=${href("items", row.library_item)}>${row.name}</a>` },
    { key: "type", label: "Type", width: "90px", sort: (row) => row.type, text: (row) => row.type, cell: (row) => typeName(row.type) },
    { key: "size", label: "Size", width: "110px", end: true, sort: (row) => row.size, cell: (row) => (row.size ? bytes(row.size) : this.subscribed ? "" : badge("quiet", "Empty")) },
    { key: "version", label: "Version", width: "90px", end: true, sort: (row) => Number(row.content_version), cell: (row) => row.content_version },
    { key: "signature", label: "Signature", width: "140px", sort: (row) => row.signature ?? "", cell: (row) => signatureBadge(row.signature) },
    { key: "held", label: "Being updated by", width: "minmax(180px,1fr)", sort: (row) => row.held_by?.user ?? "", text: (row) => row.held_by?.user ?? "", cell: (row) => (row.held_by ? html`<a href=${href("sessions", row.held_by.update_session)}>${row.held_by.user}</a>` : "") },
    { key: "modified", label: "Changed", width: "190px", sort: (row) => row.last_modified_time, cell: (row) => time(row.last_modified_time) },
  ];
  private readonly subscribedColumns: Column<ItemSummary>[] = this.columns.map((column) => (column.key !== "held" ? column
    : { key: "cached", label: "Content", width: "140px", sort: (row) => (isCached(row) ? 0 : 1), text: (row) => (isCached(row) ? "Here" : "Not here yet"), cell: (row) => cachedBadge(isCached(row)) }));

  constructor() {
    super();
    this.marked = new Set();
  }

  protected override updated(changes: PropertyValues) {
    if (changes.has("library") && changes.get("library") !== undefined) {
      this.about.value = undefined;
      this.items.value = undefined;
      this.marked = new Set();
      for (const live of [this.about, this.items, this.may]) void live.reload();
    }
    if (changes.get("library") !== undefined || changes.get("tab") !== undefined) void this.summary.reload();
    if (this.about.value) document.title = `${this.about.value.name} – Quire`;
  }

  private get subscribed() { return this.about.value?.type === "SUBSCRIBED"; }
  private get adds() { return this.about.value?.type === "LOCAL" && this.allowed("ContentLibrary.AddLibraryItem"); }
  private allowed(privilege: string) { return this.may.value?.has(privilege) ?? false; }

  private async add(folder: boolean) { await confirmItems(this.library, await chooseFiles(folder)); }

  private async deleteItems(items: ItemSummary[]) {
    const gone = await ask({
      title: items.length === 1 ? `Delete ${items[0]!.name}` : `Delete ${plural(items.length, "item")}`, danger: true, confirm: "Delete",
      intro: `${items.length === 1 ? "It goes" : "They go"} with all versions and what is being uploaded. This cannot be taken back.`,
      run: async () => {
        for (const { library_item } of items) await remove(`/content/library/item/${library_item}`);
        changed("item.deleted");
      },
    });
    if (gone) this.marked = new Set();
  }

  private async maintenance(library: LibrarySummary) {
    const enter = library.state === "ACTIVE";
    await post(`/content/library/${library.library}?action=${enter ? "enter" : "exit"}-maintenance`);
    changed("library.updated");
  }

  private renderItems() {
    const all = this.items.value;
    const marked = (all ?? []).filter((item) => this.marked.has(item.library_item));
    const { adds, subscribed } = this;
    const ways = html`${button("upload", "Upload files", () => attempt(() => this.add(false)), { primary: true, disabled: !adds })}${button("upload", "Upload a folder", () => attempt(() => this.add(true)), { disabled: !adds })}${button("link", "Add from a URL", () => attempt(() => addFromUrl(this.library)), { disabled: !adds })}`;
    if (this.items.error && !all) return problem(this.items.error, () => this.items.reload());
    const copy = button("copy", "Copy", () => attempt(() => copyItem(this.library, marked[0]!)), { disabled: marked.length !== 1 });
    const actions = subscribed
      ? html`${this.allowed("ContentLibrary.SyncLibraryItem") ? button("refresh", "Sync", () => attempt(() => syncItems(marked)), { disabled: !marked.length }) : nothing}${this.allowed("ContentLibrary.EvictLibraryItem") ? button("close", "Evict", () => attempt(() => evictItems(marked)), { disabled: !marked.some(isCached) }) : nothing}${copy}`
      : html`${all?.length ? ways : nothing}${button("edit", "Edit", () => attempt(() => editItem(marked[0]!)), { disabled: marked.length !== 1 })}${copy}${button("trash", "Delete", () => attempt(() => this.deleteItems(marked)), { disabled: !marked.length })}`;
    return html`${subscribed ? html`<q-subscription .library=${this.library} .may=${this.may.value} brief></q-subscription>` : nothing}
      <q-table label="Items" .columns=${subscribed ? this.subscribedColumns : this.columns} .rows=${all} .keyOf=${(row: ItemSummary) => row.library_item} filterable .marked=${this.marked} @mark=${(event: CustomEvent<Set<string>>) => { this.marked = event.detail; }} .actions=${actions}
      .empty=${adds ? emptyState("upload", "Nothing in this library yet", "Drop an .ova, an .iso, a folder with an .ovf or any other file here, or choose it.", html`<div class="ways">${ways}</div>`)
        : subscribed ? emptyState("item", "Nothing in this library yet", "What its publisher has shows here once it is synchronized.")
          : emptyState("item", "Nothing in this library yet", "You may look at it and not add to it. Whoever administers it can give you a role.")}></q-table>`;
  }

  private renderQuota() {
    const quota = this.summary.value?.quota;
    if (!quota) return "";
    const taken = quota.bytes_used + quota.bytes_reserved;
    const limits = [quota.bytes === undefined ? "" : `${bytes(taken)} of ${bytes(quota.bytes)}`, quota.items === undefined ? "" : `${count(quota.items_used)} of ${plural(quota.items, "item")}`].filter(Boolean);
    const full = (quota.bytes !== undefined && taken >= quota.bytes) || (quota.items !== undefined && quota.items_used >= quota.items);
    return limits.length ? html`${limits.join(", ")} ${full ? badge("bad", "Full") : nothing}` : "None";
  }

  private renderSummary(library: LibrarySummary) {
    return facts([["Name", library.name], ["Description", library.description || "None"], ["Identifier", html`<code>${library.library}</code>`], ["Type", words(library.type)], ["State", words(library.state)], ["Items", library.items],
      ["Size", bytes(library.size)], ["Quota", this.renderQuota()], ["Storage", html`<a href=${href("storage")}>${this.summary.value?.stores.find(({ datastore }) => datastore === library.datastore)?.name ?? library.datastore}</a>`], ["Security policy", library.security_policy ? "Signed packages only" : "None"], ["Created", time(library.creation_time)], ["Properties changed", time(library.last_modified_time)]]);
  }

  protected override render() {
    const library = this.about.value;
    if (!library) return this.about.error ? html`${title([{ label: "Libraries", href: href("libraries") }], "library", "Library")}${problem(this.about.error, this.about.status === 404 ? undefined : () => this.about.reload())}` : html`<div class="loading" aria-busy="true"></div>`;
    const kind = this.subscribed ? "Subscribed" : "Local";
    const following = this.subscribed ? "subscription" : "publication";
    return html`${title([{ label: "Libraries", href: href("libraries") }], "library", library.name, html`${this.subscribed ? badge("quiet", "Subscribed") : nothing}${library.state === "MAINTENANCE" ? badge("busy", "Maintenance") : nothing}
        ${this.allowed(`ContentLibrary.Update${kind}Library`) ? button("edit", "Edit", () => attempt(() => editLibrary(library))) : nothing}
        ${this.allowed("ContentLibrary.LibraryMaintenance") ? button("tools", library.state === "ACTIVE" ? "Enter maintenance" : "Leave maintenance", () => attempt(() => this.maintenance(library))) : nothing}
        ${this.allowed(`ContentLibrary.Delete${kind}Library`) ? button("trash", "Delete", () => attempt(async () => { if (await deleteLibraries([library])) go(href("libraries")); })) : nothing}`)}
      ${tabs("Library", ["items", following, "summary", "permissions"].map((id) => ({ id, label: words(id), href: id === "items" ? href("libraries", this.library) : href("libraries", this.library, id) })), this.tab)}
      ${this.tab === "summary" ? this.renderSummary(library) : this.tab === "permissions" ? html`<q-permissions .library=${this.library}></q-permissions>`
        : this.tab === "subscription" ? html`<q-subscription .library=${this.library} .may=${this.may.value}></q-subscription>`
        : this.tab === "publication" ? html`<q-publication .library=${this.library} .may=${this.may.value}></q-publication>` : this.renderItems()}
      ${this.dropped.render(`Drop to add to ${library.name}`)}`;
  }
}
customElements.define("q-library", Library);

export const editItem = (item: { library_item: string; name: string; description: string }) => ask({
  title: `Edit ${item.name}`, confirm: "Save", fields: [{ name: "name", label: "Name", value: item.name, required: true }, { name: "description", label: "Description", kind: "area", value: item.description }],
  run: async (values) => {
    await patch(`/content/library/item/${item.library_item}`, { name: values.name, description: values.description });
    changed("item.updated");
  },
});

export async function copyItem(library: string, item: { library_item: string; name: string; size: number }) {
  const libraries = (await listLibraries()).filter(({ type }) => type === "LOCAL");
  if (!libraries.length) throw new Error("Subscribed libraries take no copies, and there are no others. Make a library first.");
  await ask({
    title: `Copy ${item.name}`, confirm: "Copy", intro: "Within one storage nothing is stored twice. To another storage a task copies.",
    fields: [{ name: "library", label: "Into the library", kind: "choice", value: library, options: libraries.map((one) => ({ value: one.library, label: one.name })) }, { name: "name", label: "Name of the copy", value: `${item.name} copy`, required: true }],
    run: async (values) => {
      const copy = await post<string>(`/content/library/item/${segment(item.library_item)}?action=copy`, { library_id: values.library, name: values.name }, { client_token: clientToken() });
      changed("item.created");
      const made = await get<Item>(`/content/library/item/${segment(copy)}`).catch(() => undefined);  // its task may have failed by now
      const under = item.size > 0 && !made?.size;
      done(under ? `${values.name} is being copied to another storage. Tasks shows how far it is.` : `${values.name} is a copy of ${item.name} now.`);
    },
  });
}
