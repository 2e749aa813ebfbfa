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

/// One promise of a manifest about a file.
struct ManifestEntry {
  std::string name;
  base::Checksum checksum;
  bool operator==(const ManifestEntry&) const = default;
};

/// Reads an OVF manifest (`.mf`): lines `SHA256(name)= digest` (digest_line.h), ended by LF or CRLF, the last one
/// perhaps by nothing; a UTF-8 mark at the start and blank lines are passed over. Entries keep their order; a file may
/// have several, which must all hold. A manifest without entries is valid.
///
/// Error: invalid_argument, id `quire.manifest.invalid`, params `reason` and `line` (from 1): another form, a digest of
/// the wrong length, a name that check_file_name refuses, or more than the limits above. Of something else than a
/// manifest the reason says what it looks like.
base::Result<std::vector<ManifestEntry>> parse_manifest(std::span<const std::byte> bytes);

}  // namespace quire::formats
