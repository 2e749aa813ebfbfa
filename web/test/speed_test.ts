import assert from "node:assert/strict";
import { test } from "node:test";
import { duration } from "../src/format.js";
import { Speed } from "../src/speed.js";

test("the rate is a mean over the last ten seconds", () => {
  const speed = new Speed();
  assert.equal(speed.value, 0);
  for (let second = 0; second <= 30; ++second) speed.mark(second < 15 ? second * 100 : 1500 + (second - 15) * 300, second * 1000);
  assert.ok(Math.abs(speed.value - 300) < 1);
});

test("bytes that were lost begin it anew", () => {
  const speed = new Speed();
  speed.mark(0, 0);
  speed.mark(1000, 1000);
  speed.mark(400, 1100);
  assert.equal(speed.value, 0);
  speed.mark(1400, 2100);
  assert.equal(speed.value, 1000);
});

test("lengths of time are two units at most", () => {
  assert.equal(duration(0), "0 s");
  assert.equal(duration(200), "3 min 20 s");
  assert.equal(duration(3600), "1 h");
  assert.equal(duration(90_061), "1 d 1 h");
  assert.equal(duration(Infinity), "");
});
