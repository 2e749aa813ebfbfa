#include "http/request_head.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/hex.h"

namespace quire::http {
namespace {

constexpr std::string_view line_end = "\r\n";

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }

bool is_target_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && c != '#';
}

constexpr std::uint64_t port_max = 65535;

/// With its brackets.
bool is_ipv6_address(std::string_view text) {
  if (text.size() < 2 || text.back() != ']') return false;
  in6_addr ignored{};
  return ::inet_pton(AF_INET6, std::string(text.substr(1, text.size() - 2)).c_str(), &ignored) == 1;
}

Refusal bad_request(std::string_view text) { return Refusal(400, base::make_message("quire.http.bad_request", text)); }

/// The authority of an absolute form takes the place of the Host field (RFC 9112 §3.2.2); its scheme says nothing that
/// the connection does not.
std::optional<Refusal> read_absolute_form(std::string_view target, RequestHead& head) {
  const auto scheme_end = target.find("://");
  const auto scheme = base::to_lower(target.substr(0, std::min(scheme_end, target.size())));
  if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    return bad_request("The request target is neither a path nor an http URL.");
  }
  const auto rest = target.substr(scheme_end + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  if (!is_host(authority)) return bad_request("The URL of the request has no host name or address, or a user name.");
  head.host = authority;
  const auto path = rest.substr(authority.size());
  head.target = path.starts_with('/') ? "" : "/";
  head.target += path;
  return std::nullopt;
}

/// The four forms of RFC 9112 §3.2.
std::optional<Refusal> read_target(std::string_view target, RequestHead& head) {
  if (head.method == "CONNECT") {
    const auto colon = target.rfind(':');
    const auto port = decimal(target.substr(colon + 1));
    if (colon == std::string_view::npos || !is_host(target) || !port || *port == 0) {
      return bad_request("The target of CONNECT is not 'host:port'.");
    }
    return Refusal(501, base::make_message("quire.http.connect", "This server is no proxy: there is no CONNECT."));
  }
  if (target == "*" && head.method != "OPTIONS") return bad_request("Only OPTIONS can be asked of '*'.");
  if (target != "*" && !target.starts_with('/')) return read_absolute_form(target, head);
  head.target = target;
  return std::nullopt;
}

/// `HTTP/` digit `.` digit, in capitals (RFC 9112 §2.3).
bool is_version(std::string_view text) {
  constexpr std::string_view name = "HTTP/";
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == name.size() + 3 && text.starts_with(name) && digit(text[5]) && text[6] == '.' && digit(text[7]);
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
  if (!is_version(version)) return bad_request("The request line does not end with an HTTP version.");
  if (!version.starts_with("HTTP/1.")) {
    return Refusal(505, base::make_message("quire.http.version", "Only HTTP/1.1 and HTTP/1.0 are spoken here."));
  }
  version_1_0 = version == "HTTP/1.0";
  head.method = method;
  return read_target(target, head);
}

/// What the fields say together, while they are read one by one.
struct Framing {
  bool version_1_0 = false;
  bool host_seen = false;
  std::optional<std::string> transfer_encoding;  ///< all fields of the name as one list
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
    framing.transfer_encoding = framing.transfer_encoding ? *framing.transfer_encoding + "," : "";
    *framing.transfer_encoding += value;
  } else if (key == "host") {
    if (framing.host_seen) return bad_request("There are two Host fields.");
    framing.host_seen = true;
    if (!value.empty() && !is_host(value)) return bad_request("The Host field is not a host name or address.");
    if (head.host.empty()) head.host = value;  // an absolute form has said it better
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

/// `chunked` alone (RFC 9112 §6.1). A list that does not end with it has no end that can be told: 400. Other codings
/// before it are not known here: 501.
std::optional<Refusal> read_transfer_encoding(std::string_view list, RequestHead& head) {
  std::vector<std::string> codings;
  each_member(list, [&](std::string coding) { codings.push_back(std::move(coding)); });
  if (codings.empty() || codings.back() != "chunked") {
    return bad_request("The last Transfer-Encoding is not 'chunked'.");
  }
  codings.pop_back();
  if (std::ranges::find(codings, "chunked") != codings.end()) {
    return bad_request("The Transfer-Encoding 'chunked' stands there twice.");
  }
  if (!codings.empty()) {
    return Refusal(501, base::make_message("quire.http.transfer_encoding",
                                           "The only Transfer-Encoding understood here is 'chunked'."));
  }
  head.chunked = true;
  return std::nullopt;
}

std::optional<Refusal> conclude(const Framing& framing, RequestHead& head) {
  if (!framing.version_1_0 && !framing.host_seen) return bad_request("The request has no Host field.");
  if (framing.transfer_encoding) {
    if (framing.version_1_0) return bad_request("HTTP/1.0 has no Transfer-Encoding.");
    if (head.content_length) return bad_request("The request has both Content-Length and Transfer-Encoding.");
    if (auto refusal = read_transfer_encoding(*framing.transfer_encoding, head)) return refusal;
  }
  head.keep_alive = !framing.close && (!framing.version_1_0 || framing.keep_alive);
  if (framing.version_1_0) head.expects_continue = false;
  return std::nullopt;
}

}  // namespace

bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos && c != '\0';
}

bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 ? byte != 0x7f : c == '\t';
}

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

bool has_bare_line_feed(std::string_view input, std::size_t searched) {
  for (auto at = input.find('\n', searched); at != std::string_view::npos; at = input.find('\n', at + 1)) {
    if (at == 0 || input[at - 1] != '\r') return true;
  }
  return false;
}

bool is_host(std::string_view text) {
  constexpr std::size_t host_bytes_max = 255;
  const auto host_end = text.starts_with('[') ? text.find(']') + 1 : text.find(':');
  const auto host = text.substr(0, host_end);
  const auto port = text.substr(host.size());
  if (port.size() > 1 && decimal(port.substr(1)).value_or(port_max + 1) > port_max) return false;
  if (!port.empty() && port.front() != ':') return false;
  if (text.starts_with('[')) return is_ipv6_address(host);
  return !host.empty() && host.size() <= host_bytes_max && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~").find(c) != std::string_view::npos;
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
