import { html, nothing, render } from "lit";
import { CallError, onSignedOut, sentence } from "./api.js";
import { href, onNavigate, place, startNavigation } from "./navigation.js";
import { onStreamState, startEvents, stopEvents, streamState } from "./live.js";
import { enter, leave, may, setCurrent, whoIsIt } from "./session.js";
import type { SignedIn } from "./session.js";
import { startUploads, stopUploads } from "./uploads.js";
import { icon } from "./parts/icon.js";
import type { IconName } from "./parts/icon.js";
import { failed } from "./parts/notice.js";
import { Part } from "./parts/part.js";
import { chosenTheme, nextTheme, startTheme } from "./theme.js";
import { changePassword } from "./pages/access.js";
import "./parts/table.js";
import "./parts/dialog.js";
import "./pages/transfers.js";
import "./pages/libraries.js";
import "./pages/library.js";
import "./pages/item.js";
import "./pages/sessions.js";
import "./pages/tasks.js";
import "./pages/storage.js";
import "./pages/audit.js";
import "./pages/server.js";
import "./pages/certificates.js";

interface Section { id: string; label: string; icon: IconName; needs?: string; page: (path: string[]) => unknown }

const sections: Section[] = [
  { id: "libraries", label: "Libraries", icon: "library", page: ([, library, tab]) => (library ? html`<q-library .library=${library} .tab=${tab ?? "items"}></q-library>` : html`<q-libraries></q-libraries>`) },
  { id: "sessions", label: "Update sessions", icon: "session", page: ([, session]) => html`<q-sessions .session=${session ?? ""}></q-sessions>` },
  { id: "tasks", label: "Tasks", icon: "task", page: () => html`<q-tasks></q-tasks>` },
  { id: "storage", label: "Storage", icon: "storage", page: () => html`<q-storage></q-storage>` },
  { id: "access", label: "Access", icon: "access", page: ([, tab]) => html`<q-access .tab=${tab ?? "users"}></q-access>` },
  { id: "certificates", label: "Trusted certificates", icon: "certificate", page: () => html`<q-certificates></q-certificates>` },
  { id: "audit", label: "Audit trail", icon: "audit", needs: "Global.Diagnostics", page: () => html`<q-audit></q-audit>` },
  { id: "server", label: "Server", icon: "server", needs: "Global.Diagnostics", page: () => html`<q-server></q-server>` },
];

class App extends Part {
  static override properties = { signedIn: { state: true }, checked: { state: true }, problem: { state: true }, busy: { state: true }, menu: { state: true } };
  declare signedIn: SignedIn | undefined;
  declare checked: boolean;
  declare problem: string;
  declare busy: boolean;
  declare menu: boolean;

  constructor() {
    super();
    this.checked = false;
    this.problem = "";
    this.busy = false;
    this.menu = false;
  }

  override connectedCallback() {
    super.connectedCallback();
    onNavigate(() => {
      this.menu = false;
      this.requestUpdate();
      void this.updateComplete.then(() => this.querySelector<HTMLElement>("main")?.focus({ preventScroll: true }));
    });
    onStreamState(() => {
      if (streamState === "signed-out") this.forget("Your session has ended. Sign in again.");
      this.requestUpdate();
    });
    onSignedOut(() => this.forget(this.signedIn ? "Your session has ended. Sign in again." : ""));
    void this.check();
  }

  private async check() {
    try {
      this.accept(await whoIsIt());
    } catch (error) {
      if (error instanceof CallError && error.status === 0) this.problem = error.message;
      else if (!(error instanceof CallError && error.status === 401)) this.problem = sentence(error);
    }
    this.checked = true;
  }

  private accept(signedIn: SignedIn) {
    setCurrent(signedIn);
    this.signedIn = signedIn;
    this.problem = "";
    startEvents();
    void startUploads(signedIn.user);
  }

  private forget(problem: string) {
    if (this.signedIn) {
      stopEvents();
      stopUploads();
    }
    setCurrent(undefined);
    this.signedIn = undefined;
    this.problem = problem;
  }

