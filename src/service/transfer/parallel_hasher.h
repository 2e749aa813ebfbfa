#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/digest.h"

namespace quire::service {

/// Several digests of the same bytes, each on a thread of its own once chunks are large, so that hashing overlaps with
/// everything else (performance.md "What profiles showed"). One thread at a time.
class ParallelHasher {
 public:
  explicit ParallelHasher(const std::vector<base::DigestAlgorithm>& algorithms);
  /// Goes on from where `hashers` are.
  explicit ParallelHasher(std::vector<base::Hasher> hashers);
  ~ParallelHasher();
  ParallelHasher(const ParallelHasher&) = delete;
  ParallelHasher& operator=(const ParallelHasher&) = delete;

  /// Hashes `bytes` soon. They must stay as they are until wait() returns or, when there is one, `owner` has been let
  /// go of here. Blocks while several chunks wait already, which bounds the memory that they hold.
  void add(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner = nullptr);
  /// Returns when everything that was added has been hashed.
  void wait();

  /// What the digests have seen so far, to come back to. Waits.
  std::vector<base::Hasher> snapshot();
  /// The digests of everything that was added. Waits; nothing may be added afterwards.
  std::vector<base::Checksum> finish();

 private:
  class Lane;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace quire::service
