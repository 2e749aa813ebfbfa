import { html } from "lit";
import { post } from "../api.js";
import { percent, time, words } from "../format.js";
import { changed, kinds, followProgress, Live } from "../live.js";
import type { ServerEvent, Task, TaskProgress } from "../model.js";
import { href } from "../navigation.js";
import { badge, bar, emptyState, iconButton, problem, title } from "../parts/bits.js";
import { attempt } from "../parts/notice.js";
import { Part } from "../parts/part.js";
import type { Column } from "../parts/table.js";

type Row = Task & { id: string };
const stateKind: Record<string, "good" | "bad" | "busy" | "quiet"> = { SUCCEEDED: "good", FAILED: "bad", RUNNING: "busy", PENDING: "quiet", BLOCKED: "quiet" };
const target = (row: Row) => (row.target?.type.endsWith("library.Item") ? href("items", row.target.id) : row.target ? href("libraries", row.target.id) : "");

class Tasks extends Part {
  private readonly tasks = new Live(this, async () => Object.entries(await post<Record<string, Task>>("/cis/tasks?action=list", {})).map(([id, task]): Row => ({ ...task, id })).sort((a, b) => (b.start_time ?? "~").localeCompare(a.start_time ?? "~")), kinds("task."));
  private readonly columns: Column<Row>[] = [
    { key: "what", label: "Task", width: "minmax(200px,2fr)", text: (row) => row.description.default_message, cell: (row) => (row.target ? html`<a href=${target(row)}>${row.description.default_message}</a>` : row.description.default_message) },
    { key: "status", label: "Status", width: "110px", sort: (row) => row.status, text: (row) => row.status, cell: (row) => badge(stateKind[row.status] ?? "quiet", words(row.status)) },
    { key: "progress", label: "Progress", width: "minmax(150px,1.5fr)", text: (row) => row.error?.messages.map((message) => message.default_message).join(" ") ?? "", cell: (row) => (row.error ? row.error.messages.map((message) => message.default_message).join(" ") : row.progress && row.status === "RUNNING" ? html`${bar(row.progress.completed, row.progress.total, "Progress")}<span class="amount">${percent(row.progress.completed, row.progress.total)} %</span>` : "") },
    { key: "user", label: "Begun by", width: "minmax(130px,1fr)", sort: (row) => row.user ?? "", text: (row) => row.user ?? "", cell: (row) => row.user ?? "" },
    { key: "start", label: "Begun", width: "190px", sort: (row) => row.start_time ?? "", cell: (row) => time(row.start_time) },
    { key: "end", label: "Ended", width: "190px", sort: (row) => row.end_time ?? "", cell: (row) => time(row.end_time) },
    { key: "act", label: "Actions", width: "80px", cell: (row) => (row.cancelable && (row.status === "RUNNING" || row.status === "PENDING") ? iconButton("close", `Cancel ${row.description.default_message}`, () => attempt(async () => { await post(`/cis/tasks/${encodeURIComponent(row.id)}?action=cancel`); changed("task.ended"); }, "The task is asked to stop.")) : "") },
  ];

  constructor() {
    super();
    followProgress(this, (event) => this.take(event));
  }
  private take({ kind, subject, details }: ServerEvent) {
    const one = this.tasks.value?.find(({ id }) => id === subject);
    if (kind !== "task.progress" || !one || one.end_time) return;
    Object.assign(one, { status: "RUNNING", progress: { ...one.progress, ...(details as TaskProgress) } });
    this.requestUpdate();
  }

  protected override render() {
    return html`${title([], "task", "Tasks")}${this.tasks.error && !this.tasks.value ? problem(this.tasks.error, () => this.tasks.reload()) : html`<q-table label="Tasks" .columns=${this.columns.slice()} .rows=${this.tasks.value} .keyOf=${(row: Row) => row.id} filterable
      .empty=${emptyState("task", "No tasks", "What goes on after its answer, such as a copy to another storage or the move of a library, shows here for a day.")}></q-table>`}`;
  }
}
customElements.define("q-tasks", Tasks);
