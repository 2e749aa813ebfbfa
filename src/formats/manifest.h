#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"

namespace quire::formats {

inline constexpr std::size_t max_manifest_bytes = std::size_t{1} << 20U;
inline constexpr std::size_t max_manifest_entries = 10'000;

/// What a manifest promises of one file.
struct ManifestEntry {
  std::string name;
  base::Checksum checksum;
  bool operator==(const ManifestEntry&) const = default;
};

/// Reads an OVF manifest (`.mf`): a line `SHA256(name)= digest` per file (digest_line.h), ended by LF or CRLF, the last
/// one perhaps by nothing; blank lines are passed over. Entries keep their order. A manifest without entries is valid.
///
/// Error: invalid_argument, id `quire.manifest.invalid`, params `reason` and `line` (from 1): another form, a digest of
/// the wrong length, a name that check_file_name refuses or that came before, or more than the limits above.
base::Result<std::vector<ManifestEntry>> parse_manifest(std::span<const std::byte> bytes);

}  // namespace quire::formats
