#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

#include "adapters/objects/segment.h"

namespace quire::adapters::objects {

/// What is known of a blob that is not committed: which segments are stored, shared by all who write it. All threads
/// may call it.
class UnfinishedBlob {
 public:
  UnfinishedBlob(content::BlobId id, std::vector<Segment> stored) : id_(std::move(id)), stored_(std::move(stored)) {}

  const content::BlobId& id() const { return id_; }

  /// A segment is on its way. False when the blob has been removed: then it must not be sent.
  bool begin_put();
  /// The end of what begin_put() began: it can be read now.
  void is_stored(Segment segment);
  /// The end of what begin_put() began: it may be there nevertheless, so it must be removed with the blob.
  void is_doubtful(Segment segment);

  std::vector<Segment> stored() const;
  /// Segments that the blob does not need even though they may be there: not `extents`'.
  std::vector<Segment> not_among(const std::vector<Extent>& extents) const;
  bool is_empty() const;

  /// No more segments are taken. Waits until none is on its way.
  void end();
  void wait_for_puts();

 private:
  const content::BlobId id_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Segment> stored_;
  std::vector<Segment> doubtful_;
  std::size_t on_their_way_ = 0;
  bool ended_ = false;
};

}  // namespace quire::adapters::objects
