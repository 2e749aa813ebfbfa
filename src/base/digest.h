#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/enumeration.h"

namespace quire::base {

/// The checksums of the API (content-library-api.md §12). Spelled as on the wire.
QUIRE_ENUM(DigestAlgorithm, SHA1, MD5, SHA256, SHA512)

inline constexpr std::array all_digest_algorithms = {DigestAlgorithm::SHA1, DigestAlgorithm::MD5,
                                                     DigestAlgorithm::SHA256, DigestAlgorithm::SHA512};

std::string_view name_of(DigestAlgorithm algorithm);
/// Ignores case; nullopt for an unknown name.
std::optional<DigestAlgorithm> digest_algorithm(std::string_view name);
/// Length of the digest in hexadecimal digits.
std::size_t hex_length(DigestAlgorithm algorithm);

/// One algorithm and its value in lower-case hexadecimal.
struct Checksum {
  DigestAlgorithm algorithm = DigestAlgorithm::SHA256;
  std::string hex;
  bool operator==(const Checksum&) const = default;
};

/// The one of `algorithm` among `digests`, or nullptr.
const Checksum* find_digest(const std::vector<Checksum>& digests, DigestAlgorithm algorithm);

/// A digest that grows with the bytes. One thread at a time.
class Hasher {
 public:
  explicit Hasher(DigestAlgorithm algorithm);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  /// One that has seen the same bytes and goes its own way from here.
  Hasher clone() const;

  DigestAlgorithm algorithm() const { return algorithm_; }
  void update(std::span<const std::byte> bytes);
  /// The digest of all bytes so far; the hasher must not be used afterwards.
  Checksum finish();

 private:
  struct Context;
  DigestAlgorithm algorithm_;
  std::unique_ptr<Context> context_;
};

/// The digest of `bytes` at once.
Checksum digest_of(DigestAlgorithm algorithm, std::span<const std::byte> bytes);

}  // namespace quire::base
