import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, length, missing, normalised, parseRanges } from "../src/ranges.js";
import type { Range } from "../src/ranges.js";

test("ranges are put in order and together", () => {
  assert.deepEqual(normalised([[5, 9], [0, 2], [2, 4], [8, 12], [3, 3]]), [[0, 4], [5, 12]]);
  assert.equal(length([[0, 4], [2, 6], [10, 11]]), 7);
});

test("what lacks is what is in no range", () => {
  assert.deepEqual(missing([], 10), [[0, 10]]);
  assert.deepEqual(missing([[0, 10]], 10), []);
  assert.deepEqual(missing([[2, 4], [6, 20]], 10), [[0, 2], [4, 6]]);
  assert.deepEqual(missing([], 0), []);
});

test("ranges and what lacks of them are the whole, whatever they are", () => {
  let seed = Date.now() % 2147483647;
  console.log(`QUIRE_SEED=${seed}`);
  const draw = (below: number) => { seed = (seed * 48271) % 2147483647; return seed % below; };
  for (let round = 0; round < 500; ++round) {
    const size = draw(60);
    const ranges = Array.from({ length: draw(6) }, (): Range => { const from = draw(size + 1); return [from, from + draw(size + 1 - from)]; });
    const gaps = missing(ranges, size);
    assert.equal(length(ranges) + length(gaps), size);
    assert.deepEqual(normalised([...ranges, ...gaps]), size ? [[0, size]] : []);
    const parts = cut(gaps, 7);
    assert.ok(parts.every(([from, to]) => to > from && to - from <= 7));
    assert.deepEqual(normalised(parts), gaps);
  }
});

test("the server's field has both ends in", () => {
  assert.deepEqual(parseRanges("bytes=0-99,200-299"), [[0, 100], [200, 300]]);
  assert.deepEqual(parseRanges("bytes=0-99, 100-199"), [[0, 200]]);
  for (const nothing of [null, "", "bytes=", "octets=0-1", "bytes=x-y"]) assert.deepEqual(parseRanges(nothing), []);
});
