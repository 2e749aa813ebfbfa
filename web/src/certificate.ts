// What an X.509 certificate says of itself (RFC 5280), as far as people are shown it. Trusts nothing: the server judges.
export interface Shown { subject: string; issuer: string; notBefore: Date; notAfter: Date; sha256: string }

interface Element { tag: number; start: number; end: number }

const names: Record<string, string> = { "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU" };

function element(der: Uint8Array, at: number): Element {
  const tag = der[at];
  let length = der[at + 1];
  if (tag === undefined || length === undefined) throw new RangeError("the certificate is cut off");
  let start = at + 2;
  if (length & 0x80) {
    const octets = length & 0x7f;
    length = 0;
    for (let i = 0; i < octets; ++i) length = length * 256 + (der[start++] ?? 0);
  }
  if (start + length > der.length) throw new RangeError("the certificate is cut off");
  return { tag, start, end: start + length };
}
function children(der: Uint8Array, { start, end }: Element): Element[] {
  const all: Element[] = [];
  for (let at = start; at < end;) {
    const child = element(der, at);
    all.push(child);
    at = child.end;
  }
  return all;
}
function identifier(der: Uint8Array, { start, end }: Element): string {
  const parts: number[] = [];
  let value = 0;
  for (let at = start; at < end; ++at) {
    value = value * 128 + (der[at]! & 0x7f);
    if (der[at]! & 0x80) continue;
    if (parts.length === 0) parts.push(Math.min(Math.floor(value / 40), 2), value - 40 * Math.min(Math.floor(value / 40), 2));
    else parts.push(value);
    value = 0;
  }
  return parts.join(".");
}
const text = (der: Uint8Array, { tag, start, end }: Element) => new TextDecoder(tag === 0x1e ? "utf-16be" : "utf-8").decode(der.subarray(start, end));
function name(der: Uint8Array, sequence: Element): string {
  const parts = children(der, sequence).flatMap((set) => children(der, set)).map((pair) => {
    const [type, value] = children(der, pair);
    const oid = identifier(der, type!);
    return `${names[oid] ?? oid}=${text(der, value!)}`;
  });
  return parts.reverse().join(", ");
}
function date(der: Uint8Array, one: Element): Date {
  const digits = text(der, one);
  const year = one.tag === 0x17 ? (Number(digits.slice(0, 2)) < 50 ? "20" : "19") + digits.slice(0, 2) : digits.slice(0, 4);
  const rest = digits.slice(one.tag === 0x17 ? 2 : 4);
  return new Date(`${year}-${rest.slice(0, 2)}-${rest.slice(2, 4)}T${rest.slice(4, 6)}:${rest.slice(6, 8)}:${rest.slice(8, 10)}Z`);
}

/// Rejects what is no certificate.
export async function showCertificate(pem: string): Promise<Shown> {
  const body = pem.match(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/)?.[1];
  if (!body) throw new TypeError("no certificate in PEM");
  const der = Uint8Array.from(atob(body.replace(/\s/g, "")), (letter) => letter.charCodeAt(0));
  const parts = children(der, children(der, element(der, 0))[0]!);
  const first = parts[0]!.tag === 0xa0 ? 1 : 0;  // the version
  const validity = children(der, parts[first + 3]!);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return {
    issuer: name(der, parts[first + 2]!), subject: name(der, parts[first + 4]!), notBefore: date(der, validity[0]!), notAfter: date(der, validity[1]!),
    sha256: [...digest].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":"),
  };
}
