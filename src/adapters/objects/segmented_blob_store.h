#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "content/blob_store.h"
#include "content/object_store.h"

namespace quire::adapters::objects {

struct SegmentedBlobStoreOptions {
  std::string storage_name;  ///< as people know it, for error texts
  std::string base_uri;      ///< `s3://bucket/prefix`, without a trailing slash
  /// The largest segment: a multiple of 4,096, at least that. May change at any time; what is stored stays as it is.
  std::size_t segment_bytes = std::size_t{8} << 20U;
  /// For the bytes of all writers and readers together; at least two segments.
  std::size_t memory_bytes_max = std::size_t{64} << 20U;
  std::size_t threads = 8;  ///< that hash, send and read ahead
  /// What the operator lets this storage hold, as an object store tells nothing of the kind; 0: not told.
  std::int64_t capacity_bytes = 0;
  /// Segments that were read are kept as files there, up to so many bytes; 0: none are. The folder is this store's
  /// alone.
  std::filesystem::path cache_folder = {};
  std::int64_t cache_bytes_max = 0;
  /// Why the object store cannot be used just now, if it cannot: space() tells it. Called by any thread as long as the
  /// store stands; must not wait. Unset: nobody knows.
  std::function<std::optional<base::Error>()> problem = {};
};

/// Blobs as lists of write-once segments in an object store (docs/decisions/0023-blobs-in-an-object-store.md). This
/// process alone writes there.
///
///     <id>/<position>-<order>-<sha256>   bytes of the blob from a position on: 16 digits, 16 digits, 64 digits, all
///                                        hexadecimal; of two that overlap, the larger order holds
///     <id>/index                         written last: the segments of a committed blob (blob_index.h)
///
/// Objects with other keys are left alone. Ids are as in FileBlobStore; creating one that is there already is
/// InternalServerError.
///
/// Writers gather a segment, send it in the background, up to 3 each at once, and tell of what failed with their next
/// call. sync() waits for nothing: it tells what is stored, so up to four segments may be missing at the end. Several
/// writers may replace bytes: whatever was appended last holds. commit() of a blob of which bytes were never written is
/// InternalServerError.
///
/// Every segment that is read is compared with its SHA-256 before a byte of it is given out, so a reader's sealed() is
/// always true and seal() does nothing. InternalServerError (`quire.blob.damaged`) when the store has not what was
/// stored there. An open_unfinished() reader shows what was stored when it was opened, and zeros where nothing was
/// written.
///
/// Memory is counted for all writers and readers together. When it is short, segments are cut shorter, but hardly ever
/// under 256 KiB; who waits for some has those sent whose writers do nothing just now. Reading ahead, two segments, is
/// for memory that nobody needs. What is not counted: 200 bytes for each segment of blobs that are open or unfinished.
///
/// An object store reserves nothing: `expected_bytes` is ignored, and space() is what the operator has granted less
/// what all blobs have together. The first call, unless remove_unfinished() came before, counts by listing everything;
/// no later one asks the store.
///
/// A removed blob whose bytes are still being read keeps its segments until the last reader closes; its index goes at
/// once, so that remove_unfinished() finds what a crash leaves of it. remove() and the destruction of a writer that has
/// not committed wait for segments that are being sent, and for the store. Segments that were replaced go after the
/// commit; when that fails, at a later remove() or commit(), or with the blob.
///
/// Errors: besides those of the port, those of the object store for every call that asks it.
///
/// Writers and readers may outlive the store; what they do then takes place in the calling thread.
class SegmentedBlobStore final : public content::BlobStore {
 public:
  SegmentedBlobStore(std::unique_ptr<content::ObjectStore> objects, SegmentedBlobStoreOptions options);
  /// Waits for what is being sent or removed in the background.
  ~SegmentedBlobStore() override;

  base::Result<std::unique_ptr<content::BlobWriter>> create(const content::BlobId& id,
                                                            std::optional<std::int64_t> expected_bytes) override;
  base::Result<std::unique_ptr<content::BlobWriter>> resume(const content::BlobId& id, std::int64_t position) override;
  base::Result<std::unique_ptr<content::BlobReader>> open_unfinished(const content::BlobId& id) override;
  base::Result<void> reopen(const content::BlobId& id) override;
  base::Result<std::unique_ptr<content::BlobReader>> open(const content::BlobId& id) override;
  base::Result<void> remove(const content::BlobId& id) override;
  base::Result<void> list(const std::function<void(const content::BlobId&)>& visit) override;
  base::Result<void> remove_unfinished(const std::function<bool(const content::BlobId&)>& keeps) override;
  base::Result<Space> space() override;
  std::string uri(const content::BlobId& id) const override;

  struct Memory {
    std::size_t used_bytes = 0;
    std::size_t most_used_bytes = 0;  ///< since the start
  };
  Memory memory() const;

 private:
  const std::shared_ptr<class StoredBlobs> blobs_;
};

}  // namespace quire::adapters::objects
