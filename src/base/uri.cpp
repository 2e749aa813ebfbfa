#include "base/uri.h"

#include <algorithm>

#include "base/hex.h"

namespace quire::base {

std::string percent_encode_path(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[static_cast<unsigned char>(c) >> 4U];
      encoded += digits[static_cast<unsigned char>(c) & 15U];
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

std::string uri_for_people(std::string_view uri) {
  uri = uri.substr(0, uri.find_first_of("?#"));
  const auto scheme_end = uri.find("://");
  if (scheme_end == std::string_view::npos) return std::string(uri);
  const auto authority = scheme_end + 3;
  const auto authority_end = std::min(uri.find('/', authority), uri.size());
  const auto at = uri.substr(0, authority_end).rfind('@');
  if (at == std::string_view::npos || at < authority) return std::string(uri);
  return std::string(uri.substr(0, authority)) + std::string(uri.substr(at + 1));
}

std::string sibling_uri(std::string_view uri, std::string_view name) {
  uri = uri.substr(0, uri.find_first_of("?#"));
  const auto scheme_end = uri.find("://");
  const auto authority = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  const auto slash = uri.rfind('/');
  const bool has_path = slash != std::string_view::npos && slash >= authority;
  return std::string(has_path ? uri.substr(0, slash + 1) : uri) + (has_path ? "" : "/") + percent_encode_path(name);
}

}  // namespace quire::base
