#include "base/uri.h"

#include <algorithm>

#include "base/file_name.h"
#include "base/hex.h"

namespace quire::base {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_unreserved_or(std::string_view others, char c) {
  return is_letter(c) || is_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos ||
         others.find(c) != std::string_view::npos;
}

void append_escape(std::string& to, char c) {
  static constexpr char digits[] = "0123456789ABCDEF";
  to += '%';
  to += digits[static_cast<unsigned char>(c) >> 4U];
  to += digits[static_cast<unsigned char>(c) & 15U];
}

/// The five parts of RFC 3986 appendix B; a part that is not there differs from an empty one.
struct UriParts {
  std::optional<std::string_view> scheme, authority;
  std::string_view path;
  std::optional<std::string_view> query, fragment;
};

bool is_scheme(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

UriParts take_apart(std::string_view uri) {
  UriParts parts;
  if (const auto hash = uri.find('#'); hash != std::string_view::npos) {
    parts.fragment = uri.substr(hash + 1);
    uri = uri.substr(0, hash);
  }
  if (const auto mark = uri.find('?'); mark != std::string_view::npos) {
    parts.query = uri.substr(mark + 1);
    uri = uri.substr(0, mark);
  }
  if (const auto colon = uri.find(':'); colon != std::string_view::npos && is_scheme(uri.substr(0, colon))) {
    parts.scheme = uri.substr(0, colon);
    uri.remove_prefix(colon + 1);
  }
  if (uri.starts_with("//")) {
    const auto end = std::min(uri.find('/', 2), uri.size());
    parts.authority = uri.substr(2, end - 2);
    uri.remove_prefix(end);
  }
  parts.path = uri;
  return parts;
}

/// RFC 3986 5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  const auto drop_last = [&] { out.resize(out.find('/') == std::string::npos ? 0 : out.rfind('/')); };
  while (!path.empty()) {
    if (path.starts_with("../")) {
      path.remove_prefix(3);
    } else if (path.starts_with("./") || path.starts_with("/./")) {
      path.remove_prefix(2);
    } else if (path == "/.") {
      path = "/";
    } else if (path.starts_with("/../")) {
      path.remove_prefix(3);
      drop_last();
    } else if (path == "/..") {
      path = "/";
      drop_last();
    } else if (path == "." || path == "..") {
      path = {};
    } else {
      const auto end = std::min(path.find('/', 1), path.size());
      out += path.substr(0, end);
      path.remove_prefix(end);
    }
  }
  return out;
}

/// RFC 3986 5.2.3.
std::string beside(const UriParts& base, std::string_view path) {
  if (base.authority && base.path.empty()) return "/" + std::string(path);
  const auto slash = base.path.rfind('/');
  return std::string(base.path.substr(0, slash == std::string_view::npos ? 0 : slash + 1)) + std::string(path);
}

}  // namespace

std::string percent_encode_path(std::string_view text) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved_or("/", c)) {
      encoded += c;
    } else {
      append_escape(encoded, c);
    }
  }
  return encoded;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto byte = from_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    decoded += static_cast<char>(byte->front());
    i += 2;
  }
  return decoded;
}

std::string uri_scheme(std::string_view uri) {
  const auto colon = uri.find(':');
  return colon == std::string_view::npos ? "" : to_lower(uri.substr(0, colon));
}

std::string resolve_reference(std::string_view base, std::string_view reference) {
  const auto from = take_apart(base);
  const auto to = take_apart(reference);
  auto authority = to.authority;
  auto query = to.query;
  std::string path;
  if (to.scheme || to.authority || to.path.starts_with('/')) {
    path = without_dot_segments(to.path);
  } else if (to.path.empty()) {
    path = from.path;
    if (!query) query = from.query;
  } else {
    path = without_dot_segments(beside(from, to.path));
  }
  if (!to.scheme && !authority) authority = from.authority;

  std::string uri;
  if (const auto scheme = to.scheme ? to.scheme : from.scheme) uri.append(*scheme).append(":");
  if (authority) uri.append("//").append(*authority);
  uri += path;
  if (query) uri.append("?").append(*query);
  if (to.fragment) uri.append("#").append(*to.fragment);
  return uri;
}

std::string relative_reference(std::string_view href) {
  // `..?x` is the name of a file, but as path and query it would lead up.
  const bool has_query = !file_name_problem(href.substr(0, href.find('?')));
  const std::string_view reserved = has_query ? ":/[]@!$&'()*+,;=?" : ":/[]@!$&'()*+,;=";
  std::string reference;
  if (href.substr(0, href.find('/')).find(':') != std::string_view::npos) reference = "./";
  for (std::size_t i = 0; i < href.size(); ++i) {
    const bool escape =
        href[i] == '%' && from_hex(href.substr(i + 1, 2)).value_or(std::vector<std::byte>()).size() == 1;
    if (escape || is_unreserved_or(reserved, href[i])) {
      reference += href[i];
    } else {
      append_escape(reference, href[i]);
    }
  }
  return reference;
}

}  // namespace quire::base
