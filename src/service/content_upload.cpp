#include "service/content_upload.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace quire::service {
namespace {

using base::Checksum;
using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;
using content::ByteRange;
using content::CatalogWriter;
using content::SessionFile;
using content::TransferStatus;

constexpr std::size_t read_bytes = 1 << 20;
constexpr base::Duration patience = std::chrono::seconds(3);

std::vector<base::DigestAlgorithm> algorithms_of(const std::vector<Checksum>& digests) {
  std::vector<base::DigestAlgorithm> algorithms;
  for (const auto& digest : digests)
    if (std::find(algorithms.begin(), algorithms.end(), digest.algorithm) == algorithms.end())
      algorithms.push_back(digest.algorithm);
  return algorithms;
}

const std::string& sha256_among(const std::vector<Checksum>& digests) {
  const auto sha256 = std::find_if(digests.begin(), digests.end(), [](const auto& digest) {
    return digest.algorithm == base::DigestAlgorithm::SHA256;
  });
  QUIRE_CHECK(sha256 != digests.end());
  return sha256->hex;
}

std::vector<base::Hasher> clones_of(const std::vector<base::Hasher>& hashers) {
  std::vector<base::Hasher> clones;
  for (const auto& hasher : hashers) clones.push_back(hasher.clone());
  return clones;
}

/// Reads [first, end) in pieces that stay in memory for as long as somebody holds them.
Result<void> read_through(
    content::BlobReader& reader, ByteRange range,
    const std::function<Result<void>(std::span<const std::byte>, std::shared_ptr<const void>)>& take) {
  while (range.size() > 0) {
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(range.size(), read_bytes));
    const auto piece = std::make_shared<std::vector<std::byte>>(count);
    const auto got = reader.read(range.first, *piece);
    if (!got) return got.error();
    if (*got != count) return base::internal_error("unfinished blob is shorter than what arrived of it");
    if (auto taken = take(*piece, piece); !taken) return taken;
    range.first += static_cast<std::int64_t>(count);
  }
  return {};
}

}  // namespace

ContentUpload::ContentUpload(Context& context, UploadTarget target, UploadRequest request,
                             std::shared_ptr<TransferProgress> progress)
    : FileUpload(context, std::move(target), std::move(progress)),
      request_(std::move(request)),
      position_(request_.offset),
      recorded_(request_.offset) {}

ContentUpload::~ContentUpload() {
  if (!content_) return;
  stop_digests();
  writer_.reset();
  content_->release(shared_progress());
}

/// What the digests have seen beyond what is kept is forgotten.
void ContentUpload::stop_digests() {
  if (!digests_) return;
  digests_.reset();
  content_->give_back(std::move(digests_kept_));
}

std::optional<std::int64_t> ContentUpload::file_length() const {
  if (request_.file_length) return request_.file_length;
  if (file().declared_size) return file().declared_size;
  if (file().unfinished) return file().unfinished->length;
  return std::nullopt;
}

/// What the body may write.
ByteRange ContentUpload::wanted_range() const {
  const auto length = request_.part_length ? request_.part_length : request_.body_length;
  constexpr auto everything = std::numeric_limits<std::int64_t>::max();
  return {request_.offset, length ? request_.offset + *length : everything};
}

/// Pulls are begun again by whoever pulls; and what was to be checked as a whole was not.
bool ContentUpload::may_stay() const {
  return file().source_type == content::SourceType::PUSH && request_.body_digests.empty();
}

Error ContentUpload::busy() const {
  return {ErrorKind::concurrent_change,
          "quire.upload.busy",
          "Another upload of these bytes of {name} has not ended yet. Try again.",
          {{"name", file().name}}};
}

/// Two parts that began at once may each have begun a blob; the one whose bytes were recorded first stays.
bool ContentUpload::fits(const SessionFile& entry) const {
  return request_.place == UploadRequest::Place::start_over || !entry.unfinished || !content_ ||
         entry.unfinished->blob == content_->blob();
}

Result<void> ContentUpload::start(std::shared_ptr<ArrivingContent> content) {
  const std::lock_guard lock(mutex_);
  const auto range = wanted_range();
  if (!content->claim(range, shared_progress(), patience)) return busy();
  content_ = std::move(content);
  there_ = content_->received();
  holding_ = may_be_held();
  if (!holding_) return start_storing();
  held_.reserve(static_cast<std::size_t>(*request_.body_length));
  return {};
}

bool ContentUpload::may_be_held() const {
  return !is_part() && request_.body_digests.empty() && request_.body_length &&
         *request_.body_length <= context().limits.catalog_blob_bytes_max;
}

