#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/digest.h"
#include "content/catalog.h"
#include "content/storage.h"

namespace quire::doctor {

/// Reads all bytes that lie on the storages again and again, slowly, beside a running server, and compares them with
/// their digests: damage is found while a backup still has the bytes. Used by one thread at a time.
class Scrub {
 public:
  /// Both must outlive it.
  Scrub(content::Catalog& catalog, const content::Storages& storages) : catalog_(catalog), storages_(storages) {}

  /// Reads up to `bytes` more. The Error names the blob whose damage was found by it, once in each round; the next call
  /// goes on behind it. Where a round goes on after a restart is remembered in the catalog, so that large storages are
  /// read to their end: one write for each GiB or so.
  base::Result<void> read_on(std::int64_t bytes);

  /// Rounds through all blobs that have ended.
  std::int64_t rounds() const { return rounds_; }

 private:
  struct Reading {
    content::Blob blob;
    const content::Storage* storage;
    std::unique_ptr<content::BlobReader> reader;
    base::Hasher hasher = base::Hasher(base::DigestAlgorithm::SHA256);
    std::int64_t offset = 0;
  };

  base::Result<void> load_position();
  base::Result<void> keep_position();
  base::Result<bool> step();
  base::Result<void> read_chunk(std::int64_t& budget);
  base::Result<void> finish();
  base::Result<void> damaged(std::string_view problem);

  content::Catalog& catalog_;
  const content::Storages& storages_;
  bool loaded_ = false;
  std::size_t storage_ = 0;  ///< place among all storages
  content::BlobId after_;    ///< the last one on it that is done
  std::optional<Reading> now_;
  std::vector<std::byte> chunk_;
  std::int64_t since_kept_ = 0;  ///< bytes read since the position was kept
  std::int64_t rounds_ = 0;
};

}  // namespace quire::doctor
