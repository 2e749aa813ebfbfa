#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "service/transfer/parallel_hasher.h"
#include "service/upload/destination.h"
#include "service/upload/upload_promises.h"

namespace quire::service {

/// One body on its way to one file of an update session: what it promises, the row it fills and where its bytes go.
/// Takes itself off the registry of running transfers at its end. As Upload, but checkpoint() may come from any
/// thread at any time.
class FileUpload final : public Upload {
 public:
  FileUpload(Context& context, UploadTarget target, UploadRequest request, std::shared_ptr<TransferProgress> progress);
  ~FileUpload() override;

  /// With `content` the bytes go into it; without, into an archive that is unpacked. Call once, before anything else,
  /// when `progress` is on the registry. ConcurrentChange when these bytes cannot be had for this upload;
  /// UnableToAllocateResource; NotFound when what had arrived is gone from the storage.
  base::Result<void> start(std::shared_ptr<ArrivingContent> content);

  using Upload::append;
  base::Result<void> append(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) override;
  base::Result<UploadState> finish(BodyEnd end) override;

  /// Records what has arrived so far.
  void checkpoint();

 private:
  base::Error give_up(const base::Error& error);
  base::Error refuse(const base::Message& reason);
  base::Result<void> record(bool all);
  base::Result<void> reserve_announced();
  base::Result<void> reserve_arrived();
  base::Result<UploadState> break_off();

  std::mutex mutex_;  ///< of everything below: a checkpoint comes from another thread
  SessionEntry entry_;
  const UploadPromises promises_;
  std::unique_ptr<ParallelHasher> body_digests_;  ///< where some were promised
  std::int64_t position_;                         ///< of the next byte in the file
  std::string looks_like_;                        ///< a metadata file by its first bytes, for a refusal
  std::optional<std::int64_t> reserved_;          ///< of quotas, beyond what the file declares; unset: nothing need be
  bool ended_ = false;
  std::optional<base::Error> given_up_;  ///< nothing more is taken
  std::unique_ptr<Destination> destination_;
};

}  // namespace quire::service
