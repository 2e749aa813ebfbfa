#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace quire::base {

/// The whole text as a decimal number that is not negative; nullopt for anything else, and for what 64 bits cannot
/// hold.
inline std::optional<std::int64_t> parse_decimal(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace quire::base
