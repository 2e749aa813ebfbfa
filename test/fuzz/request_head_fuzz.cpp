#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "http/request_head.h"

using namespace quire::http;

/// A head ends where it ends, however it arrives; what is taken has one framing, a host that may stand in a URL, and
/// fields that stay on their lines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = end_of_head(input, 0);
  const auto found_late = end ? end_of_head(input, *end - 1) : end;
  QUIRE_CHECK(end == found_late);
  [[maybe_unused]] const bool bare = has_bare_line_feed(input, 0);
  if (!end) return 0;
  constexpr std::size_t target_bytes_max = 200;
  const auto parsed = parse_request_head(input.substr(0, *end), target_bytes_max);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    QUIRE_CHECK(refusal->status() >= 400 && refusal->status() < 600);
    return 0;
  }
  const auto& head = std::get<RequestHead>(parsed);
  QUIRE_CHECK(!head.method.empty() && std::ranges::all_of(head.method, is_token_char));
  QUIRE_CHECK(head.target.starts_with('/') || (head.target == "*" && head.method == "OPTIONS"));
  QUIRE_CHECK(head.target.size() <= target_bytes_max && head.target.find_first_of(" \r\n") == std::string::npos);
  QUIRE_CHECK(head.host.empty() || is_host(head.host));
  QUIRE_CHECK(!head.chunked || !head.content_length);
  for (const auto& [name, value] : head.headers.all()) {
    QUIRE_CHECK(!name.empty() && std::ranges::all_of(name, is_token_char));
    QUIRE_CHECK(std::ranges::all_of(value, is_value_char) && trimmed(value) == value);
  }
  return 0;
}
