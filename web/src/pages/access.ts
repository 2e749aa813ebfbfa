import { html, nothing } from "lit";
import { get, getThose, patch, post, remove, segment } from "../api.js";
import { plural, time } from "../format.js";
import { changed, kinds, Live } from "../live.js";
import type { Group, Role, Token, User } from "../model.js";
import { href } from "../navigation.js";
import { badge, button, emptyState, iconButton, problem, tabs, title } from "../parts/bits.js";
import { ask } from "../parts/dialog.js";
import { attempt } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";
import { may } from "../session.js";
import { listLibraries } from "./libraries.js";
import "./permissions.js";

const access = "/quire/access";
const named = (path: string, name: string) => `${access}/${path}/${segment(name)}`;
const sure = (title_: string, intro: string, confirm: string, run: () => Promise<unknown>) => ask({ title: title_, intro, confirm, danger: true, run });
const privilegeNames = async () => (await get<{ privilege: string }[]>(`${access}/privileges`)).map(({ privilege }) => privilege);
const all = async <T>(path: string) => getThose<T>((await get<string[]>(`${access}/${path}`)).map((name) => named(path, name)));

export const changePassword = () => ask({
  title: "Change your password", confirm: "Change", intro: "All your other logins end. API tokens stay.",
  fields: [{ name: "old", label: "Password now", kind: "password", required: true, autocomplete: "current-password" }, { name: "new", label: "New password", kind: "password", required: true, autocomplete: "new-password" }],
  run: (values) => post(`${access}/users?action=change-password`, { old_password: values.old, new_password: values.new }),
});

class Users extends Part {
  private readonly users = new Live(this, () => all<User>("users"), kinds("user.", "group."));
  private readonly columns: Column<User>[] = [
    { key: "name", label: "Name", width: "minmax(220px,1.5fr)", sort: (row) => row.name, text: (row) => row.name, cell: (row) => html`${row.name} ${row.enabled ? nothing : badge("bad", "Disabled")}` },
    { key: "description", label: "Description", width: "minmax(160px,1.5fr)", text: (row) => row.description, cell: (row) => row.description },
    { key: "groups", label: "Groups", width: "minmax(140px,1fr)", text: (row) => row.groups.join(" "), cell: (row) => row.groups.join(", ") },
    { key: "act", label: "Actions", width: "160px", cell: (row) => html`${iconButton("edit", `Edit ${row.name}`, () => attempt(() => this.edit(row)))}${iconButton("key", `Set the password of ${row.name}`, () => attempt(() => this.password(row)))}${iconButton("trash", `Delete ${row.name}`, () => attempt(() => this.delete_(row)))}` },
  ];
  private create() {
    return ask({
      title: "New user", confirm: "Create", intro: "A new user may log in and sees nothing until somebody gives them a role.",
      fields: [{ name: "name", label: "Name", required: true, hint: "As in carol@vsphere.local." }, { name: "password", label: "Password", kind: "password", required: true, autocomplete: "new-password" }, { name: "description", label: "Description" }],
      run: async (values) => { await post(`${access}/users`, { name: values.name, password: values.password, description: values.description }); changed("user.created"); },
    });
  }
  private edit(user: User) {
    return ask({
      title: `Edit ${user.name}`, confirm: "Save", fields: [{ name: "description", label: "Description", value: user.description }, { name: "enabled", label: "May log in", kind: "check", value: user.enabled, hint: "Without it all logins and sessions of the user end." }],
      run: async (values) => { await patch(named("users", user.name), { description: values.description, enabled: values.enabled }); changed("user.updated"); },
    });
  }
  private password(user: User) {
    return ask({
      title: `Set the password of ${user.name}`, confirm: "Set", intro: "All logins of the user end.", fields: [{ name: "password", label: "New password", kind: "password", required: true, autocomplete: "new-password" }],
      run: (values) => post(`${named("users", user.name)}?action=set-password`, { new_password: values.password }),
    });
  }
  private delete_(user: User) {
    return sure(`Delete ${user.name}`, "The user's permissions, logins and sessions go too.", "Delete", async () => { await remove(named("users", user.name)); changed("user.deleted"); });
  }
  protected override render() {
    if (this.users.error && !this.users.value) return problem(this.users.error, () => this.users.reload());
    return html`<q-table label="Users" .columns=${this.columns} .rows=${this.users.value} .keyOf=${(row: User) => row.name} filterable .actions=${button("add", "New user", () => attempt(() => this.create()), { primary: true })}></q-table>`;
  }
}
customElements.define("q-users", Users);

