#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "base/file_name.h"
#include "formats/manifest.h"

using quire::base::check_file_name;
using quire::base::hex_length;
using quire::formats::parse_manifest;

/// Whatever is read names files that may be stored, with digests of the right length.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto entries = parse_manifest(std::as_bytes(std::span(data, size)));
  if (!entries) return 0;
  for (const auto& entry : *entries) {
    QUIRE_CHECK(check_file_name(entry.name));
    QUIRE_CHECK(entry.checksum.hex.size() == hex_length(entry.checksum.algorithm));
  }
  return 0;
}
