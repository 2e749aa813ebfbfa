#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/ova_member_order.h"
#include "formats/ova_stream.h"
#include "service/blob/blob_sink.h"
#include "service/update_session/package_intake.h"

namespace quire::service {

/// An OVA that is unpacked while it arrives: every member becomes a blob, the archive itself is not kept
/// (content-library-api.md §23.6, §28.2). `._NAME` of macOS is passed over when NAME is there too. One thread at a
/// time. Destroyed before the members were taken it leaves nothing.
class ArchiveIntake final : public formats::OvaVisitor {
 public:
  /// `name` is the archive's, for messages: each says which archive and, where it is about one, which member.
  /// `files_max` bounds the members. `expected_size`: bytes of the whole archive when that is known; a member that
  /// announces more is refused. `own_digests` are taken of the archive as a whole, padding included.
  ArchiveIntake(Context& context, const content::Storage& storage, std::string name, std::size_t files_max,
                std::optional<std::int64_t> expected_size, const std::vector<base::DigestAlgorithm>& own_digests);
  ~ArchiveIntake() override;

  /// InvalidArgument for what is no OVA; UnableToAllocateResource.
  base::Result<void> append(std::span<const std::byte> bytes);
  /// The archive is whole, in order, and agrees with its manifest; else InvalidArgument.
  base::Result<void> finish();

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
  void directory(std::string_view name) override;

 private:
  base::Result<void> check_member(std::uint64_t size) const;
  base::Result<void> read_metadata(content::SessionFile& file);
  std::vector<Member>::iterator find_member(std::string_view name);
  void drop_double_of(std::string_view name);
  bool holds_too_many() const;
  base::Error too_many_files() const;
  /// The client's fault, with the archive and perhaps a member of it in front of the reason.
  base::Error in_archive(const base::Error& error) const;
  base::Error in_member(const base::Error& error, const std::string& member) const;

  Context& context_;
  const content::Storage& storage_;
  std::string name_;
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
  std::unique_ptr<BlobSink> member_;  ///< none while a member is passed over
  std::size_t doubles_ = 0;           ///< members called `._NAME`
  /// To take of members, besides SHA-256: what the manifest names, or all that it may name while it can still come.
  std::vector<base::DigestAlgorithm> algorithms_ = {base::DigestAlgorithm::SHA1, base::DigestAlgorithm::SHA512};
  std::vector<std::byte> metadata_;  ///< of the member being read, when it is descriptor, manifest or certificate
  std::string manifest_name_;
  std::vector<std::byte> manifest_;
  std::vector<std::byte> certificate_;
};

}  // namespace quire::service
