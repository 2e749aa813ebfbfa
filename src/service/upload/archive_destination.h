#pragma once

#include <memory>
#include <optional>

#include "service/upload/destination.h"

namespace quire::service {

/// A whole OVA that is unpacked while it arrives. One that breaks off has to start over: its bytes are not kept.
class ArchiveDestination final : public Destination {
 public:
  /// `announced`: bytes of the archive, as the request says.
  ArchiveDestination(SessionEntry& entry, std::optional<std::int64_t> announced);

  base::Result<void> start() override { return {}; }
  base::Result<void> append(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) override;
  bool keeps_partial() const override { return false; }
  base::Result<void> sync(bool) override { return {}; }
  base::Result<void> record() override { return entry().touch(); }
  base::Result<UploadState> finish() override;
  base::Result<UploadState> break_off() override;
  void drop() override { archive_.reset(); }

 private:
  std::unique_ptr<ArchiveIntake> archive_;
};

}  // namespace quire::service
