#include "service/blob_intake.h"

#include <algorithm>

#include "base/check.h"

namespace quire::service {
namespace {

/// Smaller chunks are hashed in line: waking a thread would cost more.
constexpr std::size_t parallel_bytes_min = 128 * 1024;

}  // namespace

struct ParallelHasher::Lane {
  explicit Lane(base::DigestAlgorithm algorithm) : hasher(algorithm) {}

  void start() {
    if (thread.joinable()) return;
    thread = std::thread([this] {
      for (;;) {
        go.acquire();
        if (ending) return;
        hasher.update(bytes);
        done.release();
      }
    });
  }

  base::Hasher hasher;
  std::span<const std::byte> bytes;
  std::binary_semaphore go{0};
  std::binary_semaphore done{0};
  bool ending = false;
  bool running = false;
  std::thread thread;
};

ParallelHasher::ParallelHasher(const std::vector<base::DigestAlgorithm>& algorithms) {
  for (const auto algorithm : algorithms) lanes_.push_back(std::make_unique<Lane>(algorithm));
}

ParallelHasher::~ParallelHasher() {
  for (auto& lane : lanes_) {
    if (!lane->thread.joinable()) continue;
    if (lane->running) lane->done.acquire();
    lane->ending = true;
    lane->go.release();
    lane->thread.join();
  }
}

void ParallelHasher::begin(std::span<const std::byte> bytes) {
  for (auto& lane : lanes_) {
    if (bytes.size() < parallel_bytes_min) {
      lane->hasher.update(bytes);
      continue;
    }
    lane->start();
    lane->bytes = bytes;
    lane->running = true;
    lane->go.release();
  }
}

void ParallelHasher::wait() {
  for (auto& lane : lanes_) {
    if (!lane->running) continue;
    lane->done.acquire();
    lane->running = false;
  }
}

std::vector<base::Checksum> ParallelHasher::finish() {
  std::vector<base::Checksum> digests;
  for (auto& lane : lanes_) digests.push_back(lane->hasher.finish());
  return digests;
}

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
  hasher_->begin(bytes);
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
