#include "adapters/objects/segment_stream.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"

namespace quire::adapters::objects {

using base::Result;

SegmentStream::Use::Use(SegmentStream& stream, bool waits) : stream_(stream) {
  std::unique_lock lock(stream_.mutex_);
  if (waits) stream_.changed_.wait(lock, [&] { return !stream_.in_use_; });
  has_ = !std::exchange(stream_.in_use_, true);
}

SegmentStream::Use::~Use() {
  if (!has_) return;
  const std::lock_guard lock(stream_.mutex_);
  stream_.in_use_ = false;
  stream_.changed_.notify_all();
}

Result<void> SegmentStream::append(std::span<const std::byte> bytes) {
  Result<void> done;
  {
    const Use use(*this, true);
    done = take_in(bytes);
  }
  // Whoever asked for the buffer while this was busy counts on it.
  works_.memory.relieve_if_lacking();
  return done;
}

Result<void> SegmentStream::take_in(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    QUIRE_RETURN_IF_ERROR(result());
    if (taken_ == 0) QUIRE_RETURN_IF_ERROR(begin_buffer());
    if (filled_ == taken_ && !grow()) {
      QUIRE_RETURN_IF_ERROR(cut());
      continue;
    }
    const auto part = bytes.first(std::min(bytes.size(), taken_ - filled_));
    std::ranges::copy(part, buffer_.bytes().subspan(filled_).begin());
    filled_ += part.size();
    bytes = bytes.subspan(part.size());
    if (filled_ == buffer_.bytes().size()) QUIRE_RETURN_IF_ERROR(cut());
  }
  return result();
}

/// This stream holds no memory but that of segments that are on their way, so it may wait for some.
Result<void> SegmentStream::begin_buffer() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sent_.size() < works_.segments_at_once || failure_; });
    if (failure_) return *failure_;
  }
  const auto segment = static_cast<std::int64_t>(works_.segment_bytes);
  const auto room = static_cast<std::size_t>(segment - begin_ % segment);
  const auto piece = std::min(works_.short_segment_bytes, room);
  works_.memory.take(piece);
  taken_ = piece;
  buffer_ = SegmentBuffer(room);
  return {};
}

/// False when there is no memory for more of it, even without the segments that readers have done with.
bool SegmentStream::grow() {
  const auto piece = std::min(works_.short_segment_bytes, buffer_.bytes().size() - taken_);
  if (!works_.cache.take_memory(piece)) return false;
  taken_ += piece;
  return true;
}

Result<void> SegmentStream::cut() {
  if (!blob_->begin_put()) {
    drop_buffer();
    return base::Error(base::ErrorKind::not_found, "quire.blob.removed",
                       "Blob {blob} was removed while it was being written.", {{"blob", blob_->id().text()}});
  }
  Segment segment{begin_, static_cast<std::int64_t>(filled_), works_.objects.next_order(), {}};
  {
    const std::lock_guard lock(mutex_);
    sent_.push_back({begin_});
  }
  begin_ += segment.size;
  if (taken_ > filled_) works_.memory.give(taken_ - filled_);
  works_.memory.leaving(filled_);
  taken_ = 0;
  filled_ = 0;
  // Shared because a std::function can be copied.
  auto buffer = std::make_shared<SegmentBuffer>(std::exchange(buffer_, SegmentBuffer()));
  works_.pool.post([self = shared_from_this(), buffer = std::move(buffer), segment = std::move(segment)]() mutable {
    self->store(*buffer, segment);
    buffer.reset();
    self->works_.memory.give_leaving(static_cast<std::size_t>(segment.size));
  });
  return {};
}

void SegmentStream::store(const SegmentBuffer& buffer, Segment segment) {
  const auto bytes = buffer.bytes().first(static_cast<std::size_t>(segment.size));
  segment.sha256 = base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex;
  const auto first = segment.first;
  const auto stored = works_.objects.put_segment(blob_->id(), segment, bytes);
  if (stored)
    blob_->is_stored(std::move(segment));
  else
    blob_->is_doubtful(std::move(segment));
  const std::lock_guard lock(mutex_);
  // A segment that failed stays among them: what comes behind it does not count as stored.
  if (stored)
    note_stored(first);
  else if (!failure_)
    failure_ = stored.error();
  changed_.notify_all();
}

void SegmentStream::note_stored(std::int64_t first) {
  std::ranges::find(sent_, first, &Sent::first)->is_stored = true;
  while (!sent_.empty() && sent_.front().is_stored) sent_.pop_front();
}

Result<std::int64_t> SegmentStream::stored_up_to() {
  std::int64_t sent = 0;
  {
    const Use use(*this, true);
    sent = begin_;
  }
  works_.memory.relieve_if_lacking();
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return sent_.empty() ? sent : sent_.front().first;
}

Result<void> SegmentStream::drain() {
  const Use use(*this, true);
  QUIRE_RETURN_IF_ERROR(result());
  if (filled_ > 0)
    QUIRE_RETURN_IF_ERROR(cut());
  else
    drop_buffer();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return sent_.empty() || failure_; });
  return failure_ ? Result<void>(*failure_) : Result<void>();
}

Result<void> SegmentStream::put_empty_segment() {
  {
    const Use use(*this, true);
    QUIRE_RETURN_IF_ERROR(cut());
  }
  return drain();
}

void SegmentStream::abandon() {
  const Use use(*this, true);
  drop_buffer();
}

std::size_t SegmentStream::idle_bytes() {
  const Use use(*this, false);
  return use ? taken_ : 0;
}

void SegmentStream::give_up_buffer() {
  const Use use(*this, false);
  if (!use || taken_ == 0) return;
  // What fails is met by the next call: the blob is gone.
  if (const auto done = cut(); !done) {
    const std::lock_guard lock(mutex_);
    failure_ = done.error();
  }
}

void SegmentStream::drop_buffer() {
  buffer_ = SegmentBuffer();
  filled_ = 0;
  if (taken_ > 0) works_.memory.give(std::exchange(taken_, 0));
}

Result<void> SegmentStream::result() const {
  const std::lock_guard lock(mutex_);
  return failure_ ? Result<void>(*failure_) : Result<void>();
}

}  // namespace quire::adapters::objects
