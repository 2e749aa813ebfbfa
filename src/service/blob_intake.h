#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/digest.h"
#include "service/context.h"
#include "service/parallel_hasher.h"

namespace quire::service {

/// Bytes that arrive for one blob from its start to its end: hashed and written side by side. One thread at a time.
/// Destroyed before commit() it leaves nothing.
class BlobIntake {
 public:
  /// UnableToAllocateResource when `expected_bytes` cannot be reserved. SHA-256 is always among the digests.
  static base::Result<std::unique_ptr<BlobIntake>> begin(Context& context, const content::Storage& storage,
                                                         std::optional<std::int64_t> expected_bytes,
                                                         std::vector<base::DigestAlgorithm> algorithms);

  base::Result<void> append(std::span<const std::byte> bytes);
  std::int64_t size() const { return size_; }

  /// The digests of all bytes; nothing may be appended afterwards. Call once, before commit().
  const std::vector<base::Checksum>& digests();
  /// Makes the bytes durable; the row that may now name them.
  base::Result<content::Blob> commit();

 private:
  BlobIntake(content::BlobId id, content::StorageId storage, std::unique_ptr<content::BlobWriter> writer,
             const std::vector<base::DigestAlgorithm>& algorithms);

  content::BlobId id_;
  content::StorageId storage_;
  std::unique_ptr<content::BlobWriter> writer_;
  std::unique_ptr<ParallelHasher> hasher_;
  std::vector<base::Checksum> digests_;
  std::int64_t size_ = 0;
};

}  // namespace quire::service
