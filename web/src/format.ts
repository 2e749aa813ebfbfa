// Numbers and times for people, in the browser's language.
const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function bytes(count: number | undefined): string {
  if (count === undefined) return "unknown";
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toLocaleString(undefined, { minimumFractionDigits: 0, maximumFractionDigits: digits })} ${units[unit]}`;
}
export const rate = (bytesPerSecond: number) => `${bytes(bytesPerSecond)}/s`;
export const count = (value: number) => number.format(value);
export const plural = (value: number, one: string, many = one + "s") => `${count(value)} ${value === 1 ? one : many}`;
export const time = (text: string | undefined) => (text ? moment.format(new Date(text)) : "");
export const percent = (part: number, whole: number) => (whole > 0 ? Math.min(100, Math.floor((part * 100) / whole)) : 100);

/// `3 min 20 s`; never more than two units.
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [[Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"], [Math.floor(whole / 60) % 60, "min"], [whole % 60, "s"]];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([value], index) => index === 0 || value > 0).map(([value, unit]) => `${value} ${unit}`).join(" ");
}

/// `A_CONSTANT` as `A constant`.
export function words(constant: string): string {
  const text = constant.replaceAll("_", " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function signatureWords(status: string | undefined): string {
  switch (status) {
    case "VERIFIED": return "Verified";
    case "UNTRUSTED": return "Signer not trusted";
    case "VERIFICATION_FAILURE": return "Signature wrong";
    case "VERIFICATION_IN_PROGRESS": return "Being verified";
    case "INTERNAL": return "Made here";
    default: return "Not signed";
  }
}
