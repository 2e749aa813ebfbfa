#include "adapters/curl/response_fields.h"

#include <algorithm>
#include <charconv>

#include "base/hex.h"

namespace quire::adapters::curl {

bool is_strong_etag(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return false;
  const auto inner = value.substr(1, value.size() - 2);
  return std::all_of(inner.begin(), inner.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != '"' && byte != 0x7F;
  });
}

std::optional<std::int64_t> parse_length(std::string_view value) {
  if (value.empty() || value.front() < '0' || value.front() > '9') return std::nullopt;
  std::int64_t number = 0;
  const auto [stopped, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || stopped != value.data() + value.size()) return std::nullopt;
  return number;
}

std::optional<ContentRange> parse_content_range(std::string_view value) {
  constexpr std::string_view unit = "bytes ";
  if (base::to_lower(value.substr(0, unit.size())) != unit) return std::nullopt;
  value.remove_prefix(unit.size());
  const auto dash = value.find('-');
  const auto slash = value.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return std::nullopt;
  const auto first = parse_length(value.substr(0, dash));
  const auto last = parse_length(value.substr(dash + 1, slash - dash - 1));
  if (!first || !last || *last < *first) return std::nullopt;
  const auto whole = parse_length(value.substr(slash + 1));
  if (!whole || *whole <= *last) return std::nullopt;
  return ContentRange{*first, *last, *whole};
}

}  // namespace quire::adapters::curl
