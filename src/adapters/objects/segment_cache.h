#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "adapters/objects/blob_objects.h"
#include "adapters/objects/memory_budget.h"
#include "adapters/objects/segment_buffer.h"
#include "adapters/objects/worker_pool.h"

namespace quire::adapters::objects {

/// Whole segments in memory, each compared with its digest before anybody sees a byte of it: those that are being read,
/// those that will be next, and, for as long as nobody needs the memory, those that were. Readers of the same blob
/// share them, so each is fetched once. All threads may call it.
class SegmentCache {
 public:
  SegmentCache(BlobObjects& objects, MemoryBudget& memory, WorkerPool& pool)
      : objects_(objects), memory_(memory), pool_(pool) {}
  ~SegmentCache();
  SegmentCache(const SegmentCache&) = delete;
  SegmentCache& operator=(const SegmentCache&) = delete;

  /// Fills `bytes` from `offset` of the segment on; there are as many. Fetches the segment unless it is there, and
  /// waits for memory. Errors as BlobObjects::get_segment().
  base::Result<void> read(const content::BlobId& blob, const Segment& segment, std::int64_t offset,
                          std::span<std::byte> bytes);
  /// Fetches the segment in the background when there is memory that nobody needs. What cannot be fetched is met when
  /// it is read.
  void fetch_ahead(const content::BlobId& blob, const Segment& segment);
  /// Its reader does not need it any more: it goes first when memory is needed.
  void spend(const content::BlobId& blob, const Segment& segment);

  /// MemoryBudget::try_take(), with spent segments out of the way where needed.
  bool take_memory(std::size_t bytes);
  /// Lets go of what nobody reads just now, spent segments first, until nobody lacks memory.
  void relieve();

 private:
  enum class State { queued, fetching, ready, failed };
  struct Entry {
    std::string key;
    content::BlobId blob;
    Segment segment;
    State state = State::queued;
    std::size_t cost = 0;  ///< bytes of memory taken
    SegmentBuffer buffer;
    int pins = 0;  ///< how many copy from it just now, or wait to
    bool spent = false;
    std::optional<base::Error> failure;
  };
  using Entries = std::list<std::shared_ptr<Entry>>;

  std::shared_ptr<Entry> insert(const content::BlobId& blob, const Segment& segment, State state);
  void fetch(const std::shared_ptr<Entry>& entry);
  void forget(const Entry& entry);
  bool evict_one(bool all);

  BlobObjects& objects_;
  MemoryBudget& memory_;
  WorkerPool& pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Entries entries_;  ///< what goes first stands first
  std::map<std::string, Entries::iterator, std::less<>> by_key_;
};

}  // namespace quire::adapters::objects
