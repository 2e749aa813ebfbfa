#include "service/upload/file_upload.h"

#include <utility>

#include "formats/content_kind.h"
#include "service/transaction/quota_check.h"
#include "service/upload/archive_destination.h"
#include "service/upload/blob_destination.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;

namespace {

/// A body of unknown length asks its quotas for more after each of these, so one that does not fit is refused this soon
/// and costs few changes. What is acknowledged is compared exactly, when it is.
constexpr std::int64_t reservation_step_bytes = 16LL << 20U;

}  // namespace

FileUpload::FileUpload(Context& context, UploadTarget target, UploadRequest request,
                       std::shared_ptr<TransferProgress> progress)
    : entry_(context, std::move(target), std::move(progress)),
      promises_(std::move(request), entry_.target(), context.limits),
      position_(promises_.request().offset) {
  if (const auto algorithms = promises_.body_digest_algorithms(); !algorithms.empty())
    body_digests_ = std::make_unique<ParallelHasher>(algorithms);
}

FileUpload::~FileUpload() {
  destination_.reset();
  entry_.context().transfers.finish(entry_.file().upload_token, entry_.shared_progress());
}

/// The bytes could not be taken. Those that cannot be what they are to be end the session; when the storage failed, a
/// whole file waits again, and of a part only its bytes are gone.
Error FileUpload::give_up(const Error& error) {
  given_up_ = error;
  if (error.kind() == ErrorKind::invalid_argument)
    given_up_ = destination_->fail(error.messages().front());
  else if (!promises_.is_part())
    given_up_ = destination_->reset_to_waiting(error);
  return *given_up_;
}

/// The body is at fault: a part is refused alone, a whole body leaves the file waiting.
Error FileUpload::refuse(const Message& reason) {
  const Error error(ErrorKind::invalid_argument, reason);
  return promises_.is_part() ? error : destination_->reset_to_waiting(error);
}

Result<void> FileUpload::start(std::shared_ptr<ArrivingContent> content) {
  const std::lock_guard lock(mutex_);
  if (content)
    destination_ = std::make_unique<BlobDestination>(entry_, promises_, std::move(content));
  else
    destination_ = std::make_unique<ArchiveDestination>(entry_, promises_.request().body_length);
  auto started = destination_->start();
  if (started) {
    const auto reserved = reserve_announced();
    return reserved ? reserved : Result<void>(give_up(reserved.error()));
  }
  const auto kind = started.error().kind();
  if (kind != ErrorKind::concurrent_change && kind != ErrorKind::not_found) return give_up(started.error());
  given_up_ = started.error();
  return started;
}

/// Where there are quotas, a whole body whose file declares no size takes what its request announces. Parts are counted
/// when they are recorded, few bytes when they have come.
Result<void> FileUpload::reserve_announced() {
  const auto& length = promises_.request().body_length;
  auto& context = entry_.context();
  const bool is_small = length && *length <= context.limits.catalog_blob_bytes_max;
  if (promises_.is_part() || entry_.file().declared_size || is_small) return {};
  QUIRE_ASSIGN_OR_RETURN(const bool quotas, context.catalog.read([](content::CatalogReader& reader) -> Result<bool> {
    return reader.has_quotas();
  }));
  if (!quotas) return {};
  // An archive is larger than the members that it leaves.
  const bool is_archive = entry_.target().kind() == content::PackageFile::archive;
  reserved_ = is_archive ? 0 : length.value_or(0);
  return *reserved_ == 0 ? Result<void>() : entry_.reserve(*reserved_);
}

/// For less than has come, as the members of an archive are.
Result<void> FileUpload::reserve_arrived() {
  if (!reserved_ || position_ - *reserved_ < 2 * reservation_step_bytes) return {};
  const auto bytes = position_ - reservation_step_bytes;
  QUIRE_RETURN_IF_ERROR(entry_.reserve(bytes));
  reserved_ = bytes;
  return {};
}

Result<void> FileUpload::append(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  const std::lock_guard lock(mutex_);
  if (entry_.progress().stopped) return entry_.why_stopped();
  if (given_up_) return *given_up_;
  const auto end = position_ + static_cast<std::int64_t>(bytes.size());
  if (position_ == 0 && entry_.target().is_metadata()) looks_like_ = formats::looks_like(bytes);
  if (const auto broken = promises_.excess(end, looks_like_)) {
    given_up_ = broken->by_file ? destination_->fail(broken->reason) : refuse(broken->reason);
    return *given_up_;
  }
  if (!bytes.empty()) {
    if (body_digests_) body_digests_->add(bytes, owner);
    const auto taken = destination_->append(bytes, owner);
    if (body_digests_ && !owner) body_digests_->wait();
    if (!taken) return give_up(taken.error());
    position_ = end;
    if (const auto reserved = reserve_arrived(); !reserved) return give_up(reserved.error());
  }
  if (!entry_.touch_is_due()) return {};
  auto recorded = record(false);
  if (!recorded && is_quota_full(recorded.error())) return given_up_ ? *given_up_ : give_up(recorded.error());
  // A full catalog disk must not end the upload; the next time may find room.
  if (!recorded && recorded.error().kind() == ErrorKind::unable_to_allocate_resource) return {};
  return recorded;
}

Result<void> FileUpload::record(bool all) {
  if (const auto synced = destination_->sync(all); !synced) return give_up(synced.error());
  return destination_->record();
}

void FileUpload::checkpoint() {
  const std::lock_guard lock(mutex_);
  if (!destination_ || entry_.progress().stopped || ended_ || given_up_ || !destination_->keeps_partial()) return;
  // One that fails will meet the failure again; who asked reads the catalog.
  [[maybe_unused]] const auto recorded = record(true);
}

/// Of what was reserved only what has arrived is still needed, and that stands in the row.
Result<UploadState> FileUpload::break_off() {
  auto left = destination_->break_off();
  if (left && reserved_.value_or(0) > 0) QUIRE_RETURN_IF_ERROR(entry_.reserve(0));
  return left;
}

Result<UploadState> FileUpload::finish(BodyEnd end) {
  const std::lock_guard lock(mutex_);
  if (entry_.progress().stopped) return entry_.why_stopped();
  if (given_up_) return *given_up_;
  ended_ = true;
  if (end == BodyEnd::broken) return break_off();
  const auto digests = body_digests_ ? body_digests_->finish() : std::vector<base::Checksum>();
  if (const auto problem = promises_.body_problem(position_, digests)) return refuse(*problem);
  return destination_->finish();
}

}  // namespace quire::service
