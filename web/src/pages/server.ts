import { html, nothing } from "lit";
import { get } from "../api.js";
import { bytes, count, duration, plural, time } from "../format.js";
import { kinds, Live } from "../live.js";
import type { ServerState, Worker } from "../model.js";
import { badge, button, facts, problem, title } from "../parts/bits.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";

/// How the server is: what an operator looks at first.
class Server extends Part {
  private readonly state = new Live(this, async () => {
    const [state, workers] = await Promise.all([get<ServerState>("/quire/server/state"), get<Worker[]>("/quire/server/workers")]);
    return { state, workers: workers.sort((a, b) => b.failures_in_a_row - a.failures_in_a_row || Number(!a.last_error) - Number(!b.last_error)) };
  }, kinds("update_session.", "download_session.", "task.", "login."));
  private readonly columns: Column<Worker>[] = [
    { key: "name", label: "Worker", width: "minmax(230px,1.2fr)", sort: (row) => row.name, text: (row) => row.name, cell: (row) => row.name },
    { key: "how", label: "State", width: "150px", sort: (row) => row.failures_in_a_row, cell: (row) => (row.failures_in_a_row ? badge("bad", `Failed ${plural(row.failures_in_a_row, "time")}`) : badge("good", "Well")) },
    { key: "runs", label: "Runs", width: "100px", end: true, sort: (row) => row.runs, cell: (row) => count(row.runs) },
    { key: "error", label: "Last error", width: "minmax(260px,3fr)", text: (row) => row.last_error ?? "", cell: (row) => html`<span title=${row.last_error ?? ""}>${row.last_error ?? ""}</span>` },
    { key: "when", label: "At", width: "190px", sort: (row) => row.last_error_time ?? "", cell: (row) => time(row.last_error_time) },
  ];
  protected override render() {
    const all = this.state.value;
    if (!all) return html`${title([], "server", "Server")}${this.state.error ? problem(this.state.error, () => this.state.reload()) : html`<div class="loading" aria-busy="true"></div>`}`;
    const { state, workers } = all;
    const failing = workers.filter(({ failures_in_a_row }) => failures_in_a_row > 0);
    return html`${title([], "server", "Server", button("refresh", "Look again", () => this.state.reload()))}
      ${failing.length ? problem(`${failing.map(({ name }) => name).join(", ")} failed when last run. Each tries again by itself; its last error stands below, its cause in the server's log.`) : nothing}
      <div class="cards"><section class="card"><h2>Program</h2>${facts([["Version", state.version], ["Running for", duration((Date.parse(state.now) - Date.parse(state.started)) / 1000)], ["Started", time(state.started)], ["Catalog", state.catalog === "sqlite" ? "SQLite" : "PostgreSQL"], ["Identifier", html`<code>${state.server_guid}</code>`]])}</section>
        <section class="card"><h2>Under way</h2>${facts([["Logins", count(state.logins)], ["Update sessions", count(state.update_sessions)], ["Download sessions", count(state.download_sessions)], ["Files to be fetched", count(state.pulls)], ["Tasks", count(state.tasks)]])}</section>
        <section class="card"><h2>Storages</h2>${facts(state.storages.map((storage) => [storage.name, storage.accessible ? `${bytes(storage.free_space)} free of ${bytes(storage.capacity)}` : badge("bad", "Cannot be asked")] as const))}</section></div>
      <h2>Workers</h2><q-table label="Workers" .columns=${this.columns} .rows=${workers} .keyOf=${(row: Worker) => row.name}></q-table>`;
  }
}
customElements.define("q-server", Server);
