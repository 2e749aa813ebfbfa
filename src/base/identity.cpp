#include "base/identity.h"

#include <openssl/rand.h>

#include <array>
#include <cstring>

#include "base/check.h"
#include "base/hex.h"

namespace quire::base {
namespace {

std::array<unsigned char, 16> random_bytes() {
  std::array<unsigned char, 16> bytes{};
  QUIRE_CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1);
  return bytes;
}

std::string uuid_text(std::array<unsigned char, 16> bytes, unsigned version) {
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | version << 4U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);
  auto text = to_hex(std::as_bytes(std::span(bytes)));
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
  return text;
}

}  // namespace

std::string RandomIdentitySource::uuid() { return uuid_text(random_bytes(), 4); }

std::string RandomIdentitySource::uuid_made_at(Time now) {
  auto bytes = random_bytes();
  auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = 6; i-- > 0; milliseconds >>= 8U) bytes[i] = static_cast<unsigned char>(milliseconds & 0xFFU);
  return uuid_text(bytes, 7);
}

std::string RandomIdentitySource::secret() {
  const auto bytes = random_bytes();
  return to_hex(std::as_bytes(std::span(bytes)));
}

std::uint64_t RandomIdentitySource::number() {
  std::uint64_t number = 0;
  std::memcpy(&number, random_bytes().data(), sizeof number);
  return number;
}

bool looks_like_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex_digit(text[i])) return false;
  }
  return true;
}

}  // namespace quire::base
