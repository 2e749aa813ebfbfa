#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/ova_member_order.h"
#include "formats/ova_stream.h"
#include "service/blob_intake.h"
#include "service/package_intake.h"

namespace quire::service {

/// An OVA that is unpacked while it arrives: every member becomes a blob, the archive itself is not kept
/// (content-library-api.md §23.6, §28.2). One thread at a time. Destroyed before the members were taken it leaves
/// nothing.
class ArchiveIntake final : public formats::OvaVisitor {
 public:
  /// `files_max` bounds the members. `expected_size`: bytes of the whole archive when that is known; a member that
  /// announces more is refused. `own_digests` are taken of the archive as a whole, padding included.
  ArchiveIntake(Context& context, const content::Storage& storage, std::size_t files_max,
                std::optional<std::int64_t> expected_size, const std::vector<base::DigestAlgorithm>& own_digests);
  ~ArchiveIntake() override;

  /// InvalidArgument for what is no OVA; UnableToAllocateResource.
  base::Result<void> append(std::span<const std::byte> bytes);
  /// The archive is whole, in order, and agrees with its manifest; else InvalidArgument.
  base::Result<void> finish(base::Time now);

  std::int64_t size() const { return size_; }
  const std::vector<base::Checksum>& digests() const { return digests_; }

  struct Member {
    content::SessionFile file;  ///< READY, its blob durable
    content::Blob blob;
  };
  const std::vector<Member>& members() const { return members_; }
  /// The members' bytes belong to the catalog now.
  void keep_members() { members_.clear(); }

  base::Result<void> begin_member(std::string_view name, std::uint64_t size) override;
  base::Result<void> member_bytes(std::span<const std::byte> bytes) override;
  base::Result<void> end_member() override;

 private:
  base::Result<void> read_metadata(content::SessionFile& file);

  Context& context_;
  const content::Storage& storage_;
  std::size_t files_max_;
  std::optional<std::int64_t> expected_size_;
  formats::OvaStream stream_{*this};
  formats::OvaMemberOrder order_;
  ParallelHasher hasher_;
  std::vector<base::Checksum> digests_;
  std::int64_t size_ = 0;

  std::vector<Member> members_;
  std::string member_name_;
  formats::PackageFileKind member_kind_ = formats::PackageFileKind::other;
  std::unique_ptr<BlobIntake> member_;
  std::vector<std::byte> metadata_;  ///< of the member being read, when it is descriptor, manifest or certificate
  std::string manifest_name_;
  std::vector<std::byte> manifest_;
  std::vector<std::byte> certificate_;
};

}  // namespace quire::service
