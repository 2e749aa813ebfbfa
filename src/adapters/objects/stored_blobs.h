#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "adapters/objects/blob_objects.h"
#include "adapters/objects/id_locks.h"
#include "adapters/objects/memory_budget.h"
#include "adapters/objects/segment_cache.h"
#include "adapters/objects/segment_files.h"
#include "adapters/objects/segment_stream.h"
#include "adapters/objects/segmented_blob_store.h"
#include "adapters/objects/unfinished_blob.h"
#include "adapters/objects/worker_pool.h"

namespace quire::adapters::objects {

/// What a reader shows: a blob as it was committed, or as far as it was there when it was opened.
struct OpenBlob {
  content::BlobId id;
  BlobIndex index;
};

/// What a SegmentedBlobStore shares with its writers and readers: which blobs are being written and read. All threads
/// may call it. Errors as SegmentedBlobStore says.
class StoredBlobs : public std::enable_shared_from_this<StoredBlobs> {
 public:
  StoredBlobs(std::unique_ptr<content::ObjectStore> objects, SegmentedBlobStoreOptions options);

  const SegmentedBlobStoreOptions& options() const { return options_; }
  BlobObjects& objects() { return objects_; }
  SegmentCache& cache() { return cache_; }
  MemoryBudget& memory() { return memory_; }
  WorkerPool& pool() { return pool_; }

  base::Result<std::shared_ptr<UnfinishedBlob>> begin(const content::BlobId& id);
  /// One that is being written, or was left by an earlier process.
  base::Result<std::shared_ptr<UnfinishedBlob>> unfinished(const content::BlobId& id);
  std::shared_ptr<SegmentStream> stream(const std::shared_ptr<UnfinishedBlob>& blob, std::int64_t position);

  struct Committed {
    base::Result<void> result;
    bool unknown = false;  ///< it may be committed nevertheless: nothing of it may be removed
  };
  Committed commit(const std::shared_ptr<UnfinishedBlob>& blob, std::int64_t size);
  base::Result<void> reopen(const content::BlobId& id);
  base::Result<void> remove(const content::BlobId& id);
  /// Unless it has been committed, or removed and begun again.
  base::Result<void> remove(const std::shared_ptr<UnfinishedBlob>& blob);
  base::Result<void> remove_unfinished(const std::function<bool(const content::BlobId&)>& keeps);

  base::Result<std::shared_ptr<const OpenBlob>> open(const content::BlobId& id);
  base::Result<std::shared_ptr<const OpenBlob>> open_unfinished(const content::BlobId& id);

 private:
  struct Reading {
    std::size_t open = 0;                     ///< OpenBlobs
    std::weak_ptr<const OpenBlob> committed;  ///< for those who open it next
    std::vector<Segment> doomed;              ///< go when the last of them goes
  };

  base::Result<void> remove_locked(const content::BlobId& id);
  std::shared_ptr<UnfinishedBlob> find_unfinished(const content::BlobId& id);
  std::shared_ptr<const OpenBlob> find_committed(const content::BlobId& id);
  std::shared_ptr<const OpenBlob> opened(const content::BlobId& id, BlobIndex index, bool committed);
  void closed(const content::BlobId& id);
  base::Result<void> remove_when_unread(const content::BlobId& id, std::vector<Segment> segments);
  void discard(const content::BlobId& id, std::vector<Segment> segments);
  void remove_strays();
  void relieve();
  base::Error no_unfinished(const content::BlobId& id) const;
  base::Error not_committed(const content::BlobId& id) const;

  const SegmentedBlobStoreOptions options_;
  const std::unique_ptr<SegmentFiles> files_;  ///< nullptr: nothing is kept on this machine
  BlobObjects objects_;
  MemoryBudget memory_;
  IdLocks id_locks_;  ///< held while a blob changes its state

  std::mutex mutex_;
  std::map<content::BlobId, std::shared_ptr<UnfinishedBlob>> unfinished_;
  std::map<content::BlobId, Reading> reading_;
  std::vector<std::pair<content::BlobId, std::vector<Segment>>> strays_;  ///< could not be removed so far
  std::vector<std::weak_ptr<SegmentStream>> streams_;

  std::mutex relieving_;
  SegmentCache cache_;
  const SegmentWorks works_;
  WorkerPool pool_;  ///< last: its tasks use the others
};

}  // namespace quire::adapters::objects