Result<void> ContentUpload::start_storing() {
  std::optional<std::int64_t> expected = file_length();
  if (!expected && request_.ends_file && request_.body_length) expected = request_.offset + *request_.body_length;
  auto writer = content_->writer(position_, expected);
  if (!writer && content_->is_finishing()) return busy();
  if (!writer) return writer.error().kind() == ErrorKind::not_found ? writer.error() : give_up(writer.error());
  writer_ = *std::move(writer);
  writer_position_ = position_;
  if (auto borrowed = content_->borrow_digests(position_)) {
    digests_kept_ = {clones_of(borrowed->hashers), borrowed->end};
    digests_ = std::make_unique<ParallelHasher>(std::move(borrowed->hashers));
  }
  if (!request_.body_digests.empty())
    body_digests_ = std::make_unique<ParallelHasher>(algorithms_of(request_.body_digests));
  return {};
}

/// Neither the file nor the digests need what has arrived any more; others that write to it have lost.
void ContentUpload::drop_content() {
  holding_ = false;
  held_.clear();
  digests_.reset();
  writer_.reset();
  if (content_) content_->drop_blob();
  let_content_stay(false);
}

Error ContentUpload::fail(const Message& reason) {
  drop_content();
  return FileUpload::fail(reason);
}

Error ContentUpload::wait_again(const Error& error) {
  drop_content();
  return FileUpload::wait_again(error);
}

/// The storage failed: a whole file waits again; of a part only its bytes are gone.
Error ContentUpload::give_up(const Error& error) {
  given_up_ = error;
  return is_part() ? error : wait_again(error);
}

/// The body is at fault: a part is refused alone, a whole body leaves the file waiting.
Error ContentUpload::refuse(const Message& reason) {
  const Error error(ErrorKind::invalid_argument, reason);
  return is_part() ? error : wait_again(error);
}

/// Why the body may not go on to `end`.
std::optional<Message> ContentUpload::excess(std::int64_t end) const {
  const auto range = wanted_range();
  if (request_.part_length && end > range.end)
    return base::make_message("quire.upload.part_too_long",
                              "The body of this part of {name} is longer than the {length} bytes of its Content-Range.",
                              {{"name", file().name}, {"length", range.size()}});
  const auto length = file_length();
  if (length && end > *length) return size_differs(file().name, *length, end);
  return std::nullopt;
}

Result<void> ContentUpload::append(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  const std::lock_guard lock(mutex_);
  if (progress().stopped) return why_stopped();
  if (given_up_) return *given_up_;
  const auto end = position_ + static_cast<std::int64_t>(held_.size() + bytes.size());
  if (const auto problem = excess(end)) return is_part() ? refuse(*problem) : fail(*problem);
  if (target().is_metadata() && end > context().limits.metadata_file_bytes_max)
    return fail(base::make_message("quire.package.metadata_too_large",
                                   "File {name} of the package has more than the {limit} bytes that are allowed.",
                                   {{"name", file().name}, {"limit", context().limits.metadata_file_bytes_max}}));
  if (holding_ && end <= context().limits.catalog_blob_bytes_max) {
    held_.insert(held_.end(), bytes.begin(), bytes.end());
    progress().bytes = end;
  } else {
    if (auto stored = store_held(); !stored) return stored;
    if (auto taken = take(bytes, owner); !taken) return taken;
  }
  if (!touch_is_due()) return {};
  auto touched = holding_ ? touch() : record_synced();
  // A full catalog disk must not end the upload; the next touch may find room.
  if (!touched && touched.error().kind() == ErrorKind::unable_to_allocate_resource) return {};
  return touched;
}

/// What was held is stored, and all that comes after it.
Result<void> ContentUpload::store_held() {
  if (!std::exchange(holding_, false)) return {};
  const auto held = std::make_shared<std::vector<std::byte>>(std::exchange(held_, {}));
  if (auto started = start_storing(); !started) return started;
  return take(*held, held);
}

Result<void> ContentUpload::take(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  if (digests_) digests_->add(bytes, owner);
  if (body_digests_) body_digests_->add(bytes, owner);
  auto stored = store(bytes);
  if (!owner) {
    if (digests_) digests_->wait();
    if (body_digests_) body_digests_->wait();
  }
  if (!stored) return give_up(stored.error());
  progress().bytes = position_ - recorded_;
  return {};
}

