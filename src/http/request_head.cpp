#include "http/request_head.h"

#include <algorithm>
#include <charconv>

#include "base/hex.h"

namespace quire::http {
namespace {

constexpr std::string_view line_end = "\r\n";

bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos && c != '\0';
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }

bool is_target_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f;
}

bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 ? byte != 0x7f : c == '\t';
}

Refusal bad_request(std::string_view text) { return Refusal(400, base::make_message("quire.http.bad_request", text)); }

/// Calls `visit` for each member of a comma-separated list, in lower case.
template <class Visit>
void each_member(std::string_view list, Visit visit) {
  while (true) {
    const auto comma = list.find(',');
    const auto member = trimmed(list.substr(0, comma));
    if (!member.empty()) visit(base::to_lower(member));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

/// Scheme and authority of an absolute form are ours whatever they say: one server answers for all names.
std::optional<std::string> origin_form(std::string_view target) {
  if (target == "*" || target.starts_with('/')) return std::string(target);
  const auto scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const auto scheme = base::to_lower(target.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  const auto rest = target.substr(scheme_end + 3);
  const auto path = rest.find_first_of("/?");
  if (path == std::string_view::npos) return "/";
  return rest[path] == '?' ? "/" + std::string(rest.substr(path)) : std::string(rest.substr(path));
}

std::optional<Refusal> read_request_line(std::string_view line, std::size_t target_bytes_max, RequestHead& head,
                                         bool& version_1_0) {
  const auto first_space = line.find(' ');
  const auto last_space = line.rfind(' ');
  if (first_space == std::string_view::npos || first_space == last_space) {
    return bad_request("The request line is not 'METHOD target HTTP/1.1'.");
  }
  const auto method = line.substr(0, first_space);
  const auto target = line.substr(first_space + 1, last_space - first_space - 1);
  const auto version = line.substr(last_space + 1);
  if (!is_token(method)) return bad_request("The method of the request holds characters that are not allowed.");
  if (target.size() > target_bytes_max) {
    return Refusal(414, base::make_message("quire.http.target_too_long", "The URL is longer than {max} bytes.",
                                           {{"max", static_cast<std::int64_t>(target_bytes_max)}}));
  }
  if (target.empty() || !std::ranges::all_of(target, is_target_char)) {
    return bad_request("The URL holds characters that must be percent-encoded.");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (!version.starts_with("HTTP/")) return bad_request("The request line does not end with an HTTP version.");
    return Refusal(505, base::make_message("quire.http.version", "Only HTTP/1.1 and HTTP/1.0 are spoken here."));
  }
  version_1_0 = version == "HTTP/1.0";
  auto path = origin_form(target);
  if (!path) return bad_request("The request target is neither a path nor an http URL.");
  head.method = method;
  head.target = *std::move(path);
  return std::nullopt;
}

/// What the fields say together, while they are read one by one.
struct Framing {
  bool version_1_0 = false;
  bool host_seen = false;
  bool transfer_encoding_seen = false;
  bool close = false;
  bool keep_alive = false;
};

std::optional<Refusal> read_field(std::string_view name, std::string_view value, Framing& framing, RequestHead& head) {
  const auto key = base::to_lower(name);
  if (key == "content-length") {
    const auto length = decimal(value);
    if (!length || *length > static_cast<std::uint64_t>(INT64_MAX))
      return bad_request("Content-Length is not a number.");
    if (head.content_length && head.content_length != length) return bad_request("Two Content-Length fields differ.");
    head.content_length = length;
  } else if (key == "transfer-encoding") {
    if (framing.transfer_encoding_seen) return bad_request("There are two Transfer-Encoding fields.");
    framing.transfer_encoding_seen = true;
    if (base::to_lower(value) != "chunked") {
      return Refusal(501, base::make_message("quire.http.transfer_encoding",
                                             "The only Transfer-Encoding understood here is 'chunked'."));
    }
    head.chunked = true;
  } else if (key == "host") {
    if (framing.host_seen) return bad_request("There are two Host fields.");
    framing.host_seen = true;
    if (!value.empty() && !is_host(value)) return bad_request("The Host field is not a host name or address.");
    head.host = value;
  } else if (key == "connection") {
    each_member(value, [&](const std::string& option) {
      framing.close |= option == "close";
      framing.keep_alive |= option == "keep-alive";
    });
  } else if (key == "expect") {
    if (base::to_lower(value) != "100-continue") {
      return Refusal(417,
                     base::make_message("quire.http.expectation", "The only expectation met here is '100-continue'."));
    }
    head.expects_continue = true;
  }
  head.headers.add(std::string(name), std::string(value));
  return std::nullopt;
}

std::optional<Refusal> conclude(const Framing& framing, RequestHead& head) {
  if (head.chunked && head.content_length) {
    return bad_request("The request has both Content-Length and Transfer-Encoding.");
  }
  if (head.chunked && framing.version_1_0) return bad_request("HTTP/1.0 has no Transfer-Encoding.");
  head.keep_alive = !framing.close && (!framing.version_1_0 || framing.keep_alive);
  if (framing.version_1_0) head.expects_continue = false;
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> end_of_head(std::string_view input, std::size_t searched) {
  const auto found = input.find("\r\n\r\n", searched < 3 ? 0 : searched - 3);
  if (found == std::string_view::npos) return std::nullopt;
  return found + 4;
}

std::variant<RequestHead, Refusal> parse_request_head(std::string_view text, std::size_t target_bytes_max) {
  RequestHead head;
  Framing framing;
  const auto request_line = text.substr(0, text.find(line_end));
  if (auto refusal = read_request_line(request_line, target_bytes_max, head, framing.version_1_0)) return *refusal;
  text.remove_prefix(request_line.size() + line_end.size());
  while (!text.starts_with(line_end)) {
    const auto line = text.substr(0, text.find(line_end));
    text.remove_prefix(line.size() + line_end.size());
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
      return bad_request("A header line is not 'Name: value'.");
    }
    const auto value = trimmed(line.substr(colon + 1));
    if (!std::ranges::all_of(value, is_value_char)) return bad_request("A header value holds control characters.");
    if (auto refusal = read_field(line.substr(0, colon), value, framing, head)) return *refusal;
  }
  if (auto refusal = conclude(framing, head)) return *refusal;
  return head;
}

bool is_host(std::string_view text) {
  constexpr std::size_t bytes_max = 262;  // the longest DNS name, a colon and a port
  return !text.empty() && text.size() <= bytes_max && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == ':' || c == '[' || c == ']';
  });
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace quire::http
