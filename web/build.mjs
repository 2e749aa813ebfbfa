// Builds the page: node build.mjs FOLDER. Writes there the files that the program serves (bundled, with a hash in their
// names, and compressed), an assembler file that takes them in, and page_symbols.h, the table of them.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
if (!folder) throw new Error("say which folder to write to");
const served = join(folder, "served");
rmSync(served, { recursive: true, force: true });
mkdirSync(served, { recursive: true });

const bundle = async (entry, define = {}) => {
  const result = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: ["chrome110", "firefox115", "safari16.4"],
    legalComments: "none",
    define,
    logLevel: "warning",
  });
  return result.outputFiles[0].contents;
};

const digest = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);
const files = [];
const add = (name, type, bytes) => {
  const path = `/ui/${name}`;
  const packed = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  files.push({ path, type, tag: digest(bytes), symbol: `quire_page_${files.length}`, file: join(served, name), bytes: bytes.length, packed: packed.length });
  writeFileSync(join(served, name), bytes);
  writeFileSync(join(served, name + ".br"), packed);
  return path;
};
const hashed = (stem, extension, type, bytes) => add(`${stem}-${digest(bytes)}.${extension}`, type, bytes);

const icon = hashed("icon", "svg", "image/svg+xml", readFileSync(join(here, "src/icon.svg")));
const worker = hashed("events", "js", "text/javascript; charset=utf-8", await bundle("events-worker.ts"));
const style = hashed("page", "css", "text/css; charset=utf-8", await bundle("page.css"));
const script = hashed("app", "js", "text/javascript; charset=utf-8", await bundle("main.ts", { EVENTS_WORKER: JSON.stringify(worker) }));
const html = readFileSync(join(here, "src/index.html"), "utf8")
  .replace("page.css", style).replace("main.ts", script).replace("icon.svg", icon);
add("index.html", "text/html; charset=utf-8", Buffer.from(html));

const quoted = (path) => `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
writeFileSync(join(folder, "page.S"), `/* Made by web/build.mjs. */
.section .rodata
${files.map(({ symbol, file }) => [["", ""], ["_br", ".br"]].map(([part, suffix]) => `.global ${symbol}${part}
.global ${symbol}${part}_end
${symbol}${part}: .incbin ${quoted(file + suffix)}
${symbol}${part}_end:`).join("\n")).join("\n")}
.section .note.GNU-stack,"",%progbits
`);

writeFileSync(join(folder, "page_symbols.h"), `// Made by web/build.mjs.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

extern "C" {
${files.map(({ symbol }) => `extern const std::byte ${symbol}[], ${symbol}_end[], ${symbol}_br[], ${symbol}_br_end[];`).join("\n")}
}

namespace quire::wire {

struct PageFile {
  std::string_view path;
  std::string_view type;
  std::string_view tag;
  const std::byte* begin;
  const std::byte* end;
  const std::byte* brotli_begin;
  const std::byte* brotli_end;
  std::span<const std::byte> identity() const { return {begin, end}; }
  std::span<const std::byte> brotli() const { return {brotli_begin, brotli_end}; }
};

inline constexpr std::array page_files = {
${files.map(({ path, type, tag, symbol: s }) => `    PageFile{"${path}", "${type}", "${tag}", ${s}, ${s}_end, ${s}_br, ${s}_br_end},`).join("\n")}
};

}  // namespace quire::wire
`);

const sum = (key) => files.reduce((total, file) => total + file[key], 0);
console.log(`page: ${files.length} files, ${sum("bytes")} bytes, ${sum("packed")} compressed`);