/// Bytes that are there already are compared; others are written.
Result<void> ContentUpload::store(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ByteRange left{position_, position_ + static_cast<std::int64_t>(bytes.size())};
    const auto range = there_.uniform_part(left);
    const auto part = bytes.first(static_cast<std::size_t>(range.size()));
    if (there_.contains(range)) {
      const auto same = is_there(part);
      if (!same) return same.error();
      if (!*same) {
        if (auto replaced = replace_rest(); !replaced) return replaced;
        continue;
      }
    } else if (auto written = write(part); !written) {
      return written;
    }
    position_ = range.end;
    bytes = bytes.subspan(part.size());
  }
  return {};
}

Result<void> ContentUpload::write(std::span<const std::byte> bytes) {
  if (!writer_ || writer_position_ != position_) {
    if (auto kept = keep_written(); !kept) return kept;
    auto writer = content_->writer(position_, std::nullopt);
    if (!writer) return content_->is_finishing() ? busy() : writer.error();
    writer_ = *std::move(writer);
    writer_position_ = position_;
  }
  if (auto written = writer_->append(bytes); !written) return written;
  writer_position_ += static_cast<std::int64_t>(bytes.size());
  return {};
}

Result<void> ContentUpload::keep_written() {
  if (!writer_) return {};
  auto kept = writer_->keep();
  writer_.reset();
  return kept;
}

Result<bool> ContentUpload::is_there(std::span<const std::byte> bytes) {
  if (!reader_) {
    auto reader = content_->reader();
    if (!reader) return reader.error();
    reader_ = *std::move(reader);
  }
  bool same = true;
  auto position = position_;
  const ByteRange range{position_, position_ + static_cast<std::int64_t>(bytes.size())};
  auto read = read_through(*reader_, range, [&](std::span<const std::byte> piece, const auto&) -> Result<void> {
    const auto at = static_cast<std::size_t>(position - position_);
    same = same && std::ranges::equal(piece, bytes.subspan(at, piece.size()));
    position += static_cast<std::int64_t>(piece.size());
    return {};
  });
  if (!read) return read.error();
  return same;
}

/// This body brings other bytes than had arrived: from here to its end they count as not arrived, first of all in the
/// catalog.
Result<void> ContentUpload::replace_rest() {
  const ByteRange range{position_, std::min(wanted_range().end, std::max(there_.end(), position_))};
  auto changed = change_own([&](CatalogWriter& writer, const UploadPlace& at, Aftermath&) -> Result<void> {
    SessionFile changed_file = at.file;
    if (!changed_file.unfinished || !content_->remove(range, digests_ != nullptr))
      return Error(ErrorKind::concurrent_change, "quire.upload.finished_meanwhile",
                   "File {name} has become complete meanwhile, with other bytes than these. Send it again as a whole.",
                   {{"name", file().name}});
    changed_file.unfinished->received.remove(range);
    changed_file.bytes_transferred = changed_file.unfinished->received.bytes();
    writer.put(at.session.id, changed_file);
    return {};
  });
  if (!changed) return changed;
  there_.remove(range);
  return {};
}

/// Whether the file's row names the blob; nullopt when the catalog does not answer.
std::optional<bool> ContentUpload::is_recorded() {
  const auto named = context().catalog.read([&](content::CatalogReader& reader) -> Result<bool> {
    const auto entry = reader.find<SessionFile>({target().session, file().name});
    return entry && entry->unfinished && entry->unfinished->blob == content_->blob();
  });
  return named ? std::optional(*named) : std::nullopt;
}

/// The catalog learns that the bytes up to `end`, which are durable, have arrived.
Result<UploadState> ContentUpload::record(std::int64_t end) {
  UploadState state;
  auto recorded = change_own([&](CatalogWriter& writer, const UploadPlace& at, Aftermath& aftermath) -> Result<void> {
    record_activity(writer, at.session);
    SessionFile changed = at.file;
    state = upload_state(changed);
    if (state.complete) return {};  // these bytes were among the last that were missing
    if (!changed.unfinished || changed.unfinished->blob != content_->blob()) {
      forget_unfinished(changed, aftermath);
      changed.unfinished.emplace();
      changed.unfinished->blob = content_->blob();
      changed.unfinished->storage = content_->storage().id;
    }
    auto& unfinished = *changed.unfinished;
    unfinished.received.add({recorded_, end});
    if (request_.file_length) unfinished.length = request_.file_length;
    if (unfinished.received.ranges().size() > context().limits.upload_ranges_max)
      return Error(ErrorKind::invalid_argument, "quire.upload.too_scattered",
                   "What has arrived of {name} lies in more than {limit} places. Fill the gaps first.",
                   {{"name", file().name}, {"limit", static_cast<std::int64_t>(context().limits.upload_ranges_max)}});
    changed.status = TransferStatus::TRANSFERRING;
    changed.bytes_transferred = unfinished.received.bytes();
    writer.put(at.session.id, changed);
    state = upload_state(changed);
    return {};
  });
  if (!recorded) {
    // A failure can hide a commit whose answer was lost; then the blob must not go.
    const auto kind = recorded.error().kind();
    if ((kind == ErrorKind::internal_server_error || kind == ErrorKind::service_unavailable) &&
        is_recorded().value_or(true))
      content_->keep_blob();
    return recorded.error();
  }
  if (state.complete) return state;
  for (const auto& range : state.received) content_->add(range, std::nullopt);
  content_->keep_blob();
  let_content_stay(true);
  recorded_ = std::max(recorded_, end);
  progress().bytes = position_ - recorded_;
  if (digests_ && recorded_ == position_) digests_kept_ = {digests_->snapshot(), position_};
  return state;
}

