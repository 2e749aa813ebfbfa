#include "formats/manifest.h"

#include "formats/content_kind.h"
#include "formats/digest_line.h"
#include "formats/text_lines.h"

namespace quire::formats {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

Error invalid(std::size_t line, std::string reason) {
  return {ErrorKind::invalid_argument,
          "quire.manifest.invalid",
          "The manifest cannot be used: {reason} (line {line}). Export the package again.",
          {{"reason", std::move(reason)}, {"line", static_cast<std::int64_t>(line)}}};
}

}  // namespace

Result<std::vector<ManifestEntry>> parse_manifest(std::span<const std::byte> bytes) {
  if (bytes.size() > max_manifest_bytes) {
    return invalid(1, "it is larger than " + std::to_string(max_manifest_bytes) + " bytes");
  }
  std::vector<ManifestEntry> entries;
  for (TextLines lines(without_utf8_mark(text_of(bytes))); auto line = lines.next();) {
    if (is_blank(*line)) continue;
    auto parsed = parse_digest_line(*line);
    if (!parsed) return invalid(lines.number(), parsed.error().text() + (entries.empty() ? looks_like(bytes) : ""));
    if (parsed->hex.size() != base::hex_length(parsed->algorithm)) {
      return invalid(lines.number(), "the digest of '" + parsed->name + "' has the wrong length");
    }
    if (entries.size() == max_manifest_entries) {
      return invalid(lines.number(), "it has more than " + std::to_string(max_manifest_entries) + " lines");
    }
    entries.push_back({std::move(parsed->name), {parsed->algorithm, std::move(parsed->hex)}});
  }
  return entries;
}

}  // namespace quire::formats
