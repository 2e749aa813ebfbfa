import { html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { get, put, remove } from "../api.js";
import { changed, kinds, Live } from "../live.js";
import type { LibrarySummary, Permission, Role } from "../model.js";
import { href } from "../navigation.js";
import { badge, button, emptyState, iconButton, problem } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import { attempt } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";
import { listLibraries } from "./libraries.js";

/// Who has which role: everywhere, or on one library.
class Permissions extends Part {
  static override properties = { library: {} };
  declare library: string;
  private readonly all = new Live(this, async () => {
    const [permissions, roles, libraries] = await Promise.all([get<Permission[]>("/quire/access/permissions", { library_id: this.library || undefined }), get<Role[]>("/quire/access/roles"), this.library ? Promise.resolve<LibrarySummary[]>([]) : listLibraries()]);
    return { permissions, roles, libraries };
  }, kinds("permission.", "role.", "user.", "group."));
  private readonly columns: Column<Permission>[] = [
    { key: "who", label: "User or group", width: "minmax(200px,1.5fr)", sort: (row) => row.principal, text: (row) => row.principal, cell: (row) => html`${row.principal} ${row.type === "GROUP" ? badge("quiet", "Group") : nothing}` },
    { key: "role", label: "Role", width: "minmax(160px,1fr)", sort: (row) => this.roleName(row.role), text: (row) => this.roleName(row.role), cell: (row) => this.roleName(row.role) },
    { key: "on", label: "On", width: "minmax(160px,1fr)", sort: (row) => this.place(row), text: (row) => this.place(row), cell: (row) => (row.library_id ? html`<a href=${href("libraries", row.library_id)}>${this.place(row)}</a>` : this.place(row)) },
    { key: "below", label: "Reaches", width: "180px", cell: (row) => (row.propagate ? (row.library_id ? "Library and items" : "Everything below") : "This alone") },
    { key: "act", label: "Actions", width: "80px", cell: (row) => iconButton("trash", `Take the role of ${row.principal} away`, () => attempt(() => this.take(row))) },
  ];
  constructor() {
    super();
    this.library = "";
  }
  protected override updated(changes: PropertyValues) { if (changes.has("library") && changes.get("library")) void this.all.reload(); }
  private roleName(id: string) { return this.all.value?.roles.find(({ role }) => role === id)?.name ?? id; }
  private place(row: Permission) { return !row.library_id ? "Everything (root)" : this.all.value?.libraries.find(({ library }) => library === row.library_id)?.name ?? (row.library_id === this.library ? "This library" : row.library_id); }

  private async give() {
    const [users, groups] = await Promise.all([get<string[]>("/quire/access/users").catch(() => []), get<string[]>("/quire/access/groups").catch(() => [])]);
    const { roles, libraries } = this.all.value!;
    const names = [...users.map((name) => ({ value: `USER ${name}`, label: name })), ...groups.map((name) => ({ value: `GROUP ${name}`, label: `${name} (group)` }))];
    await ask({
      title: "Give a role", confirm: "Give",
      fields: [
        { name: "who", label: "User or group", kind: "choice", options: names }, { name: "role", label: "Role", kind: "choice", options: roles.map(({ role, name }) => ({ value: role, label: name })) },
        ...(this.library ? [] : [{ name: "library", label: "On", kind: "choice" as const, options: [{ value: "", label: "Everything (root)" }, ...libraries.map(({ library, name }) => ({ value: library, label: name }))] }]),
        { name: "propagate", label: "And on what is below", kind: "check", value: true },
      ],
      run: async (values) => {
        const [type, ...name] = values.who.split(" ");
        const library = this.library || values.library;
        await put("/quire/access/permissions", { principal: name.join(" "), type, role: values.role, propagate: values.propagate, ...(library ? { library_id: library } : {}) });
        changed("permission.set");
      },
    });
  }
  private take(row: Permission) {
    return ask({
      title: "Take the role away?", danger: true, confirm: "Take away", intro: `${row.principal} is no longer ${this.roleName(row.role)} on ${this.place(row)}.`,
      run: async () => {
        await remove("/quire/access/permissions", { principal: row.principal, type: row.type, library_id: row.library_id });
        changed("permission.deleted");
      },
    });
  }
  protected override render() {
    const all = this.all.value;
    if (this.all.error && !all) return problem(this.all.error, () => this.all.reload());
    const give = button("add", "Give a role", () => attempt(() => this.give()), { primary: true });
    return html`<q-table label="Permissions" .columns=${this.columns.slice()} .rows=${all?.permissions} .keyOf=${(row: Permission) => `${row.type} ${row.principal} ${row.library_id ?? ""}`} filterable .actions=${all?.permissions.length ? give : nothing}
      .empty=${emptyState("key", "Nobody has a role here", this.library ? "Roles on everything count here too. Give one that counts on this library alone." : "Give a user or a group a role.", give)}></q-table>`;
  }
}
customElements.define("q-permissions", Permissions);
