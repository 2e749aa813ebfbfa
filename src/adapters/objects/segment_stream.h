#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "adapters/objects/blob_objects.h"
#include "adapters/objects/memory_budget.h"
#include "adapters/objects/segment_buffer.h"
#include "adapters/objects/segment_cache.h"
#include "adapters/objects/unfinished_blob.h"
#include "adapters/objects/worker_pool.h"

namespace quire::adapters::objects {

/// What streams of segments are made of and work with. Outlives them.
struct SegmentWorks {
  BlobObjects& objects;
  MemoryBudget& memory;
  SegmentCache& cache;  ///< lets go of memory for the streams
  WorkerPool& pool;
  std::size_t segment_bytes;  ///< segments end on multiples of this, of the blob's positions
  std::size_t
      short_segment_bytes;       ///< memory is taken in pieces of this size: no segment is cut shorter for want of it
  std::size_t segments_at_once;  ///< of one stream, on their way to the store
};

/// Bytes of a blob from one position on, cut into segments that are hashed and sent in the background. One thread at a
/// time writes; any thread may ask for the buffer by give_up_buffer(). Failures of the background are those of the next
/// call. To be held by std::shared_ptr.
class SegmentStream : public std::enable_shared_from_this<SegmentStream> {
 public:
  SegmentStream(const SegmentWorks& works, std::shared_ptr<UnfinishedBlob> blob, std::int64_t position)
      : works_(works), blob_(std::move(blob)), begin_(position) {}

  /// NotFound when the blob has been removed; else what the object store says.
  base::Result<void> append(std::span<const std::byte> bytes);
  /// The position up to which everything is stored that this stream was given.
  base::Result<std::int64_t> stored_up_to();
  /// Sends what is left and waits until everything is stored.
  base::Result<void> drain();
  /// Stores a segment without bytes, so that there is something of the blob.
  base::Result<void> put_empty_segment();
  /// The position behind the last byte.
  std::int64_t position() const { return begin_ + static_cast<std::int64_t>(filled_); }
  /// What has not been sent is not needed any more.
  void abandon();

  /// For memory that others wait for: how many bytes there are to send when nobody is writing just now, else 0.
  std::size_t idle_bytes();
  /// Sends them as a shorter segment, unless somebody is writing just now.
  void give_up_buffer();

 private:
  /// One thread at a time; no mutex, because whoever has it may wait for memory and then comes by here again.
  class Use {
   public:
    /// Waits until nobody has it, or is empty when somebody has.
    Use(SegmentStream& stream, bool waits);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    explicit operator bool() const { return has_; }

   private:
    SegmentStream& stream_;
    bool has_ = false;
  };

  base::Result<void> take_in(std::span<const std::byte> bytes);
  base::Result<void> begin_buffer();
  bool grow();
  base::Result<void> cut();
  void store(const SegmentBuffer& buffer, Segment segment);
  void note_stored(std::int64_t first);
  void drop_buffer();
  base::Result<void> result() const;

  const SegmentWorks& works_;
  const std::shared_ptr<UnfinishedBlob> blob_;

  // The buffer belongs to whoever has the Use.
  SegmentBuffer buffer_;
  std::size_t taken_ = 0;   ///< of memory, for the buffer
  std::size_t filled_ = 0;  ///< of the buffer
  std::int64_t begin_;      ///< position of the buffer's first byte

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool in_use_ = false;
  struct Sent {
    std::int64_t first = 0;
    bool is_stored = false;
  };
  std::deque<Sent> sent_;  ///< from the first segment on that is not stored yet
  std::optional<base::Error> failure_;
};

}  // namespace quire::adapters::objects
