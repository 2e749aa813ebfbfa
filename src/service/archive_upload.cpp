#include "service/archive_upload.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;
using base::Result;

ArchiveUpload::ArchiveUpload(Context& context, UploadTarget target, std::optional<std::int64_t> announced,
                             std::shared_ptr<TransferProgress> progress)
    : FileUpload(context, std::move(target), std::move(progress)),
      archive_(archive_intake(file().declared_size ? file().declared_size : announced)) {}

Error ArchiveUpload::give_up(const Error& error) {
  archive_.reset();
  return error.kind() == ErrorKind::invalid_argument ? fail(error.messages().front()) : wait_again(error);
}

Result<void> ArchiveUpload::append(std::span<const std::byte> bytes, std::shared_ptr<const void>) {
  if (progress().stopped) return why_stopped();
  received_ += static_cast<std::int64_t>(bytes.size());
  const auto& declared = file().declared_size;
  if (declared && received_ > *declared) {
    archive_.reset();
    return fail(size_differs(file().name, *declared, received_));
  }
  if (auto taken = archive_->append(bytes); !taken) return give_up(taken.error());
  progress().bytes = received_;
  if (!touch_is_due()) return {};
  auto touched = touch();
  // A full catalog disk must not end the upload; the next touch may find room.
  if (!touched && touched.error().kind() == ErrorKind::unable_to_allocate_resource) return {};
  return touched;
}

Result<UploadState> ArchiveUpload::finish(BodyEnd end) {
  if (progress().stopped) return why_stopped();
  if (end == BodyEnd::broken) {
    archive_.reset();
    return leave_nothing();
  }
  const auto& declared = file().declared_size;
  if (declared && received_ != *declared) {
    archive_.reset();
    return fail(size_differs(file().name, *declared, received_));
  }
  return make_ready(*archive_);
}

}  // namespace quire::service