/// What can be recorded while the body goes on; activity in any case.
Result<void> ContentUpload::record_synced() {
  if (may_stay()) {
    std::int64_t durable = position_;
    if (writer_ && writer_position_ == position_) {
      const auto synced = writer_->sync();
      if (!synced) return give_up(synced.error());
      durable = *synced;
    } else if (auto kept = keep_written(); !kept) {
      return give_up(kept.error());
    }
    const auto recorded = record(std::max(durable, recorded_));
    return recorded ? Result<void>() : recorded.error();
  }
  return touch();
}

void ContentUpload::checkpoint() {
  const std::lock_guard lock(mutex_);
  if (!content_ || progress().stopped || ended_ || given_up_ || !may_stay()) return;
  // One that fails will meet the failure again; who asked reads the catalog.
  if (store_held()) [[maybe_unused]]
    const auto recorded = record_synced();
}

Result<UploadState> ContentUpload::finish(BodyEnd end) {
  const std::lock_guard lock(mutex_);
  if (progress().stopped) return why_stopped();
  if (given_up_) return *given_up_;
  ended_ = true;
  if (holding_ && end == BodyEnd::whole) return finish_held();
  if (auto stored = store_held(); !stored) return stored.error();
  return end == BodyEnd::broken ? leave_unfinished() : finish_body();
}

Result<UploadState> ContentUpload::leave_unfinished() {
  if (may_stay()) {
    if (auto kept = keep_written(); !kept) return give_up(kept.error());
    return record(position_);
  }
  if (is_part()) return UploadState();
  return leave_nothing();
}

Result<UploadState> ContentUpload::finish_body() {
  if (request_.part_length && position_ - request_.offset != *request_.part_length)
    return refuse(base::make_message(
        "quire.upload.part_too_short",
        "The body of this part of {name} has {actual} bytes, its Content-Range {length}.",
        {{"name", file().name}, {"actual", position_ - request_.offset}, {"length", *request_.part_length}}));
  if (body_digests_) {
    const auto actual = body_digests_->finish();
    for (const auto& promised : request_.body_digests) {
      const auto same = std::find(actual.begin(), actual.end(), promised);
      if (same == actual.end())
        return refuse(
            base::make_message("quire.upload.content_digest_differs",
                               "The {algorithm} digest of the body for {name} is not the one of its "
                               "Content-Digest. Send these bytes again.",
                               {{"name", file().name}, {"algorithm", std::string(name_of(promised.algorithm))}}));
    }
  }
  auto length = request_.place == UploadRequest::Place::at_offset ? file_length() : std::optional(position_);
  if (!request_.ends_file) length.reset();
  const ByteRange body{request_.offset, position_};
  auto all = content_->received();
  all.add(body);
  const bool whole = length && all.contains({0, *length});
  // The only writer goes on to commit; that makes everything durable at once.
  const bool alone = whole && writer_ && writer_position_ == *length && digests_ && request_.offset == 0 &&
                     there_.ranges().empty() && target().kind() == content::PackageFile::other;
  if (!alone)
    if (auto kept = keep_written(); !kept) return give_up(kept.error());
  UploadState state;
  if (!whole) {
    auto recorded = record(position_);
    if (!recorded) return recorded;
    state = *std::move(recorded);
    if (state.complete) return state;
  }
  // Others may have brought the rest meanwhile: whoever comes last finishes the file.
  if (length && content_->add(body, length)) {
    if (file().declared_size && *length != *file().declared_size)
      return fail(size_differs(file().name, *file().declared_size, *length));
    auto finished = finish_file(*length);
    if (!finished) content_->finishing_failed();
    return finished;
  }
  if (whole) return record(position_);
  advance_digests();
  return state;
}

