#pragma once

#include "service/file_upload.h"

namespace quire::service {

/// A whole OVA that is unpacked while it arrives. One that breaks off has to start over: its bytes are not kept.
class ArchiveUpload final : public FileUpload {
 public:
  /// `announced`: bytes of the archive, as the request says.
  ArchiveUpload(Context& context, UploadTarget target, std::optional<std::int64_t> announced,
                std::shared_ptr<TransferProgress> progress);

  using FileUpload::append;
  base::Result<void> append(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) override;
  base::Result<UploadState> finish(BodyEnd end) override;

 private:
  /// The error to answer when the archive could not be taken: the client's fault ends the session, the storage's lets
  /// the file wait again.
  base::Error give_up(const base::Error& error);

  std::unique_ptr<ArchiveIntake> archive_;
  std::int64_t received_ = 0;
};

}  // namespace quire::service
