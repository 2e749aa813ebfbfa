#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quire::adapters::curl {

/// Whether `value` of an ETag header is a strong validator (RFC 9110 §8.8.3).
bool is_strong_etag(std::string_view value);

/// A number of decimal digits alone; nullopt otherwise and beyond 2^63-1.
std::optional<std::int64_t> parse_length(std::string_view value);

/// `bytes first-last/whole`.
struct ContentRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t whole = 0;
};
/// nullopt when malformed, unsatisfied (`bytes */5`), impossible (last before first, or not within the whole), and when
/// the whole is not told (`bytes 0-4/*`): nobody could say then whether the part reaches its end.
std::optional<ContentRange> parse_content_range(std::string_view value);

}  // namespace quire::adapters::curl
