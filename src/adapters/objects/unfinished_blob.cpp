#include "adapters/objects/unfinished_blob.h"

#include <set>
#include <utility>

namespace quire::adapters::objects {

bool UnfinishedBlob::begin_put() {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  ++on_their_way_;
  return true;
}

void UnfinishedBlob::is_stored(Segment segment) {
  const std::lock_guard lock(mutex_);
  stored_.push_back(std::move(segment));
  --on_their_way_;
  changed_.notify_all();
}

void UnfinishedBlob::is_doubtful(Segment segment) {
  const std::lock_guard lock(mutex_);
  doubtful_.push_back(std::move(segment));
  --on_their_way_;
  changed_.notify_all();
}

std::vector<Segment> UnfinishedBlob::stored() const {
  const std::lock_guard lock(mutex_);
  return stored_;
}

std::vector<Segment> UnfinishedBlob::not_among(const std::vector<Extent>& extents) const {
  std::set<std::uint64_t> needed;
  for (const auto& extent : extents) needed.insert(extent.segment.order);
  const std::lock_guard lock(mutex_);
  std::vector<Segment> others = doubtful_;
  for (const auto& segment : stored_)
    if (!needed.contains(segment.order)) others.push_back(segment);
  return others;
}

bool UnfinishedBlob::is_empty() const {
  const std::lock_guard lock(mutex_);
  return stored_.empty() && doubtful_.empty() && on_their_way_ == 0;
}

void UnfinishedBlob::end() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wait_for_puts();
}

void UnfinishedBlob::wait_for_puts() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return on_their_way_ == 0; });
}

}  // namespace quire::adapters::objects
