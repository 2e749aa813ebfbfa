#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "base/file_name.h"
#include "formats/ovf_descriptor.h"

using quire::base::check_file_name;
using quire::formats::expected_files;
using quire::formats::parse_ovf_descriptor;

/// Whatever is read names files that may be stored.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto descriptor = parse_ovf_descriptor(std::as_bytes(std::span(data, size)));
  if (!descriptor) return 0;
  for (const auto& file : expected_files(*descriptor)) QUIRE_CHECK(check_file_name(file.name));
  return 0;
}
