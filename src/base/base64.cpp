#include "base/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace quire::base {

std::string to_base64(std::span<const std::byte> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and the NUL that OpenSSL writes
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
  constexpr std::size_t text_max = 1U << 30U;
  constexpr std::size_t padding_max = 2;
  if (text.empty()) return std::vector<std::byte>();
  if (text.size() % 4 != 0 || text.size() > text_max) return std::nullopt;
  // OpenSSL passes over blanks at the ends, and takes padding anywhere in the last four characters.
  const auto digits = text.substr(0, text.find_last_not_of('=') + 1);
  const auto padding = text.size() - digits.size();
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  if (padding > padding_max || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::vector<std::byte> bytes(text.size() / 4 * 3);
  const int count = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                    reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (count < 0) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace quire::base
