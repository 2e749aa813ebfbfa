#include "service/upload/blob_destination.h"

#include <algorithm>
#include <utility>

namespace quire::service {
namespace {

using base::Checksum;
using base::Error;
using base::ErrorKind;
using base::Result;
using content::ByteRange;
using content::SessionFile;
using content::TransferStatus;
using Place = UploadRequest::Place;

/// How long to wait for another upload of the same bytes to go.
constexpr base::Duration patience = std::chrono::seconds(3);

}  // namespace

BlobDestination::BlobDestination(SessionEntry& entry, const UploadPromises& promises,
                                 std::shared_ptr<ArrivingContent> content)
    : Destination(entry),
      promises_(promises),
      content_(std::move(content)),
      durable_(promises.request().offset),
      recorded_(promises.request().offset) {}

BlobDestination::~BlobDestination() {
  sink_.reset();
  if (claimed_) content_->release(entry().shared_progress());
}

/// Pulls are begun again by whoever pulls; and what was to be checked as a whole was not.
bool BlobDestination::keeps_partial() const {
  return entry().file().source_type == content::SourceType::PUSH && promises_.request().body_digests.empty();
}

Error BlobDestination::busy() const {
  return {ErrorKind::concurrent_change,
          "quire.upload.busy",
          "Another upload of these bytes of {name} has not ended yet. Try again.",
          {{"name", entry().file().name}}};
}

/// A part that is not taken leaves everything as it was; a whole body leaves the file waiting.
Error BlobDestination::refuse(const Error& error) { return promises_.is_part() ? error : reset_to_waiting(error); }

/// What was acknowledged of parts stays, and whoever sends a last part again tries again; a whole body waits again.
Error BlobDestination::cannot_finish(const Error& error) {
  if (!content_->is_kept()) return reset_to_waiting(error);
  sink_.reset();
  content_->goes_on();
  return error;
}

Result<void> BlobDestination::start() {
  if (!content_->claim(promises_.range(), entry().shared_progress(), patience)) return busy();
  claimed_ = true;
  if (promises_.request().place != Place::start_over) entry().adds_to(content_->blob());
  if (!may_be_held()) return start_storing();
  held_.emplace().reserve(static_cast<std::size_t>(*promises_.request().body_length));
  return {};
}

bool BlobDestination::may_be_held() const {
  const auto& request = promises_.request();
  return !promises_.is_part() && request.body_digests.empty() && request.body_length &&
         *request.body_length <= entry().context().limits.catalog_blob_bytes_max;
}

Result<void> BlobDestination::start_storing() {
  const auto& request = promises_.request();
  auto expected = promises_.file_length();
  if (!expected && request.ends_file && request.body_length) expected = request.offset + *request.body_length;
  sink_ =
      std::make_unique<BlobSink>(content_, request.offset, [this](std::int64_t first) { return replace_from(first); });
  auto opened = sink_->open(expected);
  if (!opened && content_->is_finishing()) return busy();
  return opened;
}

/// Neither the file nor the digests need what has arrived any more; others that write to it have lost.
void BlobDestination::drop() {
  held_.reset();
  sink_.reset();
  content_->drop_blob();
}

Result<void> BlobDestination::append(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  const auto held_max = static_cast<std::size_t>(entry().context().limits.catalog_blob_bytes_max);
  if (held_ && held_->size() + bytes.size() <= held_max) {
    held_->insert(held_->end(), bytes.begin(), bytes.end());
    entry().progress().bytes = static_cast<std::int64_t>(held_->size());
    return {};
  }
  QUIRE_RETURN_IF_ERROR(store_held());
  const auto stored = sink_->append(bytes, owner);
  if (!stored) return content_->is_finishing() ? busy() : stored.error();
  entry().progress().bytes = sink_->position() - recorded_;
  return {};
}

/// What was held is stored, and all that comes after it.
Result<void> BlobDestination::store_held() {
  if (!held_) return {};
  const auto held = *std::exchange(held_, std::nullopt);
  QUIRE_RETURN_IF_ERROR(start_storing());
  return sink_->append(held);
}

/// This body brings other bytes than had arrived: from here to its end they count as not arrived, first of all in the
/// catalog.
Result<void> BlobDestination::replace_from(std::int64_t first) {
  const ByteRange range{first, std::min(promises_.range().end, std::max(content_->received().end(), first))};
  const Error finished_meanwhile(
      ErrorKind::concurrent_change, "quire.upload.finished_meanwhile",
      "File {name} has become complete meanwhile, with other bytes than these. Send it again as a whole.",
      {{"name", entry().file().name}});
  if (content_->is_finishing()) return finished_meanwhile;
  QUIRE_RETURN_IF_ERROR(entry().change([&](Transaction& t, const UploadPlace& at) -> Result<void> {
    SessionFile changed = at.file;
    if (!changed.unfinished) return finished_meanwhile;
    changed.unfinished->received.remove(range);
    changed.bytes_transferred = changed.unfinished->received.bytes();
    t->put(at.session.id, changed);
    return {};
  }));
  if (!content_->remove(range, sink_->has_digests())) return finished_meanwhile;
  return {};
}

/// The catalog learns that the bytes up to `end`, which are durable, have arrived.
Result<UploadState> BlobDestination::record_up_to(std::int64_t end) {
  const auto& limits = entry().context().limits;
  const auto replacements = content_->replacements();
  const auto recorded = entry().change([&](Transaction& t, const UploadPlace& at) -> Result<UploadState> {
    auto session = at.session;
    record_activity(t, session, Activity::transfers);
    SessionFile changed = at.file;
    // These bytes may have been among the last that were missing.
    if (changed.status == TransferStatus::READY) return upload_state(changed);
    if (!changed.unfinished || changed.unfinished->blob != content_->blob()) {
      t.discard_partial(changed);
      changed.unfinished.emplace();
      changed.unfinished->blob = content_->blob();
      changed.unfinished->storage = content_->storage().id;
    }
    auto& unfinished = *changed.unfinished;
    unfinished.received.add({recorded_, end});
    if (const auto length = promises_.told_length()) unfinished.length = length;
    if (unfinished.received.ranges().size() > limits.upload_ranges_max)
      return Error(ErrorKind::invalid_argument, "quire.upload.too_scattered",
                   "What has arrived of {name} lies in more than {limit} places. Fill the gaps first.",
                   {{"name", changed.name}, {"limit", static_cast<std::int64_t>(limits.upload_ranges_max)}});
    changed.status = TransferStatus::TRANSFERRING;
    changed.bytes_transferred = unfinished.received.bytes();
    t->put(at.session.id, changed);
    return upload_state(changed);
  });
  if (!recorded) {
    // A failure can hide a commit whose answer was lost; then the blob must not go.
    const auto kind = recorded.error().kind();
    if (kind != ErrorKind::internal_server_error && kind != ErrorKind::service_unavailable) return recorded;
    if (const auto named = entry().has_arrived(content_->blob()); !named || *named) content_->keep_blob();
    return recorded;
  }
  if (recorded->complete) return recorded;
  content_->add({recorded_, end}, std::nullopt);
  content_->add_recorded(recorded->received, replacements);
  content_->keep_blob();
  content_->goes_on();
  recorded_ = std::max(recorded_, end);
  entry().progress().bytes = sink_->position() - recorded_;
  if (recorded_ == sink_->position()) sink_->keep_digests();
  return recorded;
}

Result<void> BlobDestination::sync(bool all) {
  if (!keeps_partial()) return {};
  if (all) QUIRE_RETURN_IF_ERROR(store_held());
  if (held_) return {};
  QUIRE_ASSIGN_OR_RETURN(durable_, sink_->sync());
  return {};
}

Result<void> BlobDestination::record() {
  if (held_ || !keeps_partial()) return entry().touch();
  QUIRE_RETURN_IF_ERROR(record_up_to(std::max(durable_, recorded_)));
  return {};
}

Result<UploadState> BlobDestination::break_off() {
  if (!keeps_partial()) return promises_.is_part() ? Result<UploadState>(UploadState()) : entry().leave_nothing();
  if (const auto stored = store_held(); !stored) return refuse(stored.error());
  if (const auto flushed = sink_->flush(); !flushed) return refuse(flushed.error());
  return record_up_to(sink_->position());
}

Result<UploadState> BlobDestination::finish() {
  if (held_) return finish_held();
  const ByteRange body{promises_.request().offset, sink_->position()};
  auto length = promises_.file_length_after(body.end);
  content_->learn_length(length);
  auto all = content_->received();
  all.add(body);
  const bool whole = length && all.contains({0, *length});
  // The only writer goes on to commit; that makes everything durable at once.
  const bool alone = whole && sink_->holds_all(*length) && entry().target().kind() == content::PackageFile::other;
  if (!alone)
    if (const auto flushed = sink_->flush(); !flushed) return refuse(flushed.error());
  UploadState state;
  if (!whole) {
    QUIRE_ASSIGN_OR_RETURN(state, record_up_to(body.end));
    if (state.complete) return state;
    // Another part may have told the length since this one began, and found these bytes missing.
    const auto learnt = content_->learn_length(length);
    if (promises_.request().place == Place::at_offset && learnt && body.end <= *learnt) length = learnt;
  }
  // Others may have brought the rest meanwhile: whoever comes last finishes the file.
  if (length && content_->add(body, length)) {
    auto finished = finish_file(*length);
    if (!finished) content_->finishing_failed();
    return finished;
  }
  if (whole) return record_up_to(body.end);
  sink_->advance_digests();
  return state;
}

Result<UploadState> BlobDestination::finish_held() {
  const auto length = static_cast<std::int64_t>(held_->size());
  const auto& target = entry().target();
  if (!content_->add({0, length}, length)) return busy();
  if (target.file.declared_size && length != *target.file.declared_size)
    return fail(size_differs(target.file.name, *target.file.declared_size, length));
  std::vector<Checksum> digests;
  for (const auto algorithm : target.algorithms()) digests.push_back(base::digest_of(algorithm, *held_));
  if (const auto problem = entry().checksum_problem(digests)) return fail(*problem);
  const content::Blob blob{content_->blob(), content_->storage().id, length, sha256_among(digests), true};
  auto ready = entry().make_ready({blob, *held_}, digests, target.is_metadata() ? *held_ : std::vector<std::byte>());
  if (ready) return ready;
  content_->finishing_failed();
  return ready.error().kind() == ErrorKind::unable_to_allocate_resource ? reset_to_waiting(ready.error())
                                                                        : ready.error();
}

Result<UploadState> BlobDestination::finish_file(std::int64_t length) {
  const auto& file = entry().file();
  if (file.declared_size && length != *file.declared_size)
    return fail(size_differs(file.name, *file.declared_size, length));
  const auto digests = sink_->digests(length);
  if (!digests) return cannot_finish(digests.error());
  if (const auto problem = entry().checksum_problem(*digests)) return fail(*problem);
  return entry().target().kind() == content::PackageFile::archive ? unpack(length) : finish_blob(length, *digests);
}

Result<UploadState> BlobDestination::finish_blob(std::int64_t length, const std::vector<Checksum>& digests) {
  const auto metadata = metadata_bytes(length);
  if (!metadata) return cannot_finish(metadata.error());
  const auto blob = sink_->commit(length, digests);
  if (!blob) {
    // It may have got its name although it is not known to be durable.
    if (content_->is_kept()) [[maybe_unused]]
      const auto reopened = content_->storage().blobs->reopen(content_->blob());
    return cannot_finish(blob.error());
  }
  auto ready = entry().make_ready({*blob}, digests, *metadata);
  if (ready || ready.error().kind() == ErrorKind::invalid_argument) {
    content_->ends();
    return ready;
  }
  if (content_->is_kept())
    content_->goes_on();
  else if (ready.error().kind() == ErrorKind::unable_to_allocate_resource)
    return reset_to_waiting(ready.error());
  return ready;
}

Result<std::vector<std::byte>> BlobDestination::metadata_bytes(std::int64_t length) const {
  if (!entry().target().is_metadata()) return std::vector<std::byte>();
  QUIRE_ASSIGN_OR_RETURN(const auto reader, content_->reader());
  return read_all(*reader, length);
}

/// An archive that came in parts: it lies there whole and is unpacked now.
Result<UploadState> BlobDestination::unpack(std::int64_t length) {
  const auto archive = entry().archive_intake(length);
  const auto reader = content_->reader();
  if (!reader) return cannot_finish(reader.error());
  const auto fed = read_through(**reader, {0, length},
                                [&](std::span<const std::byte> bytes, const auto&) { return archive->append(bytes); });
  if (!fed && fed.error().kind() != ErrorKind::invalid_argument) return cannot_finish(fed.error());
  auto ready = fed ? entry().make_ready(*archive) : Result<UploadState>(fed.error());
  if (!ready && ready.error().kind() == ErrorKind::invalid_argument) return fail(ready.error().messages().front());
  if (ready) content_->ends();
  return ready;
}

}  // namespace quire::service
