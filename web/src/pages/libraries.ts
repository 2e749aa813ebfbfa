import { html, nothing } from "lit";
import { clientToken, get, patch, post, remove } from "../api.js";
import { bytes, count, plural, time } from "../format.js";
import { changed, kinds, Live } from "../live.js";
import type { Datastore, LibrarySummary } from "../model.js";
import { go, href } from "../navigation.js";
import { badge, button, emptyState, problem, title } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import { attempt } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";
import { may } from "../session.js";
import { subscribe } from "./subscription.js";

export const librariesChanged = kinds("library.", "item.created", "item.deleted", "item.content_changed", "permission.");
export const listLibraries = () => get<LibrarySummary[]>("/quire/libraries");

const policies = () => get<{ policy: string; name: string }[]>("/content/security-policies");
const policyField = async (value?: string) => ({
  name: "policy", label: "Security policy", kind: "choice" as const, value: value ?? "", hint: "With a policy the library takes only packages that somebody you trust has signed.",
  options: [{ value: "", label: "None: take every package" }, ...(await policies()).map(({ policy, name }) => ({ value: policy, label: name }))],
});

export const storageField = async (value?: string) => ({
  name: "datastore", label: "Storage", kind: "choice" as const, value: value ?? "",
  options: (await get<Datastore[]>("/vcenter/datastore")).map((store) => ({ value: store.datastore, label: `${store.name} – ${bytes(store.free_space)} free` })),
});

export async function newLibrary() {
  const storage = await storageField();
  const policy = await policyField();
  await ask({
    title: "New library", confirm: "Create",
    fields: [
      { name: "name", label: "Name", required: true }, { name: "description", label: "Description", kind: "area" },
      storage, policy,
    ],
    run: async (values) => {
      const library = await post<string>("/content/local-library", {
        name: values.name, description: values.description, storage_backings: [{ type: "DATASTORE", datastore_id: values.datastore }],
        ...(values.policy ? { security_policy_id: values.policy } : {}),
      }, { client_token: clientToken() });
      changed("library.created");
      go(href("libraries", library));
    },
  });
}

export async function editLibrary(library: LibrarySummary) {
  const subscribed = library.type === "SUBSCRIBED";  // what it takes is its publisher's matter
  const policy = subscribed ? [] : [await policyField(library.security_policy)];
  await ask({
    title: `Edit ${library.name}`, confirm: "Save",
    fields: [{ name: "name", label: "Name", value: library.name, required: true }, { name: "description", label: "Description", kind: "area", value: library.description }, ...policy],
    run: async (values) => {
      const changes = { name: values.name, description: values.description };
      if (subscribed) await patch(`/content/subscribed-library/${library.library}`, changes);
      else await patch(`/content/library/${library.library}`, { ...changes, ...(values.policy ? { security_policy_id: values.policy } : { unset_security_policy_id: true }) });
      changed("library.updated");
    },
  });
}

export async function deleteLibraries(libraries: LibrarySummary[]): Promise<boolean> {
  const items = libraries.reduce((sum, library) => sum + library.items, 0);
  return ask({
    title: libraries.length === 1 ? `Delete ${libraries[0]!.name}` : `Delete ${plural(libraries.length, "library", "libraries")}`, danger: true, confirm: "Delete",
    intro: items ? `${plural(items, "item")} with ${bytes(libraries.reduce((sum, library) => sum + library.size, 0))} are deleted too. This cannot be taken back.` : "There are no items in it. This cannot be taken back.",
    run: async () => {
      for (const { library, type } of libraries) await remove(`/content/${type === "SUBSCRIBED" ? "subscribed-" : ""}library/${library}`);
      changed("library.deleted");
    },
  });
}

class Libraries extends Part {
  static override properties = { marked: { state: true } };
  declare marked: Set<string>;
  private readonly libraries = new Live(this, listLibraries, librariesChanged);
  private readonly columns: Column<LibrarySummary>[] = [
    { key: "name", label: "Name", width: "minmax(220px,2fr)", sort: (row) => row.name, text: (row) => row.name, cell: (row) => html`<a href=${href("libraries", row.library)}>${row.name}</a>${row.type === "SUBSCRIBED" ? badge("quiet", "Subscribed") : nothing}${row.state === "MAINTENANCE" ? badge("busy", "Maintenance") : nothing}` },
    { key: "description", label: "Description", width: "minmax(160px,2fr)", sort: (row) => row.description, text: (row) => row.description, cell: (row) => row.description },
    { key: "items", label: "Items", width: "90px", end: true, sort: (row) => row.items, cell: (row) => count(row.items) },
    { key: "size", label: "Size", width: "110px", end: true, sort: (row) => row.size, cell: (row) => bytes(row.size) },
    { key: "policy", label: "Security", width: "120px", sort: (row) => row.security_policy ?? "", cell: (row) => (row.security_policy ? badge("good", "Signed only") : "") },
    { key: "created", label: "Created", width: "190px", sort: (row) => row.creation_time, cell: (row) => time(row.creation_time) },
  ];

  constructor() {
    super();
    this.marked = new Set();
  }

  protected override render() {
    const all = this.libraries.value;
    const marked = (all ?? []).filter(({ library }) => this.marked.has(library));
    const mayCreate = may("ContentLibrary.CreateLocalLibrary");
    const maySubscribe = may("ContentLibrary.CreateSubscribedLibrary");
    const create = html`${mayCreate ? button("add", "New library", () => attempt(newLibrary), { primary: true }) : nothing}${maySubscribe ? button("link", "Subscribe", () => attempt(subscribe)) : nothing}`;
    return html`${title([], "library", "Libraries", all?.length ? create : nothing)}
      ${this.libraries.error && !all ? problem(this.libraries.error, () => this.libraries.reload()) : html`<q-table label="Libraries" .columns=${this.columns} .rows=${all} .keyOf=${(row: LibrarySummary) => row.library} filterable
        .marked=${this.marked} @mark=${(event: CustomEvent<Set<string>>) => { this.marked = event.detail; }}
        .actions=${html`${button("edit", "Edit", () => attempt(() => editLibrary(marked[0]!)), { disabled: marked.length !== 1 })}${button("trash", "Delete", () => attempt(async () => { if (await deleteLibraries(marked)) this.marked = new Set(); }), { disabled: !marked.length })}`}
        .empty=${mayCreate || maySubscribe ? emptyState("library", "No library yet", "A library holds templates, ISO images and other files. Make the first one, then drop files on it; or subscribe to one that somebody publishes.", html`<div class="ways">${create}</div>`)
          : emptyState("library", "No library that you may see", "Ask an administrator for a role on a library: Access, Permissions.")}></q-table>`}`;
  }
}
customElements.define("q-libraries", Libraries);
