import { html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { percent } from "../format.js";
import { icon } from "./icon.js";
import type { IconName } from "./icon.js";

export const button = (name: IconName, label: string, run: () => unknown, options: { disabled?: boolean; primary?: boolean } = {}) =>
  html`<button class=${options.primary ? "primary" : "flat"} ?disabled=${options.disabled ?? false} @click=${run}>${icon(name)}${label}</button>`;

export const iconButton = (name: IconName, label: string, run: () => unknown) =>
  html`<button class="plain" title=${label} aria-label=${label} @click=${run}>${icon(name)}</button>`;

export const bar = (done: number, whole: number | undefined, label: string) => {
  const known = whole !== undefined && whole > 0;
  return html`<progress max="100" .value=${known ? percent(done, whole) : 0} aria-label=${label}></progress>`;
};

export const badge = (kind: "good" | "bad" | "busy" | "quiet", text: string) => html`<span class="badge ${kind}">${text}</span>`;

/// Nothing is there yet: what to do first.
export const emptyState = (name: IconName, title: string, text: unknown, action: TemplateResult | typeof nothing = nothing) =>
  html`<div class="empty">${icon(name)}<h2>${title}</h2><p>${text}</p>${action}</div>`;

export const problem = (text: string, again?: () => unknown) =>
  html`<div class="alert error" role="alert">${icon("warning")}<span>${text}</span>${again ? html`<button class="flat" @click=${again}>Try again</button>` : nothing}</div>`;

export const facts = (rows: (readonly [string, unknown] | undefined | false)[]) =>
  html`<dl class="facts">${rows.map((row) => (row ? html`<div><dt>${row[0]}</dt><dd>${row[1]}</dd></div>` : nothing))}</dl>`;

export interface Tab { id: string; label: string; href: string }
/// Tabs are links: each has an address.
export const tabs = (label: string, all: Tab[], current: string) =>
  html`<nav class="tabs" aria-label=${label}>${all.map((tab) => html`<a href=${tab.href} aria-current=${tab.id === current ? "page" : nothing}>${tab.label}</a>`)}</nav>`;

export interface Crumb { label: string; href?: string }
export const title = (crumbs: Crumb[], name: IconName, text: string, actions: unknown = nothing) => html`
  <div class="title">${crumbs.length ? html`<nav class="crumbs" aria-label="Where this is">${crumbs.map((crumb) => html`<a href=${crumb.href ?? ""}>${crumb.label}</a>${icon("right")}`)}</nav>` : nothing}
    <div class="line"><h1>${icon(name)}<span>${text}</span></h1><div class="actions">${actions}</div></div></div>`;

export const typeIcon = (type: string): IconName => (type.toLowerCase() === "iso" ? "disc" : type.toLowerCase() === "ovf" ? "item" : "file");
