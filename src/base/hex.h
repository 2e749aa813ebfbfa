#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quire::base {

bool is_hex_digit(char c);

/// Two lower-case digits a byte.
std::string to_hex(std::span<const std::byte> bytes);

/// The bytes of an even number of digits in either case; nullopt otherwise.
std::optional<std::vector<std::byte>> from_hex(std::string_view text);

/// ASCII letters in lower case; other bytes as they are.
std::string to_lower(std::string_view text);

}  // namespace quire::base
