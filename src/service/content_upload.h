#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "service/arriving_content.h"
#include "service/file_upload.h"

namespace quire::service {

/// A body that goes into a file's ArrivingContent: all of it or a part. What of a pushed file has arrived stays when
/// the body breaks off; a part that is refused leaves everything as it was.
///
/// A whole body that is announced with few bytes is held in memory, and stored in the catalog with the row that makes
/// the file READY. When it breaks off, when somebody asks for it meanwhile or when there is more of it, it is stored as
/// others are.
class ContentUpload final : public FileUpload {
 public:
  ContentUpload(Context& context, UploadTarget target, UploadRequest request,
                std::shared_ptr<TransferProgress> progress);
  ~ContentUpload() override;

  /// Call once, before anything else. ConcurrentChange when these bytes cannot be had for this upload;
  /// UnableToAllocateResource; NotFound when what had arrived is gone from the storage.
  base::Result<void> start(std::shared_ptr<ArrivingContent> content);

  using FileUpload::append;
  base::Result<void> append(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) override;
  base::Result<UploadState> finish(BodyEnd end) override;

  /// Records what has arrived so far. From any thread.
  void checkpoint();

 private:
  bool is_part() const { return request_.place != UploadRequest::Place::start_over || !request_.ends_file; }
  base::Error busy() const;
  bool fits(const content::SessionFile& entry) const override;
  bool may_stay() const;
  std::optional<std::int64_t> file_length() const;
  content::ByteRange wanted_range() const;

  void drop_content();
  base::Error fail(const base::Message& reason);
  base::Error wait_again(const base::Error& error);
  base::Error cannot_finish(const base::Error& error);
  base::Error give_up(const base::Error& error);
  base::Error refuse(const base::Message& reason);
  std::optional<base::Message> excess(std::int64_t end) const;

  bool may_be_held() const;
  base::Result<void> start_storing();
  base::Result<void> store_held();
  base::Result<UploadState> finish_held();
  base::Result<void> take(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner);
  base::Result<void> store(std::span<const std::byte> bytes);
  base::Result<void> write(std::span<const std::byte> bytes);
  base::Result<bool> is_there(std::span<const std::byte> bytes);
  base::Result<void> replace_rest();
  base::Result<void> keep_written();
  void stop_digests();
  void advance_digests();
  base::Result<void> hash_stored(ParallelHasher& hasher, content::ByteRange range);

  std::optional<bool> is_recorded();
  base::Result<UploadState> record(std::int64_t end);
  base::Result<void> record_synced();
  base::Result<UploadState> leave_unfinished();
  base::Result<UploadState> finish_body();
  base::Result<UploadState> finish_file(std::int64_t length);
  base::Result<std::vector<base::Checksum>> whole_digests(std::int64_t length);
  base::Result<std::vector<std::byte>> metadata_bytes(std::int64_t length);
  base::Result<UploadState> unpack(std::int64_t length);

  const UploadRequest request_;
  std::shared_ptr<ArrivingContent> content_;

  std::mutex mutex_;               ///< of everything below: a checkpoint comes from another thread
  bool holding_ = false;           ///< what has come is in held_
  std::vector<std::byte> held_;    ///< up to limits.catalog_blob_bytes_max
  std::int64_t position_ = 0;      ///< of the next byte in the file that is stored
  std::int64_t recorded_ = 0;      ///< the catalog knows of this body's bytes up to here
  content::ReceivedRanges there_;  ///< had arrived before this body, where it goes
  std::shared_ptr<content::BlobWriter> writer_;
  std::int64_t writer_position_ = 0;
  std::unique_ptr<content::BlobReader> reader_;
  std::unique_ptr<ParallelHasher> digests_;  ///< of the file up to position_, borrowed
  PrefixDigests digests_kept_;               ///< to give back when bytes after them are not kept
  std::unique_ptr<ParallelHasher> body_digests_;
  bool ended_ = false;
  std::optional<base::Error> given_up_;  ///< the storage failed: nothing more is taken
};

}  // namespace quire::service
