#include "service/transfer/arriving_content.h"

#include <algorithm>
#include <utility>

namespace quire::service {

using content::ByteRange;

ArrivingContent::ArrivingContent(content::BlobId blob, const content::Storage& storage,
                                 std::vector<base::DigestAlgorithm> algorithms, std::int64_t attempt,
                                 const std::optional<content::UnfinishedContent>& recorded)
    : storage_(storage),
      attempt_(attempt),
      algorithms_(std::move(algorithms)),
      blob_(std::move(blob)),
      begun_(recorded.has_value()),
      kept_(recorded.has_value()),
      received_(recorded ? recorded->received : content::ReceivedRanges()),
      digests_(fresh_digests()) {}

base::Result<std::shared_ptr<content::BlobWriter>> ArrivingContent::writer(std::int64_t position,
                                                                           std::optional<std::int64_t> expected_bytes) {
  const std::lock_guard lock(mutex_);
  if (!begun_) {
    QUIRE_ASSIGN_OR_RETURN(owner_, storage_.blobs->create(blob_, expected_bytes));
    begun_ = true;
    if (position == 0) return owner_;
  }
  QUIRE_ASSIGN_OR_RETURN(auto resumed, storage_.blobs->resume(blob_, position));
  return std::shared_ptr<content::BlobWriter>(std::move(resumed));
}

base::Result<std::unique_ptr<content::BlobReader>> ArrivingContent::reader() const {
  auto unfinished = storage_.blobs->open_unfinished(blob_);
  if (unfinished || unfinished.error().kind() != base::ErrorKind::not_found) return unfinished;
  return storage_.blobs->open(blob_);
}

bool ArrivingContent::claim(ByteRange range, const std::shared_ptr<TransferProgress>& progress,
                            base::Duration patience) {
  std::unique_lock lock(mutex_);
  const auto overlaps = [&](const Claim& other) {
    return other.range.first < range.end && range.first < other.range.end;
  };
  std::vector<std::shared_ptr<TransferProgress>> others;
  for (const auto& other : claims_)
    if (overlaps(other)) others.push_back(other.progress);
  lock.unlock();
  for (const auto& other : others) other->stop();
  lock.lock();
  if (!released_.wait_for(lock, patience, [&] { return std::none_of(claims_.begin(), claims_.end(), overlaps); }))
    return false;
  if (finishing_) return false;
  claims_.push_back({range, progress});
  return true;
}

void ArrivingContent::release(const std::shared_ptr<TransferProgress>& progress) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(claims_, [&](const Claim& claim) { return claim.progress == progress; });
  }
  released_.notify_all();
}

content::ReceivedRanges ArrivingContent::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

bool ArrivingContent::add(ByteRange range, std::optional<std::int64_t> length) {
  const std::lock_guard lock(mutex_);
  received_.add(range);
  if (!length || finishing_ || !received_.contains({0, *length})) return false;
  finishing_ = true;
  return true;
}

std::optional<std::int64_t> ArrivingContent::learn_length(std::optional<std::int64_t> told) {
  const std::lock_guard lock(mutex_);
  if (told) length_ = told;
  return length_;
}

bool ArrivingContent::remove(ByteRange range, bool has_digests) {
  const std::lock_guard lock(mutex_);
  if (finishing_) return false;
  ++replacements_;
  received_.remove(range);
  if (digests_ && digests_->end > range.first) digests_ = fresh_digests();
  lent_spoiled_ |= !digests_ && !has_digests;
  return true;
}

void ArrivingContent::add_recorded(const std::vector<ByteRange>& ranges, std::uint64_t replacements) {
  const std::lock_guard lock(mutex_);
  if (replacements != replacements_) return;
  for (const auto& range : ranges) received_.add(range);
}

std::uint64_t ArrivingContent::replacements() const {
  const std::lock_guard lock(mutex_);
  return replacements_;
}

void ArrivingContent::finishing_failed() {
  const std::lock_guard lock(mutex_);
  finishing_ = false;
}

void ArrivingContent::keep_blob() {
  std::shared_ptr<content::BlobWriter> owner;
  {
    const std::lock_guard lock(mutex_);
    kept_ = true;
    owner = std::move(owner_);
  }
  if (owner) owner->detach();
}

bool ArrivingContent::is_kept() const {
  const std::lock_guard lock(mutex_);
  return kept_;
}

bool ArrivingContent::is_finishing() const {
  const std::lock_guard lock(mutex_);
  return finishing_;
}

void ArrivingContent::drop_blob() {
  std::shared_ptr<content::BlobWriter> owner;  // goes without the lock
  const std::lock_guard lock(mutex_);
  ended_ = true;
  owner = std::move(owner_);
}

void ArrivingContent::goes_on() {
  const std::lock_guard lock(mutex_);
  goes_on_ = true;
}

void ArrivingContent::ends() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

bool ArrivingContent::may_go_on() const {
  const std::lock_guard lock(mutex_);
  return goes_on_ && !ended_;
}

std::optional<PrefixDigests> ArrivingContent::borrow_digests(std::int64_t position) {
  const std::lock_guard lock(mutex_);
  if (!digests_ || digests_->end != position) return std::nullopt;
  return std::exchange(digests_, std::nullopt);
}

std::optional<PrefixDigests> ArrivingContent::borrow_digests() {
  const std::lock_guard lock(mutex_);
  return std::exchange(digests_, std::nullopt);
}

void ArrivingContent::give_back(PrefixDigests digests) {
  const std::lock_guard lock(mutex_);
  digests_ = std::exchange(lent_spoiled_, false) ? fresh_digests() : std::move(digests);
}

void ArrivingContent::lose_digests() {
  const std::lock_guard lock(mutex_);
  digests_ = fresh_digests();
  lent_spoiled_ = false;
}

void ArrivingContent::advertise_offset(std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  advertised_ = offset;
}

bool ArrivingContent::is_advertised(std::int64_t offset) const {
  const std::lock_guard lock(mutex_);
  return advertised_ == offset;
}

PrefixDigests ArrivingContent::fresh_digests() const {
  PrefixDigests digests;
  for (const auto algorithm : algorithms_) digests.hashers.emplace_back(algorithm);
  return digests;
}

}  // namespace quire::service
