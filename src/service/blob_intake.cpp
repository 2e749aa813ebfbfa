#include "service/blob_intake.h"

#include <algorithm>

#include "base/check.h"

namespace quire::service {

base::Result<std::unique_ptr<BlobIntake>> BlobIntake::begin(Context& context, const content::Storage& storage,
                                                            std::optional<std::int64_t> expected_bytes,
                                                            std::vector<base::DigestAlgorithm> algorithms) {
  algorithms.push_back(base::DigestAlgorithm::SHA256);
  std::sort(algorithms.begin(), algorithms.end());
  algorithms.erase(std::unique(algorithms.begin(), algorithms.end()), algorithms.end());
  const content::BlobId id(context.identities.uuid());
  auto writer = storage.blobs->create(id, expected_bytes);
  if (!writer) return writer.error();
  return std::unique_ptr<BlobIntake>(new BlobIntake(id, storage.id, *std::move(writer), algorithms));
}

BlobIntake::BlobIntake(content::BlobId id, content::StorageId storage, std::unique_ptr<content::BlobWriter> writer,
                       const std::vector<base::DigestAlgorithm>& algorithms)
    : id_(std::move(id)),
      storage_(std::move(storage)),
      writer_(std::move(writer)),
      hasher_(std::make_unique<ParallelHasher>(algorithms)) {}

base::Result<void> BlobIntake::append(std::span<const std::byte> bytes) {
  hasher_->add(bytes);
  auto written = writer_->append(bytes);
  hasher_->wait();
  size_ += static_cast<std::int64_t>(bytes.size());
  return written;
}

const std::vector<base::Checksum>& BlobIntake::digests() {
  if (hasher_) digests_ = hasher_->finish();
  hasher_.reset();
  return digests_;
}

base::Result<content::Blob> BlobIntake::commit() {
  const auto& all = digests();
  const auto sha256 = std::find_if(
      all.begin(), all.end(), [](const auto& digest) { return digest.algorithm == base::DigestAlgorithm::SHA256; });
  QUIRE_CHECK(sha256 != all.end());
  if (auto committed = writer_->commit(); !committed) return committed.error();
  return content::Blob{id_, storage_, size_, sha256->hex};
}

}  // namespace quire::service
