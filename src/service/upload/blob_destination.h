#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "service/blob/blob_sink.h"
#include "service/upload/destination.h"
#include "service/upload/upload_promises.h"

namespace quire::service {

/// A body that is stored as a blob or as a part of one: all uploads of a file go into its ArrivingContent. What of a
/// pushed file has arrived stays when the body breaks off; a part that is refused leaves everything as it was. The one
/// with which nothing is missing any more makes the file READY; an archive that came in parts is unpacked then.
///
/// A whole body that is announced with few bytes is held in memory, and stored in the catalog with the row that makes
/// the file READY. When it breaks off, when somebody asks for it meanwhile or when there is more of it, it is stored as
/// others are.
class BlobDestination final : public Destination {
 public:
  BlobDestination(SessionEntry& entry, const UploadPromises& promises, std::shared_ptr<ArrivingContent> content);
  ~BlobDestination() override;

  base::Result<void> start() override;
  base::Result<void> append(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) override;
  bool keeps_partial() const override;
  base::Result<void> sync(bool all) override;
  base::Result<void> record() override;
  base::Result<UploadState> finish() override;
  base::Result<UploadState> break_off() override;
  void drop() override;

 private:
  base::Error busy() const;
  base::Error cannot_finish(const base::Error& error);
  base::Error refuse(const base::Error& error);

  bool may_be_held() const;
  base::Result<void> start_storing();
  base::Result<void> store_held();
  base::Result<UploadState> finish_held();

  base::Result<void> replace_from(std::int64_t first);
  base::Result<UploadState> record_up_to(std::int64_t end);
  base::Result<UploadState> finish_file(std::int64_t length);
  base::Result<UploadState> finish_blob(std::int64_t length, const std::vector<base::Checksum>& digests);
  base::Result<std::vector<std::byte>> metadata_bytes(std::int64_t length) const;
  base::Result<UploadState> unpack(std::int64_t length);

  const UploadPromises& promises_;
  const std::shared_ptr<ArrivingContent> content_;
  bool claimed_ = false;
  std::unique_ptr<BlobSink> sink_;              ///< none while all is held
  std::optional<std::vector<std::byte>> held_;  ///< up to limits.catalog_blob_bytes_max
  std::int64_t durable_;                        ///< bytes up to here may be recorded
  std::int64_t recorded_;                       ///< the catalog knows of this body's bytes up to here
};

}  // namespace quire::service
