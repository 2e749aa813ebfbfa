#include "adapters/objects/segment_cache.h"

#include <algorithm>
#include <utility>

namespace quire::adapters::objects {
namespace {

using base::Result;
using content::BlobId;

/// What a segment costs in memory: whole pages.
std::size_t memory_of(const Segment& segment) {
  constexpr std::size_t page = 4096;
  return std::max<std::size_t>((static_cast<std::size_t>(segment.size) + page - 1) / page, 1) * page;
}

}  // namespace

SegmentCache::~SegmentCache() {
  for (const auto& entry : entries_) memory_.give(entry->cost);
}

Result<void> SegmentCache::read(const BlobId& blob, const Segment& segment, std::int64_t offset,
                                std::span<std::byte> bytes) {
  const auto key = key_of(blob, segment.name());
  std::unique_lock lock(mutex_);
  const auto found = by_key_.find(key);
  const bool is_new = found == by_key_.end();
  const auto entry = is_new ? insert(blob, segment, State::fetching) : *found->second;
  // Its turn in the pool may not have come: whoever wants it now does not wait for that.
  const bool fetches = is_new || entry->state == State::queued;
  if (fetches) entry->state = State::fetching;
  ++entry->pins;
  if (is_new) {
    const auto cost = memory_of(segment);
    lock.unlock();
    memory_.take(cost);
    lock.lock();
    entry->cost = cost;
  }
  if (fetches) {
    lock.unlock();
    fetch(entry);
    lock.lock();
  } else {
    changed_.wait(lock, [&] { return entry->state != State::fetching; });
  }
  if (entry->state == State::failed) return *entry->failure;
  entry->spent = false;
  lock.unlock();
  std::ranges::copy(entry->buffer.bytes().subspan(static_cast<std::size_t>(offset), bytes.size()), bytes.begin());
  lock.lock();
  --entry->pins;
  const auto place = by_key_.find(key);
  entries_.splice(entries_.end(), entries_, place->second);
  lock.unlock();
  memory_.relieve_if_lacking();
  return {};
}

void SegmentCache::fetch_ahead(const BlobId& blob, const Segment& segment) {
  std::shared_ptr<Entry> entry;
  const auto cost = memory_of(segment);
  {
    const std::lock_guard lock(mutex_);
    if (by_key_.contains(key_of(blob, segment.name()))) return;
  }
  if (!take_memory(cost)) return;
  {
    const std::lock_guard lock(mutex_);
    if (!by_key_.contains(key_of(blob, segment.name()))) {
      entry = insert(blob, segment, State::queued);
      entry->cost = cost;
    }
  }
  if (!entry) return memory_.give(cost);
  pool_.post([this, entry] {
    {
      const std::lock_guard lock(mutex_);
      if (entry->state != State::queued) return;
      entry->state = State::fetching;
    }
    fetch(entry);
    memory_.relieve_if_lacking();
  });
}

void SegmentCache::spend(const BlobId& blob, const Segment& segment) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key_of(blob, segment.name()));
  if (found == by_key_.end()) return;
  (*found->second)->spent = true;
  entries_.splice(entries_.begin(), entries_, found->second);
}

std::shared_ptr<SegmentCache::Entry> SegmentCache::insert(const BlobId& blob, const Segment& segment, State state) {
  auto entry = std::make_shared<Entry>();
  entry->key = key_of(blob, segment.name());
  entry->blob = blob;
  entry->segment = segment;
  entry->state = state;
  by_key_[entry->key] = entries_.insert(entries_.end(), entry);
  return entry;
}

/// Its state is `fetching`, and its memory is taken.
void SegmentCache::fetch(const std::shared_ptr<Entry>& entry) {
  SegmentBuffer buffer(static_cast<std::size_t>(entry->segment.size));
  const auto got = objects_.get_segment(entry->blob, entry->segment, buffer.bytes());
  std::size_t given = 0;
  {
    const std::lock_guard lock(mutex_);
    if (got) {
      entry->buffer = std::move(buffer);
      entry->state = State::ready;
    } else {
      entry->failure = got.error();
      entry->state = State::failed;
      given = std::exchange(entry->cost, 0);
      forget(*entry);
    }
  }
  changed_.notify_all();
  if (given > 0) {
    buffer = SegmentBuffer();
    memory_.give(given);
  }
}

void SegmentCache::forget(const Entry& entry) {
  const auto found = by_key_.find(entry.key);
  entries_.erase(found->second);
  by_key_.erase(found);
}

bool SegmentCache::take_memory(std::size_t bytes) {
  while (!memory_.try_take(bytes))
    if (!evict_one(false)) return false;
  return true;
}

void SegmentCache::relieve() {
  while (memory_.lack().now > 0 && evict_one(true)) {
  }
}

/// A spent segment, or any when `all`. False when there is none that nobody reads just now.
bool SegmentCache::evict_one(bool all) {
  std::shared_ptr<Entry> gone;
  std::size_t given = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto idle = std::ranges::find_if(entries_, [&](const auto& entry) {
      return entry->state == State::ready && entry->pins == 0 && (all || entry->spent);
    });
    if (idle == entries_.end()) return false;
    gone = *idle;
    given = std::exchange(gone->cost, 0);
    gone->buffer = SegmentBuffer();
    forget(*gone);
  }
  memory_.give(given);
  return true;
}

}  // namespace quire::adapters::objects
