#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "base/result.h"

namespace quire::service {

/// Makes chunks of a mebibyte of the small pieces in which bytes come from a network: aligned to pages, so that they
/// are written without being copied again, and shared, so that hashing them goes on meanwhile. Holds one chunk, and
/// those that nobody has let go of. One thread at a time.
class ChunkGatherer {
 public:
  static constexpr std::size_t chunk_bytes = std::size_t{1} << 20U;
  /// Takes a chunk, which stays as it is as long as somebody holds `owner`.
  using Take =
      std::function<base::Result<void>(std::span<const std::byte> chunk, const std::shared_ptr<const void>& owner)>;

  explicit ChunkGatherer(Take take);

  /// Errors of `take`.
  base::Result<void> add(std::span<const std::byte> bytes);
  /// Hands on what is left, as a chunk that is shorter. Errors of `take`.
  base::Result<void> flush();
  /// Forgets what is left.
  void clear() { filled_ = 0; }

 private:
  class Spare;

  Take take_;
  std::shared_ptr<Spare> spare_;  ///< chunks that nobody holds any more, to be filled again
  std::shared_ptr<std::byte> chunk_;
  std::size_t filled_ = 0;
};

}  // namespace quire::service
