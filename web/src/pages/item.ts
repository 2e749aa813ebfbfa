import { html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { get, post, remove, segment } from "../api.js";
import { bytes, plural, time } from "../format.js";
import { changed, Live } from "../live.js";
import type { Change, Item as ItemModel, ItemFile, LibrarySummary, Package, SessionSummary, Synchronization } from "../model.js";
import { go, href } from "../navigation.js";
import { badge, button, emptyState, facts, iconButton, problem, tabs, title, typeIcon } from "../parts/bits.js";
import { ask, show } from "../parts/dialog.js";
import { DropArea } from "../parts/drop.js";
import { icon } from "../parts/icon.js";
import { attempt, done } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";
import type { Picked } from "../picked.js";
import { mayOn } from "../session.js";
import { uploadInto } from "../uploads.js";
import { addFromUrl, chooseFiles, copyItem, editItem, signatureBadge, typeName } from "./library.js";
import { cachedBadge, evictItems, isCached, syncItems } from "./subscription.js";

/// The browser loads them itself, by links that the server gives out for a while.
export async function download(item: string, names: string[]) {
  const session = await post<string>("/content/library/item/download-session", { library_item_id: item });
  for (const name of names) {
    const file = await post<{ status: string; download_endpoint?: { uri: string }; error_message?: { default_message: string } }>(`/content/library/item/download-session/${session}/file?action=prepare`, { file_name: name });
    if (!file.download_endpoint) throw new Error(file.error_message?.default_message ?? `${name} cannot be downloaded now. Try again in a moment.`);
    const link = document.createElement("a");
    link.href = new URL(file.download_endpoint.uri).pathname;
    link.download = name.split("/").pop()!;
    link.hidden = true;
    document.body.append(link);
    link.click();
    link.remove();
    if (names.length > 1) await new Promise((resolve) => setTimeout(resolve, 400));  // browsers drop downloads that come at once
  }
  done(names.length === 1 ? `${names[0]} is being downloaded by the browser.` : `${plural(names.length, "file")} are being downloaded by the browser.`);
}

// CIM_OperatingSystem.OSType, as far as descriptors of today use it.
const systems: Record<string, string> = {
  "CIM 36": "Linux", "CIM 79": "Red Hat Enterprise Linux", "CIM 80": "Red Hat Enterprise Linux 64-bit", "CIM 82": "SUSE", "CIM 83": "SUSE 64-bit", "CIM 93": "Ubuntu", "CIM 94": "Ubuntu 64-bit", "CIM 95": "Debian", "CIM 96": "Debian 64-bit",
  "CIM 99": "Linux 2.6", "CIM 100": "Linux 2.6 64-bit", "CIM 101": "Linux 64-bit", "CIM 102": "Other 64-bit", "CIM 106": "CentOS", "CIM 107": "CentOS 64-bit", "CIM 108": "Oracle Linux", "CIM 109": "Oracle Linux 64-bit",
};
const shownSignature = (item: ItemModel) => {
  const shown = signatureBadge(item.certificate_verification_info?.status);
  return shown === nothing ? "Not signed" : shown;
};

class ItemPage extends Part {
  static override properties = { item: {}, tab: {} };
  declare item: string;
  declare tab: string;
  private readonly concerns = (event: { kind: string; item?: string }) => /^(item|update_session)\./.test(event.kind) && (!event.item || event.item === this.item);
  private readonly about = new Live(this, async () => {
    const item = await get<ItemModel>(`/content/library/item/${segment(this.item)}`);
    const [library] = await get<LibrarySummary[]>("/quire/libraries", { library_id: item.library_id });
    const may = await mayOn(item.library_id);
    const sessions = may.has("ContentLibrary.UpdateSession") ? await get<SessionSummary[]>("/quire/update-sessions", { library_item_id: this.item }) : [];
    const sync = library!.type === "SUBSCRIBED" ? await get<Synchronization>(`/quire/subscribed-library/${segment(item.library_id)}/status`) : undefined;
    const trouble = sync?.problems.find(({ library_item }) => library_item === this.item)?.message.default_message;
    return { item, library: library!, may, holder: sessions.find(({ state }) => state === "ACTIVE"), trouble };
  }, (event) => this.concerns(event) || event.kind === "task.ended" || event.kind === "library.synchronized");
  private readonly files = new Live(this, () => get<ItemFile[]>(`/content/library/item/${segment(this.item)}/file`), this.concerns);
  private readonly changes = new Live(this, async () => (await get<Change[]>(`/content/library/item/${segment(this.item)}/changes`)).reverse(), this.concerns);
  private readonly package = new Live(this, async () => {
    const item = await get<ItemModel>(`/content/library/item/${segment(this.item)}`);
    return item.type.toLowerCase() === "ovf" && item.size > 0 ? get<Package>(`/quire/items/${segment(this.item)}/package`) : undefined;
  }, (event) => this.concerns(event) || event.kind.startsWith("trusted_certificate."));
  private readonly fileColumns: Column<ItemFile>[] = [
    { key: "name", label: "Name", width: "minmax(200px,1.5fr)", sort: (row) => row.name, text: (row) => row.name, cell: (row) => html`${icon("file")}<span>${row.name}</span>` },
    { key: "size", label: "Size", width: "110px", end: true, sort: (row) => row.size, cell: (row) => bytes(row.size) },
    { key: "version", label: "Version", width: "90px", end: true, sort: (row) => Number(row.version), cell: (row) => row.version },
    { key: "digest", label: "Digest", width: "minmax(220px,2fr)", text: (row) => row.checksum_info?.checksum ?? "", cell: (row) => html`<code title=${row.checksum_info?.checksum ?? ""}>${row.checksum_info ? `${row.checksum_info.algorithm ?? "SHA1"} ${row.checksum_info.checksum}` : ""}</code>` },
    { key: "get", label: "Actions", width: "110px", cell: (row) => html`${this.mayDownload && this.about.value?.item.cached !== false ? iconButton("download", `Download ${row.name}`, () => attempt(() => download(this.item, [row.name]))) : nothing}${iconButton("copy", `Copy the digest of ${row.name}`, () => attempt(() => navigator.clipboard.writeText(row.checksum_info?.checksum ?? ""), "Digest copied."))}` },
  ];
  private readonly changeColumns: Column<Change>[] = [
    { key: "version", label: "Version", width: "100px", end: true, sort: (row) => Number(row.version), cell: (row) => row.version },
    { key: "time", label: "Time", width: "220px", sort: (row) => row.time, cell: (row) => time(row.time) },
    { key: "user", label: "By", width: "minmax(180px,1fr)", sort: (row) => row.user ?? "", text: (row) => row.user ?? "", cell: (row) => row.user ?? "" },
    { key: "what", label: "What", width: "minmax(180px,2fr)", cell: (row) => row.short_message || (row.version === "1" ? "Made" : "New content") },
  ];

  private readonly dropped = new DropArea(this, () => this.mayUpdate, (picked) => this.replaceContent(picked));

  protected override updated(changes: PropertyValues) {
    if (changes.has("item") && changes.get("item") !== undefined) for (const live of [this.about, this.files, this.changes, this.package]) { live.value = undefined; void live.reload(); }
    if (this.about.value) document.title = `${this.about.value.item.name} – Quire`;
  }

  private get mayDownload() { return this.about.value?.may.has("ContentLibrary.DownloadSession") ?? false; }
  private get subscribed() { return this.about.value?.library.type === "SUBSCRIBED"; }
  private get mayUpdate() { return !this.subscribed && (this.about.value?.may.has("ContentLibrary.UpdateSession") ?? false); }

  private async replaceContent(picked: Picked[]) {
    const { item } = this.about.value!;
    if (!picked.length) return;
    const size = picked.reduce((sum, { file }) => sum + file.size, 0);
    const package_ = item.type.toLowerCase() === "ovf";
    await ask({
      title: `New content of ${item.name}`, confirm: "Upload",
      intro: `${picked.length === 1 ? picked[0]!.file.name : plural(picked.length, "file")}, ${bytes(size)}. Who downloads meanwhile gets what is there now; the new content shows when all of it has come.`,
      fields: [{ name: "replace", label: "Take away files that are not among these", kind: "check", value: package_ || (this.files.value?.length ?? 0) === 0 }],
      run: (values) => uploadInto(item.library_id, item.id, item.name, picked, values.replace),
    });
  }

  private renderHolder() {
    const holder = this.about.value?.holder;
    if (!holder) return nothing;
    return html`<div class="alert info">${icon("info")}<span>${holder.user} is updating this item since ${time(holder.created)}. <a href=${href("sessions", holder.update_session)}>Look at the update session</a></span></div>`;
  }

  private renderPackage() {
    const info = this.package.value;
    if (this.package.error && !info) return problem(this.package.error, () => this.package.reload());
    if (!info) return html`<div class="loading" aria-busy="true"></div>`;
    const { product, signer } = info;
    const signed = signer?.certificates[0];
    return html`<div class="cards two">
      <section class="card"><h2>Package</h2>${facts([["Name", info.name ?? ""], product.name ? ["Product", [product.name, product.version].filter(Boolean).join(" ")] : undefined, product.vendor ? ["Vendor", product.vendor] : undefined,
        ["Operating system", info.operating_systems.map((system) => systems[system] ?? system).join(", ") || "Not said"], info.annotation ? ["Note", html`<span class="text">${info.annotation}</span>`] : undefined])}</section>
      <section class="card"><h2>Signature</h2>${signer ? facts([["Judgement", signatureBadge(signer.status)], signed ? ["Signed by", signed.subject] : undefined, signed ? ["Vouched for by", signed.issuer === signed.subject ? "Nobody: it signs itself" : signed.issuer] : undefined,
        signed ? ["Valid", `${time(signed.not_before)} – ${time(signed.not_after)}`] : undefined, signed ? ["SHA-256", html`<code>${signed.sha256}</code>`] : undefined, ["Covers", signer.covers_all_files ? "Every file" : "Not every file"],
        signer.status === "UNTRUSTED" ? ["What to do", html`Trust the signer: <a href=${href("certificates")}>trusted certificates</a>`] : undefined]) : html`<p>Nobody has signed this package. Its files were compared with its manifest, if it has one, when they came.</p>`}</section>
      <section class="card"><h2>Disks</h2>${info.disks.length ? html`<ul class="lines">${info.disks.map((disk) => html`<li>${icon("storage")}<span><b>${disk.disk}</b> ${disk.capacity === undefined ? "size set at deployment" : bytes(disk.capacity)}<br><small>${disk.file ?? "empty disk"}${disk.format ? `, ${disk.format.split("#").pop()!.split("/").pop()}` : ""}</small></span></li>`)}</ul>` : html`<p>None.</p>`}</section>
      <section class="card"><h2>Networks</h2>${info.networks.length ? html`<ul class="lines">${info.networks.map((network) => html`<li>${icon("link")}<span>${network}</span></li>`)}</ul>` : html`<p>None.</p>`}</section>
      <section class="card wide"><h2>Properties</h2>${info.properties.length ? html`<table class="plain-table"><thead><tr><th scope="col">Property</th><th scope="col">Type</th><th scope="col">Default</th><th scope="col">Meaning</th></tr></thead><tbody>
        ${info.properties.map((property) => html`<tr><td>${property.label ?? property.key}<br><small><code>${property.key}</code></small></td><td>${property.type}</td><td>${property.value || "None"}</td><td>${property.description ?? ""}</td></tr>`)}</tbody></table>` : html`<p>Nothing is asked when it is deployed.</p>`}</section>
      ${info.eulas.length ? html`<section class="card wide"><h2>Licence agreement</h2>${info.eulas.map((text, index) => html`<button class="flat" @click=${() => show("Licence agreement", html`<div class="text">${text}</div>`, true)}>Read${info.eulas.length > 1 ? ` part ${index + 1}` : ""} (${plural(text.length, "letter")})</button>`)}</section>` : nothing}</div>`;
  }

  private renderFiles() {
    const files = this.files.value;
    if (this.files.error && !files) return problem(this.files.error, () => this.files.reload());
    return html`<q-table label="Files" .columns=${this.fileColumns.slice()} .rows=${files} .keyOf=${(row: ItemFile) => row.name} filterable
      .empty=${this.mayUpdate ? emptyState("upload", "This item has no content yet", "Drop its files here, or choose them.", html`<div class="ways">${this.renderUpdate(true)}</div>`) : emptyState("file", "This item has no content yet", this.subscribed ? "Its publisher has not given it any." : "Somebody who may change it has to upload its files.")}></q-table>`;
  }
  private renderUpdate(primary: boolean) {
    const { item } = this.about.value!;
    return html`${button("upload", "Upload files", () => attempt(async () => this.replaceContent(await chooseFiles(false))), { primary })}${button("link", "From a URL", () => attempt(() => addFromUrl(item.library_id, { id: item.id, name: item.name })))}`;
  }

  protected override render() {
    const about = this.about.value;
    if (!about) return this.about.error ? html`${title([{ label: "Libraries", href: href("libraries") }], "item", "Item")}${problem(this.about.error, this.about.status === 404 ? undefined : () => this.about.reload())}` : html`<div class="loading" aria-busy="true"></div>`;
    const { item, library, may } = about;
    const files = this.files.value ?? [];
    const summary = { library_item: item.id, name: item.name, description: item.description, size: item.size, cached: item.cached };
    const ovf = item.type.toLowerCase() === "ovf" && item.size > 0;
    const { subscribed } = this;
    const cached = isCached(summary);
    const all = [{ id: "files", label: "Files", href: href("items", this.item) }, ...(ovf ? [{ id: "package", label: "Package", href: href("items", this.item, "package") }] : []), { id: "history", label: "History", href: href("items", this.item, "history") }];
    return html`${title([{ label: "Libraries", href: href("libraries") }, { label: library.name, href: href("libraries", library.library) }], typeIcon(item.type), item.name, html`
        ${files.length && (cached || !subscribed) && may.has("ContentLibrary.DownloadSession") ? button("download", files.length === 1 ? "Download" : "Download all", () => attempt(() => download(item.id, files.map(({ name }) => name))), { primary: true }) : nothing}
        ${subscribed && may.has("ContentLibrary.SyncLibraryItem") ? button("refresh", "Sync", () => attempt(() => syncItems([summary])), { primary: !cached }) : nothing}
        ${subscribed && cached && may.has("ContentLibrary.EvictLibraryItem") ? button("close", "Evict", () => attempt(() => evictItems([summary]))) : nothing}
        ${this.mayUpdate && files.length ? this.renderUpdate(false) : nothing}
        ${!subscribed && may.has("ContentLibrary.UpdateLibraryItem") ? button("edit", "Edit", () => attempt(() => editItem(summary))) : nothing}
        ${button("copy", "Copy", () => attempt(() => copyItem(item.library_id, summary)))}
        ${!subscribed && may.has("ContentLibrary.DeleteLibraryItem") ? button("trash", "Delete", () => attempt(() => this.deleteItem())) : nothing}`)}
      ${this.renderHolder()}${about.trouble ? problem(`This item is not as its publisher has it. ${about.trouble}`) : nothing}
      ${facts([["Type", typeName(item.type)], subscribed && ["Content", cachedBadge(cached)], ["Size", bytes(item.size)], ["Content version", item.content_version], ["Changed", time(item.last_modified_time)], ["Created", time(item.creation_time)],
        ovf && ["Signature", shownSignature(item)], item.security_compliance ? undefined : ["Security policy", badge("bad", "Not met")], item.description ? ["Description", item.description] : undefined])}
      ${tabs("Item", all, this.tab)}
      ${this.tab === "package" && ovf ? this.renderPackage() : this.tab === "history" ? html`<q-table label="History" .columns=${this.changeColumns} .rows=${this.changes.value} .keyOf=${(row: Change) => row.version} .empty=${emptyState("clock", "No history yet", "Each new content becomes a version here.")}></q-table>` : this.renderFiles()}
      ${this.dropped.render(`Drop for new content of ${item.name}`)}`;
  }

  private async deleteItem() {
    const { item } = this.about.value!;
    const gone = await ask({
      title: `Delete ${item.name}`, danger: true, confirm: "Delete", intro: `It goes with all versions, ${bytes(item.size)}. This cannot be taken back.`,
      run: () => remove(`/content/library/item/${item.id}`),
    });
    if (!gone) return;
    changed("item.deleted");
    go(href("libraries", item.library_id));
  }
}
customElements.define("q-item", ItemPage);
