// Light or dark: as the system has it, unless somebody chose.
type Theme = "system" | "light" | "dark";
const key = "quire-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function chosenTheme(): Theme {
  const stored = localStorage.getItem(key);
  return stored === "light" || stored === "dark" ? stored : "system";
}
function apply() {
  const theme = chosenTheme();
  document.documentElement.dataset.theme = theme === "system" ? (system.matches ? "dark" : "light") : theme;
}
export function nextTheme() {
  const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
  localStorage.setItem(key, next[chosenTheme()]);
  apply();
}
export function startTheme() {
  system.addEventListener("change", apply);
  apply();
}
