#include "service/archive_intake.h"

#include <algorithm>

#include "base/check.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::SessionFile;
using formats::PackageFileKind;

bool is_metadata(PackageFileKind kind) { return kind != PackageFileKind::other; }

}  // namespace

ArchiveIntake::ArchiveIntake(Context& context, const content::Storage& storage, std::size_t files_max,
                             std::optional<std::int64_t> expected_size,
                             const std::vector<base::DigestAlgorithm>& own_digests)
    : context_(context),
      storage_(storage),
      files_max_(files_max),
      expected_size_(expected_size),
      hasher_(own_digests) {}

ArchiveIntake::~ArchiveIntake() {
  std::vector<content::Blob> unused;
  for (const auto& member : members_) unused.push_back(member.blob);
  remove_bytes(context_, unused);
}

Result<void> ArchiveIntake::append(std::span<const std::byte> bytes) {
  hasher_.add(bytes);
  auto fed = stream_.feed(bytes);
  hasher_.wait();
  size_ += static_cast<std::int64_t>(bytes.size());
  return fed;
}

Result<void> ArchiveIntake::begin_member(std::string_view name, std::uint64_t size) {
  const auto kind = order_.next(name);
  if (!kind) return kind.error();
  if (members_.size() >= files_max_)
    return Error(ErrorKind::invalid_argument, "quire.ova.too_many_files",
                 "The archive holds more than {limit} files, which is the limit.",
                 {{"limit", static_cast<std::int64_t>(files_max_)}});
  if (expected_size_ && size > static_cast<std::uint64_t>(*expected_size_))
    return Error(
        ErrorKind::invalid_argument, "quire.ova.member_too_large",
        "The OVA cannot be used: its member {name} is to have {size} bytes, but the whole archive has "
        "{archive_size}. Make the archive again.",
        {{"name", std::string(name)}, {"size", static_cast<std::int64_t>(size)}, {"archive_size", *expected_size_}});
  const auto metadata_max = static_cast<std::uint64_t>(context_.limits.metadata_file_bytes_max);
  if (is_metadata(*kind) && size > metadata_max)
    return Error(ErrorKind::invalid_argument, "quire.package.metadata_too_large",
                 "File {name} of the package has {size} bytes; at most {limit} are allowed.",
                 {{"name", std::string(name)},
                  {"size", static_cast<std::int64_t>(size)},
                  {"limit", static_cast<std::int64_t>(metadata_max)}});
  member_name_ = name;
  member_kind_ = *kind;
  metadata_.clear();
  std::vector<SessionFile> so_far;
  for (const auto& member : members_) so_far.push_back(member.file);
  // The manifest may still come, at the end: then its algorithm is not known yet.
  auto algorithms = manifest_name_.empty() ? std::vector{base::DigestAlgorithm::SHA1, base::DigestAlgorithm::SHA512}
                                           : manifest_algorithms("ovf", so_far);
  auto begun = BlobIntake::begin(context_, storage_, static_cast<std::int64_t>(size), std::move(algorithms));
  if (!begun) return begun.error();
  member_ = *std::move(begun);
  return {};
}

Result<void> ArchiveIntake::member_bytes(std::span<const std::byte> bytes) {
  if (is_metadata(member_kind_)) metadata_.insert(metadata_.end(), bytes.begin(), bytes.end());
  return member_->append(bytes);
}

Result<void> ArchiveIntake::end_member() {
  Member member;
  member.file.name = member_name_;
  member.file.source_type = content::SourceType::NONE;
  member.file.status = content::TransferStatus::READY;
  member.file.size = member_->size();
  member.file.bytes_transferred = member_->size();
  member.file.digests = member_->digests();
  member.file.keep_in_storage = member_kind_ == PackageFileKind::descriptor || member_kind_ == PackageFileKind::other;
  if (auto read = read_metadata(member.file); !read) return read;
  auto blob = member_->commit();
  if (!blob) return blob.error();
  member.blob = *std::move(blob);
  member.file.blob = member.blob.id;
  member_.reset();
  members_.push_back(std::move(member));
  return {};
}

Result<void> ArchiveIntake::read_metadata(SessionFile& file) {
  switch (member_kind_) {
    case PackageFileKind::descriptor:
      file.facts = descriptor_facts(metadata_);
      break;
    case PackageFileKind::manifest:
      file.facts = manifest_facts(metadata_);
      manifest_name_ = member_name_;
      manifest_ = metadata_;
      break;
    case PackageFileKind::certificate:
      certificate_ = metadata_;
      break;
    case PackageFileKind::other:
      break;
  }
  const auto* unreadable = std::get_if<content::UnreadableFacts>(&file.facts);
  if (unreadable != nullptr) return Error(ErrorKind::invalid_argument, unreadable->reason);
  return {};
}

Result<void> ArchiveIntake::finish(base::Time now) {
  if (auto whole = stream_.finish(); !whole) return whole;
  if (auto ordered = order_.finish(); !ordered) return ordered;
  digests_ = hasher_.finish();

  std::vector<SessionFile> files;
  for (auto& member : members_) {
    if (formats::package_file_kind(member.file.name) == PackageFileKind::certificate) {
      member.file.facts =
          signature_facts(certificate_, manifest_name_, manifest_, context_.settings.trusted_certificates, now);
      if (const auto* unreadable = std::get_if<content::UnreadableFacts>(&member.file.facts))
        return Error(ErrorKind::invalid_argument, unreadable->reason);
    }
    files.push_back(member.file);
  }
  const auto verdict = content::judge_package("ovf", files);
  const auto mismatch = std::find_if(verdict.invalid.begin(), verdict.invalid.end(), [](const auto& problem) {
    return problem.message.id == "quire.package.manifest_mismatch";
  });
  if (mismatch != verdict.invalid.end()) return Error(ErrorKind::invalid_argument, mismatch->message);
  return {};
}

}  // namespace quire::service
