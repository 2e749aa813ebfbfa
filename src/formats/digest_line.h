#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

namespace quire::formats {

/// `ALGORITHM(name)= hex`, the line that manifests and package certificates are made of (DSP0243,
/// content-library-api.md §28.2). In a manifest `hex` is a digest, in a certificate a signature; its length is the
/// caller's to check.
struct DigestLine {
  base::DigestAlgorithm algorithm = base::DigestAlgorithm::SHA256;
  std::string name;
  std::string hex;  ///< an even number of digits, at least two, in lower case
};

/// Reads one line without its line end. Algorithms: SHA1, SHA256, SHA512, and OpenSSL 3's SHA2-256 and SHA2-512, in any
/// case (MD5 is refused). Blanks and tabs may stand before `(`, around `=` and at both ends. The name may hold
/// parentheses and `=`, and a leading `./`, which goes; it passes check_file_name.
///
/// Error: invalid_argument whose text is the reason alone; the caller says which file and line.
base::Result<DigestLine> parse_digest_line(std::string_view line);

}  // namespace quire::formats
