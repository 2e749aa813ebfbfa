#include "service/access/passwords.h"

#include <argon2.h>
#include <fmt/format.h>
#include <sodium.h>

#include <array>

#include "base/check.h"

namespace quire::service {
namespace {

constexpr std::size_t salt_bytes = 16;
constexpr std::size_t digest_bytes = 32;

void start_sodium() {
  static const bool started = sodium_init() >= 0;
  QUIRE_CHECK(started);
}

std::uint32_t memory_kib(const PasswordCost& cost) { return static_cast<std::uint32_t>(cost.memory_bytes / 1024); }

}  // namespace

// libsodium compares in half the time, but makes no digests of more than one lane.
base::Result<std::string> hash_of_password(std::string_view password, const PasswordCost& cost) {
  start_sodium();
  std::array<unsigned char, salt_bytes> salt{};
  randombytes_buf(salt.data(), salt.size());
  const auto passes = static_cast<std::uint32_t>(cost.passes);
  const auto lanes = static_cast<std::uint32_t>(cost.lanes);
  std::string hash(argon2_encodedlen(passes, memory_kib(cost), lanes, salt_bytes,
                                     static_cast<std::uint32_t>(digest_bytes), Argon2_id),
                   '\0');
  const int failure = argon2id_hash_encoded(passes, memory_kib(cost), lanes, password.data(), password.size(),
                                            salt.data(), salt.size(), digest_bytes, hash.data(), hash.size());
  if (failure != ARGON2_OK) return base::internal_error(std::string("Argon2id: ") + argon2_error_message(failure));
  hash.resize(hash.find('\0'));
  return hash;
}

bool is_password_of(const std::string& hash, std::string_view password) {
  start_sodium();
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool has_cost(std::string_view hash, const PasswordCost& cost) {
  return hash.starts_with(fmt::format("$argon2id$v={}$m={},t={},p={}$", static_cast<int>(ARGON2_VERSION_NUMBER),
                                      memory_kib(cost), cost.passes, cost.lanes));
}

}  // namespace quire::service