class Groups extends Part {
  private readonly groups = new Live(this, () => all<Group>("groups"), kinds("group.", "user."));
  private readonly columns: Column<Group>[] = [
    { key: "name", label: "Name", width: "minmax(180px,1fr)", sort: (row) => row.name, text: (row) => row.name, cell: (row) => row.name },
    { key: "description", label: "Description", width: "minmax(160px,1.5fr)", text: (row) => row.description, cell: (row) => row.description },
    { key: "members", label: "Members", width: "minmax(180px,2fr)", text: (row) => row.members.join(" "), cell: (row) => row.members.join(", ") },
    { key: "act", label: "Actions", width: "110px", cell: (row) => html`${iconButton("edit", `Edit ${row.name}`, () => attempt(() => this.edit(row)))}${iconButton("trash", `Delete ${row.name}`, () => attempt(() => sure(`Delete ${row.name}`, "Its permissions go, its users stay.", "Delete", async () => { await remove(named("groups", row.name)); changed("group.deleted"); })))}` },
  ];
  private async edit(group?: Group) {
    const users = await get<string[]>(`${access}/users`);
    await ask({
      title: group ? `Edit ${group.name}` : "New group", confirm: group ? "Save" : "Create",
      fields: [...(group ? [] : [{ name: "name", label: "Name", required: true }]), { name: "description", label: "Description", value: group?.description ?? "" }, { name: "members", label: "Members", kind: "checks", value: group?.members ?? [], options: users.map((name) => ({ value: name, label: name })) }],
      run: async (values) => {
        if (group) await patch(named("groups", group.name), { description: values.description, members: values.members });
        else await post(`${access}/groups`, { name: values.name, description: values.description, members: values.members });
        changed("group.updated");
      },
    });
  }
  protected override render() {
    if (this.groups.error && !this.groups.value) return problem(this.groups.error, () => this.groups.reload());
    const create = button("add", "New group", () => attempt(() => this.edit()), { primary: true });
    return html`<q-table label="Groups" .columns=${this.columns} .rows=${this.groups.value} .keyOf=${(row: Group) => row.name} filterable .actions=${this.groups.value?.length ? create : nothing}
      .empty=${emptyState("access", "No groups yet", "A group of users gets roles together.", create)}></q-table>`;
  }
}
customElements.define("q-groups", Groups);

class Roles extends Part {
  private readonly roles = new Live(this, () => get<Role[]>(`${access}/roles`), kinds("role."));
  private readonly columns: Column<Role>[] = [
    { key: "name", label: "Name", width: "minmax(290px,1fr)", sort: (row) => row.name, text: (row) => row.name, cell: (row) => html`${row.name} ${row.system ? badge("quiet", "System") : nothing}` },
    { key: "privileges", label: "Privileges", width: "minmax(240px,3fr)", text: (row) => row.privileges.join(" "), cell: (row) => html`<span title=${row.privileges.join("\n")}>${row.privileges.length ? row.privileges.join(", ") : "None"}</span>` },
    { key: "act", label: "Actions", width: "110px", cell: (row) => (row.system ? iconButton("copy", `New role like ${row.name}`, () => attempt(() => this.edit(undefined, row.privileges))) : html`${iconButton("edit", `Edit ${row.name}`, () => attempt(() => this.edit(row)))}${iconButton("trash", `Delete ${row.name}`, () => attempt(() => sure(`Delete ${row.name}`, "Only a role that nobody has can be deleted.", "Delete", async () => { await remove(named("roles", row.role)); changed("role.deleted"); })))}`) },
  ];
  private async edit(role?: Role, like: string[] = []) {
    const names = await privilegeNames();
    await ask({
      title: role ? `Edit ${role.name}` : "New role", confirm: role ? "Save" : "Create", wide: true,
      fields: [{ name: "name", label: "Name", value: role?.name ?? "", required: true }, { name: "privileges", label: "Privileges", kind: "checks", value: role?.privileges ?? like, options: names.filter((name) => !["System.Anonymous", "System.View", "System.Read"].includes(name)).map((name) => ({ value: name, label: name })) }],
      run: async (values) => {
        if (role) await patch(named("roles", role.role), { name: values.name, privileges: values.privileges });
        else await post(`${access}/roles`, { name: values.name, privileges: values.privileges });
        changed("role.updated");
      },
    });
  }
  protected override render() {
    if (this.roles.error && !this.roles.value) return problem(this.roles.error, () => this.roles.reload());
    return html`<q-table label="Roles" .columns=${this.columns} .rows=${this.roles.value} .keyOf=${(row: Role) => row.role} filterable .actions=${button("add", "New role", () => attempt(() => this.edit()), { primary: true })}></q-table>`;
  }
}
customElements.define("q-roles", Roles);

