import { html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { sentence } from "../api.js";
import { icon } from "./icon.js";
import { freshId, Part } from "./part.js";

/// What a form asks for. `value` before, and what stands there when it is sent.
export interface Field {
  name: string;
  label: string;
  kind?: "text" | "password" | "area" | "choice" | "check" | "checks" | "time";
  value?: string | boolean | string[];
  hint?: string;
  required?: boolean;
  options?: { value: string; label: string }[];
  autocomplete?: AutoFill;
}
/// By the names of the fields: a text, for `check` whether it is set, for `checks` those that are.
export type Values = Record<string, any>;

interface Spec {
  title: string;
  intro?: unknown;
  fields?: Field[];
  content?: () => unknown;  // further parts, drawn anew at each update
  confirm: string;
  danger?: boolean;
  wide?: boolean;
  /// Sent by the confirming button; the dialog stays open, with the reason, when it throws.
  run?: (values: Values) => Promise<unknown>;
}

class Dialog extends Part {
  static override properties = { spec: { attribute: false }, busy: { state: true }, problem: { state: true } };
  declare spec: Spec;
  declare busy: boolean;
  declare problem: string;
  finish: (answer: boolean) => void = () => {};
  private readonly id_ = freshId("dialog");

  constructor() {
    super();
    this.busy = false;
    this.problem = "";
  }

  private get dialog() { return this.querySelector("dialog"); }

  protected override firstUpdated() { this.dialog?.showModal(); }

  close(answer: boolean) {
    this.dialog?.close();
    this.remove();
    this.finish(answer);
  }

  private values(): Values {
    const values: Record<string, unknown> = {};
    for (const field of this.spec.fields ?? []) {
      const inputs = [...this.querySelectorAll<HTMLInputElement>(`[name="${field.name}"]`)];
      if (field.kind === "checks") values[field.name] = inputs.filter((input) => input.checked).map((input) => input.value);
      else if (field.kind === "check") values[field.name] = inputs[0]?.checked ?? false;
      else values[field.name] = inputs[0]?.value ?? "";
    }
    return values as Values;
  }

  private async submit(event: Event) {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    this.problem = "";
    try {
      await this.spec.run?.(this.values());
      this.close(true);
    } catch (error) {
      this.problem = sentence(error);
      this.busy = false;
    }
  }

  private field(field: Field, index: number) {
    const id = `${this.id_}-${field.name}`;
    const hint = field.hint ? html`<div class="hint" id="${id}-hint">${field.hint}</div>` : nothing;
    const described = field.hint ? `${id}-hint` : nothing;
    const required = field.required ?? false;
    switch (field.kind ?? "text") {
      case "check":
        return html`<div class="field"><label class="check"><input type="checkbox" name=${field.name} .checked=${field.value === true} aria-describedby=${described}>${field.label}</label>${hint}</div>`;
      case "checks":
        return html`<fieldset class="field"><legend>${field.label}</legend>${hint}<div class="checks">${field.options?.map((option) => html`<label class="check"><input type="checkbox" name=${field.name} value=${option.value}
            .checked=${(field.value as string[] | undefined)?.includes(option.value) ?? false}>${option.label}</label>`)}</div></fieldset>`;
      case "choice":
        return html`<div class="field"><label for=${id}>${field.label}</label><select ?autofocus=${index === 0} id=${id} name=${field.name} aria-describedby=${described}>${field.options?.map((option) => html`<option value=${option.value}
            ?selected=${option.value === field.value}>${option.label}</option>`)}</select>${hint}</div>`;
      case "area":
        return html`<div class="field"><label for=${id}>${field.label}</label><textarea ?autofocus=${index === 0} id=${id} name=${field.name} rows="3" .value=${(field.value as string | undefined) ?? ""} ?required=${required} aria-describedby=${described}></textarea>${hint}</div>`;
      default:
        return html`<div class="field"><label for=${id}>${field.label}</label><input ?autofocus=${index === 0} id=${id} name=${field.name} type=${field.kind === "password" ? "password" : field.kind === "time" ? "datetime-local" : "text"}
          .value=${(field.value as string | undefined) ?? ""} ?required=${required} autocomplete=${field.autocomplete ?? "off"} aria-describedby=${described}>${hint}</div>`;
    }
  }

  protected override render() {
    const { title, intro, fields, content, confirm, danger, wide, run } = this.spec;
    return html`<dialog class=${wide ? "wide" : ""} aria-labelledby="${this.id_}-title" @cancel=${(event: Event) => { event.preventDefault(); if (!this.busy) this.close(false); }}>
      <form method="dialog" @submit=${this.submit}>
        <header><h2 id="${this.id_}-title">${title}</h2><button type="button" class="plain" aria-label="Close" @click=${() => this.close(false)}>${icon("close")}</button></header>
        <div class="content">${intro ? html`<div class="intro">${intro}</div>` : nothing}${fields?.map((field, index) => this.field(field, index))}${content?.()}
          ${this.problem ? html`<div class="alert error" role="alert">${icon("warning")}<span>${this.problem}</span></div>` : nothing}</div>
        <footer>${run ? html`<button type="button" class="flat" @click=${() => this.close(false)}>Cancel</button>` : nothing}<button class="primary ${danger ? "danger" : ""}" ?disabled=${this.busy}>${this.busy ? "Working…" : confirm}</button></footer>
      </form></dialog>`;
  }
}
customElements.define("q-dialog", Dialog);
export type { Dialog };

/// Resolves with whether it was confirmed, once the dialog is closed.
export function ask(spec: Spec): Promise<boolean> {
  const dialog = document.createElement("q-dialog") as Dialog;
  dialog.spec = spec;
  const back = document.activeElement as HTMLElement | null;
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.finish = (answer) => {
      if (back?.isConnected) back.focus();
      resolve(answer);
    };
  });
}
/// Shows something and needs no answer.
export const show = (title: string, content: TemplateResult, wide = false) => ask({ title, intro: content, confirm: "Close", wide });
