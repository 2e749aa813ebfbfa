#include "base/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstddef>
#include <span>

#include "base/check.h"
#include "base/hex.h"

namespace quire::base {

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  QUIRE_CHECK(made != nullptr);
  return to_hex(std::as_bytes(std::span(digest).first(length)));
}

}  // namespace quire::base