class Tokens extends Part {
  private readonly tokens = new Live(this, () => get<Token[]>(`${access}/tokens`), kinds("api_token."));
  private readonly columns: Column<Token>[] = [
    { key: "name", label: "Name", width: "minmax(180px,1fr)", sort: (row) => row.name, text: (row) => row.name, cell: (row) => row.name },
    { key: "may", label: "May do", width: "minmax(160px,1.5fr)", cell: (row) => (row.privileges ? html`<span title=${row.privileges.join("\n")}>${row.privileges.join(", ") || "Read"}</span>` : "All that you may") },
    { key: "where", label: "Where", width: "130px", cell: (row) => (row.library_ids ? plural(row.library_ids.length, "library", "libraries") : "Everywhere") },
    { key: "used", label: "Last used", width: "200px", sort: (row) => row.last_used ?? "", cell: (row) => time(row.last_used) || "Never" },
    { key: "expires", label: "Expires", width: "200px", sort: (row) => row.expires ?? "~", cell: (row) => time(row.expires) || "Never" },
    { key: "act", label: "Actions", width: "80px", cell: (row) => iconButton("trash", `Delete ${row.name}`, () => attempt(() => sure(`Delete ${row.name}`, "Whatever uses it is refused from now on.", "Delete", async () => { await remove(named("tokens", row.token)); changed("api_token.deleted"); }))) },
  ];
  private async create() {
    const [names, libraries] = await Promise.all([privilegeNames(), listLibraries()]);
    let secret = "";
    const made = await ask({
      title: "New API token", confirm: "Create", wide: true, intro: "It stands for you, and does what you may do at that moment.",
      fields: [
        { name: "name", label: "Name", required: true, hint: "What it is for, as in nightly build." }, { name: "expires", label: "Expires", kind: "time", hint: "Empty: never." },
        { name: "limited", label: "Only the privileges below", kind: "check" }, { name: "privileges", label: "Privileges", kind: "checks", options: names.filter((name) => name.startsWith("ContentLibrary.")).map((name) => ({ value: name, label: name })) },
        { name: "libraries", label: "Only on these libraries", kind: "checks", hint: "None: everywhere.", options: libraries.map(({ library, name }) => ({ value: library, label: name })) },
      ],
      run: async (values) => {
        const token = await post<{ secret: string }>(`${access}/tokens`, {
          name: values.name, ...(values.expires ? { expires: new Date(values.expires).toISOString() } : {}), ...(values.limited ? { privileges: values.privileges } : {}), ...(values.libraries.length ? { library_ids: values.libraries } : {}),
        });
        secret = token.secret;
        changed("api_token.created");
      },
    });
    if (made) await ask({ title: "Your API token", confirm: "I have kept it", intro: html`<p>It is shown now and never again. Send it as <code>Authorization: Bearer …</code>.</p><p><code class="secret">${secret}</code> ${iconButton("copy", "Copy the token", () => attempt(() => navigator.clipboard.writeText(secret), "Token copied."))}</p>` });
  }
  protected override render() {
    if (this.tokens.error && !this.tokens.value) return problem(this.tokens.error, () => this.tokens.reload());
    const create = button("add", "New token", () => attempt(() => this.create()), { primary: true });
    return html`<q-table label="My API tokens" .columns=${this.columns} .rows=${this.tokens.value} .keyOf=${(row: Token) => row.token} .actions=${this.tokens.value?.length ? create : nothing}
      .empty=${emptyState("key", "No API tokens yet", "A pipeline gets a secret of its own instead of your password.", create)}></q-table>`;
  }
}
customElements.define("q-tokens", Tokens);

class Access extends Part {
  static override properties = { tab: {} };
  declare tab: string;
  protected override render() {
    const governs = may("Authorization.ModifyPermissions");
    const shown = [...(governs ? ["users", "groups"] : []), "roles", ...(governs ? ["permissions"] : []), "tokens"];
    const labels: Record<string, string> = { users: "Users", groups: "Groups", roles: "Roles", permissions: "Permissions", tokens: "My API tokens" };
    const tab = shown.includes(this.tab) ? this.tab : shown[0]!;
    return html`${title([], "access", "Access")}${tabs("Access", shown.map((id) => ({ id, label: labels[id]!, href: href("access", id) })), tab)}
      ${tab === "users" ? html`<q-users></q-users>` : tab === "groups" ? html`<q-groups></q-groups>` : tab === "roles" ? html`<q-roles></q-roles>` : tab === "permissions" ? html`<q-permissions></q-permissions>` : html`<q-tokens></q-tokens>`}`;
  }
}
customElements.define("q-access", Access);
