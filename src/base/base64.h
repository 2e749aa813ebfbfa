#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quire::base {

/// RFC 4648 §4, with padding and without line breaks.
std::string to_base64(std::span<const std::byte> bytes);

/// The bytes of such a text; nullopt when it is none. At most 1 GiB of text.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace quire::base
