// Where the page is: the address below /ui/, so that links can be kept and the back button works.
export interface Place { path: string[]; query: URLSearchParams }

const listeners = new Set<() => void>();

export function place(): Place {
  const path = location.pathname.replace(/^\/(ui)?\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  return { path: path.length ? path : ["libraries"], query: new URLSearchParams(location.search) };
}

export const href = (...path: string[]) => "/ui/" + path.map(encodeURIComponent).join("/");

export function go(url: string, replace = false) {
  if (url === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  for (const listener of listeners) listener();
}

export function onNavigate(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/// Plain clicks on links of the page change the address without loading the page again.
export function startNavigation() {
  addEventListener("popstate", () => listeners.forEach((listener) => listener()));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin || !link.pathname.startsWith("/ui")) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
