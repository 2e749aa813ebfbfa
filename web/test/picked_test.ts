import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder, planItems } from "../src/picked.js";
import type { Picked } from "../src/picked.js";

const picked = (...paths: string[]): Picked[] => paths.map((path) => ({ path, file: { name: path.split("/").pop()! } as File }));
const planned = (...paths: string[]) => planItems(picked(...paths)).map(({ name, type, files }) => [name, type, ...files.map(({ path }) => path)]);

test("an archive, an image and any other file are an item each", () => {
  assert.deepEqual(planned("vm.ova", "Debian 12.ISO", "notes.txt", "README"), [["vm", "ovf", "vm.ova"], ["Debian 12", "iso", "Debian 12.ISO"], ["notes", "", "notes.txt"], ["README", "", "README"]]);
});

test("a descriptor takes what lies beside it, and nothing of other folders", () => {
  assert.deepEqual(planned("a/vm.vmdk", "a/vm.ovf", "a/vm.mf", "a/tools.iso", "b/other.txt"), [["vm", "ovf", "a/vm.ovf", "a/vm.vmdk", "a/vm.mf"], ["tools", "iso", "a/tools.iso"], ["other", "", "b/other.txt"]]);
});

test("of several descriptors in a folder each takes the files of its name", () => {
  assert.deepEqual(planned("one.ovf", "two.ovf", "one-disk1.vmdk", "two-disk1.vmdk", "x.bin"), [["one", "ovf", "one.ovf", "one-disk1.vmdk"], ["two", "ovf", "two.ovf", "two-disk1.vmdk"], ["x", "", "x.bin"]]);
});

test("manifest and certificate go before the descriptor", () => {
  assert.deepEqual(inOrder(picked("d.vmdk", "vm.ovf", "vm.cert", "vm.mf")).map(({ path }) => path), ["vm.mf", "vm.cert", "vm.ovf", "d.vmdk"]);
});
