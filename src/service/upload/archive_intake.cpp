#include "service/upload/archive_intake.h"

#include <algorithm>

#include "base/file_name.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::SessionFile;
using formats::PackageFileKind;

bool is_metadata(PackageFileKind kind) { return kind != PackageFileKind::other; }

}  // namespace

ArchiveIntake::ArchiveIntake(Context& context, const content::Storage& storage, std::string name, std::size_t files_max,
                             std::optional<std::int64_t> expected_size,
                             const std::vector<base::DigestAlgorithm>& own_digests)
    : context_(context),
      storage_(storage),
      name_(std::move(name)),
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
  const auto fed = stream_.feed(bytes);
  hasher_.wait();
  size_ += static_cast<std::int64_t>(bytes.size());
  if (!fed) return in_archive(fed.error());
  return {};
}

Result<void> ArchiveIntake::begin_member(std::string_view name, std::uint64_t size) {
  QUIRE_ASSIGN_OR_RETURN(member_kind_, order_.next(name));
  member_name_ = name;
  metadata_.clear();
  drop_double_of(name);
  const auto original = base::apple_double_of(name);
  if (original && order_.has_passed(*original)) return {};
  if (original) ++doubles_;
  QUIRE_RETURN_IF_ERROR(check_member(size));
  QUIRE_ASSIGN_OR_RETURN(member_, BlobSink::begin(content::BlobId(context_.identities.uuid()), storage_,
                                                  static_cast<std::int64_t>(size), algorithms_));
  return {};
}

Result<void> ArchiveIntake::check_member(std::uint64_t size) const {
  if (holds_too_many()) return too_many_files();
  if (expected_size_ && size > static_cast<std::uint64_t>(*expected_size_))
    return Error(
        ErrorKind::invalid_argument, "quire.ova.member_too_large",
        "The OVA cannot be used: its member {name} is to have {size} bytes, but the whole archive has "
        "{archive_size}. Make the archive again.",
        {{"name", member_name_}, {"size", static_cast<std::int64_t>(size)}, {"archive_size", *expected_size_}});
  const auto metadata_max = static_cast<std::uint64_t>(context_.limits.metadata_file_bytes_max);
  if (is_metadata(member_kind_) && size > metadata_max)
    return Error(ErrorKind::invalid_argument, "quire.package.metadata_too_large",
                 "File {name} of the package has {size} bytes; at most {limit} are allowed.",
                 {{"name", member_name_},
                  {"size", static_cast<std::int64_t>(size)},
                  {"limit", static_cast<std::int64_t>(metadata_max)}});
  return {};
}

/// Doubles whose file is still to come count apart, so that a package with one for each file fits.
bool ArchiveIntake::holds_too_many() const {
  return doubles_ > files_max_ || members_.size() - std::min(doubles_, members_.size()) >= files_max_;
}

Error ArchiveIntake::too_many_files() const {
  return {ErrorKind::invalid_argument,
          "quire.ova.too_many_files",
          "The archive holds more than {limit} files, which is the limit.",
          {{"limit", static_cast<std::int64_t>(files_max_)}}};
}

Result<void> ArchiveIntake::member_bytes(std::span<const std::byte> bytes) {
  if (!member_) return {};
  if (is_metadata(member_kind_)) metadata_.insert(metadata_.end(), bytes.begin(), bytes.end());
  return member_->append(bytes);
}

Result<void> ArchiveIntake::end_member() {
  if (!member_) return {};
  const auto size = member_->position();
  Member member;
  member.file.name = member_name_;
  member.file.source_type = content::SourceType::NONE;
  member.file.status = content::TransferStatus::READY;
  member.file.size = size;
  member.file.bytes_transferred = size;
  QUIRE_ASSIGN_OR_RETURN(member.file.digests, member_->digests(size));
  member.file.keep_in_storage = member_kind_ == PackageFileKind::descriptor || member_kind_ == PackageFileKind::other;
  QUIRE_RETURN_IF_ERROR(read_metadata(member.file));
  QUIRE_ASSIGN_OR_RETURN(member.blob, member_->commit(size, member.file.digests));
  member.file.blob = member.blob.id;
  member_.reset();
  members_.push_back(std::move(member));
  return {};
}

void ArchiveIntake::directory(std::string_view name) {
  order_.directory(name);
  drop_double_of(name);
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
  if (const auto* unreadable = std::get_if<content::UnreadableFacts>(&file.facts))
    return in_member(Error(ErrorKind::invalid_argument, unreadable->reason), file.name);
  if (const auto* manifest = std::get_if<content::ManifestFacts>(&file.facts)) {
    algorithms_ = manifest_algorithms("ovf", {file});
    std::set<std::string, std::less<>> named;
    for (const auto& entry : manifest->entries) named.insert(entry.name);
    order_.manifest_names(std::move(named));
  }
  return {};
}

std::vector<ArchiveIntake::Member>::iterator ArchiveIntake::find_member(std::string_view name) {
  return std::find_if(members_.begin(), members_.end(), [&](const Member& member) { return member.file.name == name; });
}

/// What macOS put beside a file or directory, when it came before it.
void ArchiveIntake::drop_double_of(std::string_view name) {
  if (doubles_ == 0) return;
  const auto slash = name.rfind('/');
  const auto folder = name.substr(0, slash == std::string_view::npos ? 0 : slash + 1);
  const auto found = find_member(std::string(folder) + "._" + std::string(name.substr(folder.size())));
  if (found == members_.end()) return;
  remove_bytes(context_, {found->blob});
  members_.erase(found);
  --doubles_;
}

Error ArchiveIntake::in_archive(const Error& error) const {
  if (error.kind() != ErrorKind::invalid_argument) return error;
  return {error.kind(), content::about_file(name_, error.messages().front())};
}

Error ArchiveIntake::in_member(const Error& error, const std::string& member) const {
  auto reason = error.messages().front();
  reason.default_message.insert(0, base::make_message({}, "member {member}: ", {{"member", member}}).default_message);
  reason.params.push_back({"member", member});
  return in_archive({error.kind(), std::move(reason)});
}

Result<void> ArchiveIntake::finish() {
  if (const auto whole = stream_.finish(); !whole) return in_archive(whole.error());
  if (const auto ordered = order_.finish(); !ordered) return in_archive(ordered.error());
  if (members_.size() > files_max_) return in_archive(too_many_files());
  digests_ = hasher_.finish();

  std::vector<SessionFile> files;
  for (auto& member : members_) {
    if (formats::package_file_kind(member.file.name) == PackageFileKind::certificate) {
      member.file.facts = signature_facts(certificate_, manifest_name_, manifest_);
      if (const auto* unreadable = std::get_if<content::UnreadableFacts>(&member.file.facts))
        return in_member(Error(ErrorKind::invalid_argument, unreadable->reason), member.file.name);
    }
    files.push_back(member.file);
  }
  const auto verdict = content::judge_package("ovf", files);
  const auto mismatch = std::find_if(verdict.invalid.begin(), verdict.invalid.end(), [](const auto& problem) {
    return problem.message.id == "quire.package.manifest_mismatch";
  });
  if (mismatch != verdict.invalid.end()) return in_archive(Error(ErrorKind::invalid_argument, mismatch->message));
  return {};
}

}  // namespace quire::service
