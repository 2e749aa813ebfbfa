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

/// Bytes on their way to durable storage, from one position of a blob on. Used by one thread at a time.
///
/// Nothing can be opened until some writer's commit() has returned a value. The writer that create() gave removes the
/// blob when it is destroyed before commit() or detach(); those of resume() never do.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;

  /// Writes `bytes` and moves on behind them. UnableToAllocateResource when the storage is full; after any failure only
  /// destroy the writer.
  virtual base::Result<void> append(std::span<const std::byte> bytes) = 0;

  /// Makes what was appended durable, but possibly not the last bytes, as many as the storage writes at once; returns
  /// the position up to which it is.
  virtual base::Result<std::int64_t> sync() = 0;

  /// Makes all that was appended durable; the blob is unfinished still. Then nothing but detach().
  virtual base::Result<void> flush() = 0;

  /// The blob stays, unfinished, when the writer goes; remove() or a commit ends that. From any thread.
  virtual void detach() = 0;

  /// The blob ends here. Makes data, name and directory durable: once it returns a value, a power cut cannot lose the
  /// blob, as far as other writers' parts are durable. Call once, when no other writer of the blob is open.
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

  /// True when nothing has written to the blob since commit() or seal(). False when something may have, or when this
  /// cannot be told: then only the digest of all bytes tells what they are.
  virtual bool sealed() const = 0;
  /// Makes sealed() true again, for bytes whose digest has been checked.
  virtual base::Result<void> seal() = 0;
};

/// Holds blobs of one storage, each written once and never changed (architecture.md "Bytes"). All threads may call it.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// Starts the blob `id`, which must be new. `expected_bytes` reserves space where the storage can:
  /// UnableToAllocateResource when it is not there.
  virtual base::Result<std::unique_ptr<BlobWriter>> create(const BlobId& id,
                                                           std::optional<std::int64_t> expected_bytes) = 0;

  /// Another writer of an unfinished blob, from `position` on. Several may write at once where no two of them write the
  /// same bytes. NotFound when there is no such blob, or it has been committed.
  virtual base::Result<std::unique_ptr<BlobWriter>> resume(const BlobId& id, std::int64_t position) = 0;

  /// What is in an unfinished blob so far; anything may stand where nothing was written. NotFound as resume().
  virtual base::Result<std::unique_ptr<BlobReader>> open_unfinished(const BlobId& id) = 0;

  /// Makes a committed blob unfinished again, durably: its bytes are there, but nothing names it. Only while nobody
  /// reads it. NotFound when there is no committed blob of that id.
  virtual base::Result<void> reopen(const BlobId& id) = 0;

  /// NotFound when there is no committed blob of that id.
  virtual base::Result<std::unique_ptr<BlobReader>> open(const BlobId& id) = 0;

  /// Removes a blob, committed or not; success when it is not there.
  virtual base::Result<void> remove(const BlobId& id) = 0;

  /// Calls `visit` for every committed blob, in no particular order.
  virtual base::Result<void> list(const std::function<void(const BlobId&)>& visit) = 0;

  /// Removes the unfinished blobs that `keeps` does not want. Only while no writer is open, so at start.
  virtual base::Result<void> remove_unfinished(const std::function<bool(const BlobId&)>& keeps) = 0;

  struct Space {
    std::int64_t capacity_bytes = 0;
    std::int64_t free_bytes = 0;
  };
  virtual base::Result<Space> space() = 0;

  /// `file:///…` or `s3://…` of the blob, for storage listings.
  virtual std::string uri(const BlobId& id) const = 0;
};

}  // namespace quire::content
