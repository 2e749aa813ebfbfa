#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "content/ids.h"

namespace quire::content {

/// Bytes on their way to durable storage.
///
/// Used by one thread at a time. Nothing can be opened until commit() returns a value. A writer destroyed before that
/// removes what it wrote.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;

  /// Appends `bytes`. UnableToAllocateResource when the storage is full; after any failure only destroy the writer.
  virtual base::Result<void> append(std::span<const std::byte> bytes) = 0;

  /// Makes data, name and directory durable: once it returns a value, a power cut cannot lose the blob. Call once.
  virtual base::Result<void> commit() = 0;
};

/// An open blob; keeps its bytes readable even when the blob is removed meanwhile. All threads may read.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  virtual std::int64_t size() const = 0;
  /// Fills `buffer` from `offset`; returns how many bytes there were, 0 only at the end.
  virtual base::Result<std::size_t> read(std::int64_t offset, std::span<std::byte> buffer) = 0;
  /// A file descriptor for `sendfile`, owned by the reader; nullopt where the bytes are no local file.
  virtual std::optional<int> file_descriptor() const = 0;
};

/// Holds blobs of one storage, each written once and never changed (architecture.md "Bytes"). All threads may call it.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// Starts the blob `id`, which must be new. `expected_bytes` reserves space: UnableToAllocateResource when it is not
  /// there.
  virtual base::Result<std::unique_ptr<BlobWriter>> create(const BlobId& id,
                                                           std::optional<std::int64_t> expected_bytes) = 0;

  /// NotFound when there is no committed blob of that id.
  virtual base::Result<std::unique_ptr<BlobReader>> open(const BlobId& id) = 0;

  /// Removes a blob; success when it is not there.
  virtual base::Result<void> remove(const BlobId& id) = 0;

  /// Calls `visit` for every committed blob, in no particular order.
  virtual base::Result<void> list(const std::function<void(const BlobId&)>& visit) = 0;

  /// Removes what crashed writers left behind. Only while no writer is open, so at start.
  virtual base::Result<void> remove_unfinished() = 0;

  struct Space {
    std::int64_t capacity_bytes = 0;
    std::int64_t free_bytes = 0;
  };
  virtual base::Result<Space> space() = 0;

  /// `file:///…` of the blob, for storage listings.
  virtual std::string uri(const BlobId& id) const = 0;
};

}  // namespace quire::content
