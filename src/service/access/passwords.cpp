#include "service/access/passwords.h"

#include <sodium.h>

#include <array>

#include "base/check.h"

namespace quire::service {
namespace {

constexpr unsigned long long hash_passes = 2;
constexpr std::size_t hash_memory_bytes = 19ULL << 20U;

void start_sodium() {
  static const bool started = sodium_init() >= 0;
  QUIRE_CHECK(started);
}

}  // namespace

base::Result<std::string> hash_of_password(std::string_view password) {
  start_sodium();
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), hash_passes, hash_memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return base::internal_error("Argon2id found no memory");
  return std::string(hash.data());
}

bool is_password_of(const std::string& hash, std::string_view password) {
  start_sodium();
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

}  // namespace quire::service