  private async signIn(event: SubmitEvent) {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const user = form.querySelector<HTMLInputElement>("[name=user]")!.value.trim();
    const password = form.querySelector<HTMLInputElement>("[name=password]")!.value;
    this.busy = true;
    this.problem = "";
    try {
      this.accept(await enter(user.includes("@") ? user : `${user}@vsphere.local`, password));
    } catch (error) {
      this.problem = sentence(error);
      void this.updateComplete.then(() => this.querySelector<HTMLInputElement>("[name=password]")?.select());
    }
    this.busy = false;
  }

  private async signOut() {
    try {
      await leave();
      this.forget("");
    } catch (error) {
      if (this.signedIn) failed(error);
    }
  }

  private renderSignIn() {
    document.title = "Sign in – Quire";
    return html`<main class="sign-in"><form @submit=${this.signIn}>
      <h1>${icon("library")}Quire</h1><p>Content libraries</p>
      <label for="user">User</label><input id="user" name="user" autocomplete="username" required autofocus placeholder="administrator@vsphere.local">
      <label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required>
      ${this.problem ? html`<div class="alert error" role="alert">${icon("warning")}<span>${this.problem}</span></div>` : nothing}
      <button class="primary" ?disabled=${this.busy}>${this.busy ? "Signing in…" : "Sign in"}</button></form></main>`;
  }

  private renderStream() {
    if (streamState === "live") return html`<span class="stream live" title="Changes show at once"><i></i>Live</span>`;
    if (streamState === "none" || streamState === "starting") return nothing;
    return html`<span class="stream" title="The connection for changes is being made again"><i></i>Not live</span>`;
  }

  private renderHeader(user: string) {
    return html`<header class="top">
      <button class="plain menu" aria-label="Menu" aria-expanded=${this.menu} @click=${() => { this.menu = !this.menu; }}>${icon("menu")}</button>
      <a class="brand" href="/ui/">${icon("library")}<span>Quire</span></a><span class="grow"></span>
      ${this.renderStream()}
      <button class="plain" title="Colours: ${chosenTheme()}" aria-label="Colours: ${chosenTheme()}; change" @click=${() => { nextTheme(); this.requestUpdate(); }}>${icon("theme")}</button>
      <button class="plain who" popovertarget="user-menu" aria-haspopup="true">${icon("user")}<span>${user}</span>${icon("down")}</button>
      <div id="user-menu" class="menu-list" popover><button @click=${() => { this.closeMenu(); void changePassword(); }}>Change password…</button>
        <a href=${href("access", "tokens")} @click=${this.closeMenu}>My API tokens</a><button @click=${() => { this.closeMenu(); void this.signOut(); }}>Sign out</button></div></header>`;
  }
  private readonly closeMenu = () => (this.querySelector("#user-menu") as HTMLElement & { hidePopover(): void }).hidePopover();

  protected override render() {
    if (!this.checked) return html`<main class="loading" aria-busy="true"><h1 class="hidden">Quire</h1></main>`;
    if (!this.signedIn) return html`${this.renderSignIn()}<q-notices></q-notices>`;
    const { path } = place();
    const id = path[0] === "items" ? "libraries" : path[0];
    const section = sections.find((one) => one.id === id);
    const page = path[0] === "items" && path[1] ? html`<q-item .item=${path[1]} .tab=${path[2] ?? "files"}></q-item>` : section?.page(path);
    if (section && path.length === 1) document.title = `${section.label} – Quire`;
    return html`<a class="skip" href="#main">Skip to the content</a>${this.renderHeader(this.signedIn.user)}
      <div class="frame"><nav class="side ${this.menu ? "open" : ""}" aria-label="Sections">${sections.filter(({ needs }) => !needs || may(needs)).map((one) => html`<a href=${href(one.id)}
          aria-current=${one.id === id ? "page" : nothing}>${icon(one.icon)}<span>${one.label}</span></a>`)}</nav>
        <main id="main" tabindex="-1">${page ?? html`<div class="empty">${icon("warning")}<h1>There is no such page</h1><p>The address is not one of this server's. <a href="/ui/">Go to the libraries.</a></p></div>`}</main></div>
      <q-transfers></q-transfers><q-notices></q-notices>`;
  }
}
customElements.define("q-app", App);

startTheme();
startNavigation();
render(html`<q-app></q-app>`, document.body);
