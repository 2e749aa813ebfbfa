// Sets of byte ranges: [from, to), sorted, apart.
export type Range = readonly [from: number, to: number];

export function normalised(ranges: Iterable<Range>): Range[] {
  const sorted = [...ranges].filter(([from, to]) => to > from).sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged[merged.length - 1];
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

export const length = (ranges: Iterable<Range>) => normalised(ranges).reduce((sum, [from, to]) => sum + to - from, 0);

/// What lacks of [0, size).
export function missing(ranges: Iterable<Range>, size: number): Range[] {
  const gaps: Range[] = [];
  let at = 0;
  for (const [from, to] of normalised(ranges)) {
    if (from > at) gaps.push([at, Math.min(from, size)]);
    at = Math.max(at, to);
    if (at >= size) return gaps;
  }
  if (at < size) gaps.push([at, size]);
  return gaps;
}

export function cut(ranges: Iterable<Range>, part: number): Range[] {
  const parts: Range[] = [];
  for (const [from, to] of ranges) for (let at = from; at < to; at += part) parts.push([at, Math.min(at + part, to)]);
  return parts;
}

/// The field Upload-Ranges: `bytes=0-99,200-299`, both ends included.
export function parseRanges(field: string | null): Range[] {
  const list = field?.match(/^bytes=(.*)$/)?.[1];
  if (!list) return [];
  return normalised(list.split(",").flatMap((text): Range[] => {
    const found = text.trim().match(/^(\d+)-(\d+)$/);
    return found ? [[Number(found[1]), Number(found[2]) + 1]] : [];
  }));
}