Result<UploadState> ContentUpload::finish_held() {
  const auto length = static_cast<std::int64_t>(held_.size());
  if (!content_->add({0, length}, length)) return busy();
  if (file().declared_size && length != *file().declared_size)
    return fail(size_differs(file().name, *file().declared_size, length));
  std::vector<Checksum> digests;
  for (const auto algorithm : target().algorithms()) digests.push_back(base::digest_of(algorithm, held_));
  if (const auto problem = checksum_problem(digests)) return fail(*problem);
  const content::Blob blob{content_->blob(), content_->storage().id, length, sha256_among(digests), true};
  auto ready = make_ready({blob, held_}, digests, target().is_metadata() ? held_ : std::vector<std::byte>());
  if (ready) return ready;
  content_->finishing_failed();
  return ready.error().kind() == ErrorKind::unable_to_allocate_resource ? wait_again(ready.error()) : ready.error();
}

/// Hashes what lies behind this part without a gap, so that less is left to the end. What cannot be read now is met
/// then.
void ContentUpload::advance_digests() {
  stop_digests();
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

Result<void> ContentUpload::hash_stored(ParallelHasher& hasher, ByteRange range) {
  auto reader = content_->reader();
  if (!reader) return reader.error();
  return read_through(**reader, range, [&](std::span<const std::byte> bytes, const auto& owner) {
    hasher.add(bytes, owner);
    return Result<void>();
  });
}

/// What was acknowledged of parts stays, and whoever sends a last part again tries again; a whole body waits again.
Error ContentUpload::cannot_finish(const Error& error) {
  if (!content_->is_kept()) return wait_again(error);
  writer_.reset();
  let_content_stay(true);
  return error;
}

Result<UploadState> ContentUpload::finish_file(std::int64_t length) {
  const auto digests = whole_digests(length);
  if (!digests) return cannot_finish(digests.error());
  if (const auto problem = checksum_problem(*digests)) return fail(*problem);
  if (target().kind() == content::PackageFile::archive) return unpack(length);
  const auto metadata = metadata_bytes(length);
  if (!metadata) return cannot_finish(metadata.error());
  if (!writer_) {
    auto writer = content_->writer(length, std::nullopt);
    if (!writer) return cannot_finish(writer.error());
    writer_ = *std::move(writer);
  }
  auto committed = writer_->commit();
  if (!committed) {
    // It may have got its name although it is not known to be durable.
    if (content_->is_kept()) [[maybe_unused]]
      const auto reopened = content_->storage().blobs->reopen(content_->blob());
    return cannot_finish(committed.error());
  }
  let_content_stay(false);
  const content::Blob blob{content_->blob(), content_->storage().id, length, sha256_among(*digests)};
  auto ready = make_ready({blob}, *digests, *metadata);
  if (!ready && content_->is_kept()) let_content_stay(true);
  if (!ready && !content_->is_kept() && ready.error().kind() == ErrorKind::unable_to_allocate_resource)
    return wait_again(ready.error());
  return ready;
}

/// The digests of the whole file. What they have not seen while it arrived is read from the storage.
Result<std::vector<Checksum>> ContentUpload::whole_digests(std::int64_t length) {
  if (digests_) {
    content_->give_back({digests_->snapshot(), position_});
    digests_.reset();
  }
  auto prefix = content_->borrow_digests();
  if (!prefix) {  // another upload, of bytes that are there already, has them
    content_->lose_digests();
    prefix = content_->borrow_digests();
  }
  ParallelHasher hasher(std::move(prefix->hashers));
  if (prefix->end < length)
    if (auto read = hash_stored(hasher, {prefix->end, length}); !read) return read.error();
  return hasher.finish();
}

Result<std::vector<std::byte>> ContentUpload::metadata_bytes(std::int64_t length) {
  std::vector<std::byte> all;
  if (!target().is_metadata()) return all;
  auto reader = content_->reader();
  if (!reader) return reader.error();
  auto read = read_through(**reader, {0, length}, [&](std::span<const std::byte> bytes, const auto&) {
    all.insert(all.end(), bytes.begin(), bytes.end());
    return Result<void>();
  });
  if (!read) return read.error();
  return all;
}

/// An archive that came in parts: it lies there whole and is unpacked now.
Result<UploadState> ContentUpload::unpack(std::int64_t length) {
  const auto archive = archive_intake(length);
  auto reader = content_->reader();
  if (!reader) return cannot_finish(reader.error());
  auto fed = read_through(**reader, {0, length},
                          [&](std::span<const std::byte> bytes, const auto&) { return archive->append(bytes); });
  if (!fed) {
    if (fed.error().kind() == ErrorKind::invalid_argument) return fail(fed.error().messages().front());
    return cannot_finish(fed.error());
  }
  return make_ready(*archive);
}

}  // namespace quire::service
