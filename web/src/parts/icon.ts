import { svg, html } from "lit";

// Thin lines on a 24 × 24 grid.
const paths = {
  library: "M4 5h5v15H4zM9 5h5v15H9zM14.5 5.6l4.3-1.1 3 14.4-4.3 1.1z",
  item: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  disc: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 9.500a2.5 2.5 0 100 5 2.5 2.5 0 000-5z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  session: "M4 12a8 8 0 0114-5.300M20 12a8 8 0 01-14 5.300M18 3v4h-4M6 21v-4h4",
  task: "M5 4h14v16H5zM8 9l1.5 1.500L12 8M14 9h3M8 15l1.5 1.500L12 14M14 15h3",
  storage: "M4 6c0-3.5 16-3.5 16 0v12c0 3.5-16 3.5-16 0zM4 6c0 3.5 16 3.5 16 0M4 12c0 3.5 16 3.5 16 0",
  access: "M9 11a4 4 0 100-8 4 4 0 000 8zM2 21c0-9 14-9 14 0M16 4a4 4 0 010 7M18 14c3 1 4 4 4 7",
  audit: "M5 3h14v18H5zM8 8h8M8 12h8M8 16h5",
  server: "M3 4h18v7H3zM3 13h18v7H3zM7 7.500h.01M7 16.500h.01M11 7.500h6M11 16.500h6",
  certificate: "M12 3a6 6 0 100 12 6 6 0 000-12zM8.5 14L7 21l5-2.500L17 21l-1.5-7",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
  download: "M12 4v12M7 11l5 5 5-5M4 16v4h16v-4",
  link: "M10 14a4 4 0 006 0l3-3a4 4 0 00-6-6l-1 1M14 10a4 4 0 00-6 0l-3 3a4 4 0 006 6l1-1",
  add: "M12 5v14M5 12h14",
  edit: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6",
  copy: "M8 8h12v12H8zM16 8V4H4v12h4",
  pause: "M8 5v14M16 5v14",
  play: "M7 4l13 8-13 8z",
  close: "M5 5l14 14M19 5L5 19",
  down: "M5 9l7 7 7-7",
  up: "M5 15l7-7 7 7",
  right: "M9 5l7 7-7 7",
  user: "M12 12a4.5 4.5 0 100-9 4.5 4.5 0 000 9zM4 21c0-10 16-10 16 0",
  menu: "M4 6h16M4 12h16M4 18h16",
  warning: "M12 3l10 18H2zM12 10v5M12 18h.01",
  check: "M4 13l5 5L20 7",
  info: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v6M12 7.500h.01",
  theme: "M12 3a9 9 0 100 18zM12 3a9 9 0 010 18",
  clock: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 7v5l4 2",
  refresh: "M20 12a8 8 0 11-2.3-5.600M20 3v5h-5",
  tools: "M14 6a4 4 0 015-3l-3 3 2 2 3-3a4 4 0 01-5 5l-9 9-2-2z",
  key: "M8 16a4 4 0 110-8 4 4 0 010 8zM12 12h9v3M17 12v3",
} as const;

export type IconName = keyof typeof paths;

export const icon = (name: IconName, label?: string) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden=${label ? "false" : "true"} role=${label ? "img" : "presentation"} aria-label=${label ?? ""}>${svg`<path d=${paths[name]} />`}</svg>`;
