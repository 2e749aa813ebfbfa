#include "service/upload/archive_destination.h"

namespace quire::service {

using base::ErrorKind;
using base::Result;

ArchiveDestination::ArchiveDestination(SessionEntry& entry, std::optional<std::int64_t> announced)
    : Destination(entry),
      archive_(entry.archive_intake(entry.file().declared_size ? entry.file().declared_size : announced)) {}

Result<void> ArchiveDestination::append(std::span<const std::byte> bytes, const std::shared_ptr<const void>&) {
  QUIRE_RETURN_IF_ERROR(archive_->append(bytes));
  entry().progress().bytes = archive_->size();
  return {};
}

Result<UploadState> ArchiveDestination::finish() {
  const auto& declared = entry().file().declared_size;
  if (declared && archive_->size() != *declared)
    return fail(size_differs(entry().file().name, *declared, archive_->size()));
  auto ready = entry().make_ready(*archive_);
  if (ready) return ready;
  if (ready.error().kind() == ErrorKind::invalid_argument) return fail(ready.error().messages().front());
  return ready.error().kind() == ErrorKind::unable_to_allocate_resource ? reset_to_waiting(ready.error())
                                                                        : ready.error();
}

Result<UploadState> ArchiveDestination::break_off() {
  drop();
  return entry().leave_nothing();
}

}  // namespace quire::service
