#include "base/digest.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"
#include "base/hex.h"

namespace quire::base {
namespace {

/// Fetched once: EVP_sha256() and its like are looked up anew by each digest that begins.
const EVP_MD* method_of(DigestAlgorithm algorithm) {
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  switch (algorithm) {
    case DigestAlgorithm::SHA1:
      return sha1;
    case DigestAlgorithm::MD5:
      return md5;
    case DigestAlgorithm::SHA256:
      return sha256;
    case DigestAlgorithm::SHA512:
      return sha512;
  }
  fail_check(__FILE__, __LINE__, "known digest algorithm");
}

}  // namespace

const Checksum* find_digest(const std::vector<Checksum>& digests, DigestAlgorithm algorithm) {
  const auto found = std::ranges::find(digests, algorithm, &Checksum::algorithm);
  return found == digests.end() ? nullptr : &*found;
}

struct Hasher::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> evp{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

std::string_view name_of(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::SHA1:
      return "SHA1";
    case DigestAlgorithm::MD5:
      return "MD5";
    case DigestAlgorithm::SHA256:
      return "SHA256";
    case DigestAlgorithm::SHA512:
      return "SHA512";
  }
  fail_check(__FILE__, __LINE__, "known digest algorithm");
}

std::optional<DigestAlgorithm> digest_algorithm(std::string_view name) {
  const auto lower = to_lower(name);
  for (const auto algorithm : all_digest_algorithms)
    if (lower == to_lower(name_of(algorithm))) return algorithm;
  return std::nullopt;
}

std::size_t hex_length(DigestAlgorithm algorithm) {
  return static_cast<std::size_t>(EVP_MD_get_size(method_of(algorithm))) * 2;
}

Hasher::Hasher(DigestAlgorithm algorithm) : algorithm_(algorithm), context_(std::make_unique<Context>()) {
  QUIRE_CHECK(EVP_DigestInit_ex(context_->evp.get(), method_of(algorithm), nullptr) == 1);
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher Hasher::clone() const {
  Hasher copy(algorithm_);
  QUIRE_CHECK(EVP_MD_CTX_copy_ex(copy.context_->evp.get(), context_->evp.get()) == 1);
  return copy;
}

void Hasher::update(std::span<const std::byte> bytes) {
  QUIRE_CHECK(EVP_DigestUpdate(context_->evp.get(), bytes.data(), bytes.size()) == 1);
}

Checksum Hasher::finish() {
  std::array<std::byte, EVP_MAX_MD_SIZE> value{};
  unsigned length = 0;
  QUIRE_CHECK(EVP_DigestFinal_ex(context_->evp.get(), reinterpret_cast<unsigned char*>(value.data()), &length) == 1);
  return {algorithm_, to_hex(std::span(value).first(length))};
}

Checksum digest_of(DigestAlgorithm algorithm, std::span<const std::byte> bytes) {
  Hasher hasher(algorithm);
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace quire::base
