import { html, nothing } from "lit";
import { get } from "../api.js";
import { bytes, count, plural } from "../format.js";
import { Live } from "../live.js";
import type { Datastore, LibrarySummary } from "../model.js";
import { href } from "../navigation.js";
import { emptyState, problem, title } from "../parts/bits.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";
import { librariesChanged, listLibraries } from "./libraries.js";

const named = 7;  // slices of a bar with a colour of their own

/// What the storages hold, library by library.
class Storage extends Part {
  private readonly all = new Live(this, async () => ({ stores: await get<Datastore[]>("/vcenter/datastore"), libraries: (await listLibraries()).sort((a, b) => b.size - a.size) }), librariesChanged);
  private get total() { return this.all.value?.libraries.reduce((sum, library) => sum + library.size, 0) ?? 0; }
  private readonly columns: Column<LibrarySummary>[] = [
    { key: "name", label: "Library", width: "minmax(200px,2fr)", sort: (row) => row.name, text: (row) => row.name, cell: (row) => html`<a href=${href("libraries", row.library)}>${row.name}</a>` },
    { key: "storage", label: "Storage", width: "minmax(120px,1fr)", sort: (row) => this.storeName(row.datastore), text: (row) => this.storeName(row.datastore), cell: (row) => this.storeName(row.datastore) },
    { key: "items", label: "Items", width: "90px", end: true, sort: (row) => row.items, cell: (row) => count(row.items) },
    { key: "size", label: "Size", width: "110px", end: true, sort: (row) => row.size, cell: (row) => bytes(row.size) },
    { key: "share", label: "Share of all libraries", width: "minmax(180px,2fr)", sort: (row) => row.size, cell: (row) => { const share = this.total ? (row.size * 100) / this.total : 0; return html`<span class="share" aria-hidden="true"><i .style=${`width:${share}%`}></i></span><span class="amount">${share.toFixed(share < 10 ? 1 : 0)} %</span>`; } },
  ];
  private storeName(id: string) { return this.all.value?.stores.find(({ datastore }) => datastore === id)?.name ?? id; }

  private store(store: Datastore, libraries: LibrarySummary[]) {
    const own = libraries.filter(({ datastore, size }) => datastore === store.datastore && size > 0);
    const capacity = store.capacity ?? 0;
    const free = store.free_space ?? 0;
    const shown = own.slice(0, named).map(({ name, size, library }) => ({ name, size, link: href("libraries", library) }));
    const rest = own.slice(named);
    if (rest.length) shown.push({ name: plural(rest.length, "other library", "other libraries"), size: rest.reduce((sum, { size }) => sum + size, 0), link: "" });
    const content = shown.reduce((sum, { size }) => sum + size, 0);
    const other = Math.max(0, capacity - free - content);
    const scale = Math.max(capacity, content + free) || 1;
    const width = (size: number) => `width:${(size * 100) / scale}%`;
    return html`<section class="card wide"><h2>${store.name}</h2>
      ${store.capacity === undefined ? problem("This storage cannot be asked. Look whether its folder is there and can be read; the server's log tells more.") : html`
        <p>${bytes(free)} free of ${bytes(capacity)}</p>
        <div class="stack" role="img" aria-label="${store.name}: ${shown.map(({ name, size }) => `${name} ${bytes(size)}`).concat(other ? [`anything else ${bytes(other)}`] : [], `free ${bytes(free)}`).join(", ")}">
          ${shown.map(({ size }, index) => html`<i class="slice-${index}" .style=${width(size)}></i>`)}<i class="other" .style=${width(other)}></i></div>
        <ul class="legend">${shown.map(({ name, size, link }, index) => html`<li><i class="slice-${index}"></i>${link ? html`<a href=${link}>${name}</a>` : name} <span>${bytes(size)}</span></li>`)}
          ${other ? html`<li><i class="other"></i>Anything else on this disk <span>${bytes(other)}</span></li>` : nothing}<li><i class="free"></i>Free <span>${bytes(free)}</span></li></ul>`}</section>`;
  }

  protected override render() {
    const all = this.all.value;
    if (!all) return html`${title([], "storage", "Storage")}${this.all.error ? problem(this.all.error, () => this.all.reload()) : html`<div class="loading" aria-busy="true"></div>`}`;
    return html`${title([], "storage", "Storage")}<div class="cards">${all.stores.map((store) => this.store(store, all.libraries))}</div>
      <p class="remark">Sizes of libraries are what their items come to. The same bytes in several items of a storage are stored once, so a disk may hold less.</p>
      <q-table label="Use by library" .columns=${this.columns.slice()} .rows=${all.libraries} .keyOf=${(row: LibrarySummary) => row.library} filterable
        .empty=${emptyState("storage", "Nothing is stored yet", html`Make a library and upload something: <a href=${href("libraries")}>libraries</a>.`)}></q-table>`;
  }
}
customElements.define("q-storage", Storage);
