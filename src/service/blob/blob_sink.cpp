#include "service/blob/blob_sink.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "service/blob/blob_bytes.h"

namespace quire::service {
namespace {

using base::Checksum;
using base::Result;
using content::ByteRange;

std::vector<base::Hasher> clones_of(const std::vector<base::Hasher>& hashers) {
  std::vector<base::Hasher> clones;
  for (const auto& hasher : hashers) clones.push_back(hasher.clone());
  return clones;
}

}  // namespace

BlobSink::BlobSink(std::shared_ptr<ArrivingContent> content, std::int64_t position, Differs differs)
    : content_(std::move(content)),
      differs_(std::move(differs)),
      there_(content_->received()),
      first_(position),
      position_(position) {}

BlobSink::~BlobSink() { give_back_digests(); }

Result<std::unique_ptr<BlobSink>> BlobSink::begin(content::BlobId id, const content::Storage& storage,
                                                  std::optional<std::int64_t> expected_bytes,
                                                  std::vector<base::DigestAlgorithm> algorithms) {
  algorithms.push_back(base::DigestAlgorithm::SHA256);
  std::ranges::sort(algorithms);
  algorithms.erase(std::ranges::unique(algorithms).begin(), algorithms.end());
  auto sink = std::make_unique<BlobSink>(
      std::make_shared<ArrivingContent>(std::move(id), storage, std::move(algorithms)), 0, nullptr);
  QUIRE_RETURN_IF_ERROR(sink->open(expected_bytes));
  return sink;
}

Result<void> BlobSink::open(std::optional<std::int64_t> expected_bytes) {
  QUIRE_ASSIGN_OR_RETURN(writer_, content_->writer(position_, expected_bytes));
  writer_position_ = position_;
  if (auto borrowed = content_->borrow_digests(position_)) {
    kept_ = {clones_of(borrowed->hashers), borrowed->end};
    hasher_ = std::make_unique<ParallelHasher>(std::move(borrowed->hashers));
  }
  return {};
}

Result<void> BlobSink::append(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  if (hasher_) hasher_->add(bytes, owner);
  auto stored = store(bytes);
  if (hasher_ && !owner) hasher_->wait();
  return stored;
}

/// Bytes that are there already are compared; others are written.
Result<void> BlobSink::store(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ByteRange left{position_, position_ + static_cast<std::int64_t>(bytes.size())};
    const auto range = there_.uniform_part(left);
    const auto part = bytes.first(static_cast<std::size_t>(range.size()));
    if (there_.contains(range)) {
      QUIRE_ASSIGN_OR_RETURN(const bool same, is_there(part));
      if (!same) {
        QUIRE_RETURN_IF_ERROR(differs_(position_));
        there_.remove({position_, std::max(there_.end(), position_)});
        continue;
      }
    } else {
      QUIRE_RETURN_IF_ERROR(write(part));
    }
    position_ = range.end;
    bytes = bytes.subspan(part.size());
  }
  return {};
}

Result<void> BlobSink::write(std::span<const std::byte> bytes) {
  if (!writer_ || writer_position_ != position_) {
    QUIRE_RETURN_IF_ERROR(flush());
    QUIRE_ASSIGN_OR_RETURN(writer_, content_->writer(position_, std::nullopt));
    writer_position_ = position_;
  }
  QUIRE_RETURN_IF_ERROR(writer_->append(bytes));
  writer_position_ += static_cast<std::int64_t>(bytes.size());
  return {};
}

Result<bool> BlobSink::is_there(std::span<const std::byte> bytes) {
  if (!reader_) {
    QUIRE_ASSIGN_OR_RETURN(reader_, content_->reader());
  }
  bool same = true;
  auto rest = bytes;
  const ByteRange range{position_, position_ + static_cast<std::int64_t>(bytes.size())};
  QUIRE_RETURN_IF_ERROR(read_through(*reader_, range, [&](std::span<const std::byte> piece, const auto&) {
    same = same && std::ranges::equal(piece, rest.first(piece.size()));
    rest = rest.subspan(piece.size());
    return Result<void>();
  }));
  return same;
}

Result<std::int64_t> BlobSink::sync() {
  if (writer_ && writer_position_ == position_) return writer_->sync();
  QUIRE_RETURN_IF_ERROR(flush());
  return position_;
}

Result<void> BlobSink::flush() {
  if (!writer_) return {};
  auto flushed = writer_->flush();
  writer_.reset();
  return flushed;
}

void BlobSink::keep_digests() {
  if (hasher_) kept_ = {hasher_->snapshot(), position_};
}

/// What they have seen beyond what is kept is forgotten.
void BlobSink::give_back_digests() {
  if (!hasher_) return;
  hasher_.reset();
  content_->give_back(std::move(kept_));
}

/// What cannot be read now is met at the end.
void BlobSink::advance_digests() {
  give_back_digests();
  const auto prefix = content_->received().prefix();
  auto digests = content_->borrow_digests();
  if (!digests) return;
  if (digests->end < prefix && !digests->hashers.empty()) {
    const PrefixDigests before{clones_of(digests->hashers), digests->end};
    ParallelHasher hasher(std::move(digests->hashers));
    const auto read = hash_stored(hasher, {before.end, prefix});
    *digests = read ? PrefixDigests{hasher.snapshot(), prefix} : PrefixDigests{clones_of(before.hashers), before.end};
  }
  content_->give_back(*std::move(digests));
}

Result<void> BlobSink::hash_stored(ParallelHasher& hasher, ByteRange range) {
  QUIRE_ASSIGN_OR_RETURN(const auto reader, content_->reader());
  return read_through(*reader, range, [&](std::span<const std::byte> bytes, const auto& owner) {
    hasher.add(bytes, owner);
    return Result<void>();
  });
}

bool BlobSink::holds_all(std::int64_t length) const {
  return writer_ && hasher_ && first_ == 0 && writer_position_ == length && there_.ranges().empty();
}

Result<std::vector<Checksum>> BlobSink::digests(std::int64_t length) {
  if (hasher_) {
    kept_ = {hasher_->snapshot(), position_};
    give_back_digests();
  }
  auto prefix = content_->borrow_digests();
  if (!prefix) {  // another sink, of bytes that are there already, has them
    content_->lose_digests();
    prefix = content_->borrow_digests();
  }
  const bool hashes = !prefix->hashers.empty();
  ParallelHasher hasher(std::move(prefix->hashers));
  if (hashes && prefix->end < length) QUIRE_RETURN_IF_ERROR(hash_stored(hasher, {prefix->end, length}));
  return hasher.finish();
}

Result<content::Blob> BlobSink::commit(std::int64_t length, const std::vector<Checksum>& digests) {
  if (!writer_) {
    QUIRE_ASSIGN_OR_RETURN(writer_, content_->writer(length, std::nullopt));
  }
  QUIRE_RETURN_IF_ERROR(writer_->commit());
  return content::Blob{content_->blob(), content_->storage().id, length, sha256_among(digests)};
}

const std::string& sha256_among(const std::vector<Checksum>& digests) {
  const auto* sha256 = base::find_digest(digests, base::DigestAlgorithm::SHA256);
  QUIRE_CHECK(sha256 != nullptr);
  return sha256->hex;
}

}  // namespace quire::service
