#include "formats/content_kind.h"

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "formats/text_lines.h"

namespace quire::formats {
namespace {

using std::string_view_literals::operator""sv;

struct Signature {
  std::size_t at;
  std::string_view bytes;
  std::string_view kind;
};

constexpr std::array signatures = {
    Signature{257, "ustar"sv, "a tar archive"},
    Signature{0, "\x1F\x8B"sv, "gzip-compressed data"},
    Signature{0, "PK\x03\x04"sv, "a zip archive"},
    Signature{0, "PK\x05\x06"sv, "a zip archive"},
    Signature{0,
              "\xFD"
              "7zXZ\0"sv,
              "xz-compressed data"},
    Signature{0, "BZh"sv, "bzip2-compressed data"},
    Signature{0, "\x28\xB5\x2F\xFD"sv, "zstd-compressed data"},
    Signature{0, "\x04\x22\x4D\x18"sv, "lz4-compressed data"},
    Signature{0, "LZIP"sv, "lzip-compressed data"},
    Signature{0, "7z\xBC\xAF\x27\x1C"sv, "a 7z archive"},
    Signature{0, "Rar!\x1A\x07"sv, "a RAR archive"},
    Signature{0, "%PDF-"sv, "a PDF document"},
    Signature{0, "KDMV"sv, "a VMDK disk"},
    Signature{0, "COWD"sv, "a VMDK disk"},
    Signature{0, "# Disk DescriptorFile"sv, "the description of a VMDK disk"},
    Signature{0, "QFI\xFB"sv, "a qcow2 disk"},
    Signature{0, "vhdxfile"sv, "a VHDX disk"},
    Signature{0, "conectix"sv, "a VHD disk"},
    Signature{0, "<<< "sv, "a VDI disk"},
    Signature{0,
              "\x7F"
              "ELF"sv,
              "a program"},
};

bool starts_with_word(std::string_view text, std::string_view word) {
  return base::to_lower(text.substr(0, word.size())) == word;
}

void skip_blanks(std::string_view& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

/// The text behind a byte order mark, an XML declaration, comments and the blanks between them.
std::string_view behind_prologue(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (true) {
    skip_blanks(text);
    const auto end_mark = text.starts_with("<!--") ? "-->"sv : text.starts_with("<?") ? "?>"sv : ""sv;
    const auto end = text.find(end_mark);
    if (end_mark.empty() || end == std::string_view::npos) return text;
    text.remove_prefix(end + end_mark.size());
  }
}

std::optional<std::string_view> markup_kind(std::string_view text) {
  const auto body = behind_prologue(text);
  for (const auto word : {"<!doctype html"sv, "<html"sv, "<head>"sv, "<body"sv, "<title>"sv})
    if (starts_with_word(body, word)) return "an HTML page";
  if (text.starts_with("<?xml") || text.starts_with("\xEF\xBB\xBF<?xml")) return "an XML document";
  if (body.starts_with("<Envelope") || body.starts_with("<ovf:Envelope")) return "an XML document";
  if (body.starts_with("{\"") || body.starts_with("{\n") || body.starts_with("[{")) return "a JSON document";
  if (body.starts_with("-----BEGIN ")) return "a PEM file";
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> content_kind(std::span<const std::byte> head) {
  const auto text = text_of(head.first(std::min(head.size(), content_kind_bytes)));
  if (text.empty()) return "an empty file";
  for (const auto& signature : signatures)
    if (text.size() > signature.at && text.substr(signature.at).starts_with(signature.bytes)) return signature.kind;
  return markup_kind(text);
}

std::string looks_like(std::span<const std::byte> head) {
  if (head.empty()) return ", and it is empty";
  const auto kind = content_kind(head);
  return kind ? ", and it looks like " + std::string(*kind) : std::string();
}

}  // namespace quire::formats
