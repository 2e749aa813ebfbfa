#include "wire/request/request_target.h"

#include <optional>

#include "base/utf8.h"

namespace quire::wire {
namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

base::Error bad_target() {
  return base::Error(
      base::ErrorKind::invalid_request, "quire.wire.bad_target",
      "The request's path or query is not percent-encoded UTF-8. Encode every byte outside the unreserved "
      "characters as two hexadecimal digits after a percent sign.");
}

base::Error too_many(std::string_view what, std::size_t limit) {
  return base::Error(base::ErrorKind::invalid_request, "quire.wire.target_too_long",
                     "The request's {part} has more than {limit} parts.",
                     {{"part", std::string(what)}, {"limit", static_cast<std::int64_t>(limit)}});
}

base::Result<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
      if (!low) return bad_target();
      out += static_cast<char>(*high * 16 + *low);
      i += 2;
    }
  }
  if (!base::is_text(out)) return bad_target();
  return out;
}

/// Takes the part up to `separator` off the front; the separator goes too.
std::string_view take_part(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

}  // namespace

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

base::Result<RequestTarget> parse_target(std::string_view target) {
  RequestTarget out;
  auto path = path_of(target);
  auto query = target.substr(path.size());
  if (path.empty() || path.front() != '/') return bad_target();
  while (!path.empty()) {  // each round takes one `/` and the segment after it
    path.remove_prefix(1);
    const auto end = path.find('/');
    QUIRE_ASSIGN_OR_RETURN(auto segment, decode(path.substr(0, end), false));
    if (out.segments.size() == path_segments_max) return too_many("path", path_segments_max);
    out.segments.push_back(std::move(segment));
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
  }
  if (!query.empty()) query.remove_prefix(1);
  while (!query.empty()) {
    auto pair = take_part(query, '&');
    if (pair.empty()) continue;
    QUIRE_ASSIGN_OR_RETURN(auto name, decode(take_part(pair, '='), true));
    QUIRE_ASSIGN_OR_RETURN(auto value, decode(pair, true));
    if (out.query.size() == query_parameters_max) return too_many("query", query_parameters_max);
    out.query.push_back({std::move(name), std::move(value)});
  }
  return out;
}

}  // namespace quire::wire
