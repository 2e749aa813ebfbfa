#pragma once

#include <string>
#include <string_view>

namespace quire::base {

/// HMAC with SHA-256 (RFC 2104) of `text` by `key`, in lower-case hexadecimal.
std::string hmac_sha256(std::string_view key, std::string_view text);

}  // namespace quire::base
