#include "client/same_content.h"

#include <algorithm>
#include <optional>
#include <span>

#include "base/hex.h"
#include "client/failure.h"
#include "formats/ova_stream.h"

namespace quire::client {
namespace {

using base::Result;

const StoredFile* find_stored(const std::vector<StoredFile>& stored, std::string_view name) {
  const auto found = std::ranges::find(stored, name, &StoredFile::name);
  return found == stored.end() ? nullptr : &*found;
}

/// Ends the reading of an archive at the first difference.
base::Error differs() { return content_refused("the archive differs from the item"); }

/// Compares members with the files of an item as they come.
class MemberComparison final : public formats::OvaVisitor {
 public:
  explicit MemberComparison(const std::vector<StoredFile>& stored) : stored_(stored) {}

  Result<void> begin_member(std::string_view name, std::uint64_t size) override {
    current_ = find_stored(stored_, name);
    passed_over_ = is_checked_and_not_kept(name, stored_);
    if (passed_over_) return {};
    if (current_ == nullptr || !current_->checksum || static_cast<std::uint64_t>(current_->size) != size)
      return differs();
    hasher_.emplace(current_->checksum->algorithm);
    return {};
  }
  Result<void> member_bytes(std::span<const std::byte> bytes) override {
    if (!passed_over_) hasher_->update(bytes);
    return {};
  }
  Result<void> end_member() override {
    if (passed_over_) return {};
    if (hasher_->finish() != *current_->checksum) return differs();
    ++same_;
    return {};
  }

  bool all_are_there() const { return same_ == stored_.size(); }

 private:
  const std::vector<StoredFile>& stored_;
  const StoredFile* current_ = nullptr;
  bool passed_over_ = false;
  std::optional<base::Hasher> hasher_;
  std::size_t same_ = 0;
};

}  // namespace

bool is_checked_and_not_kept(std::string_view name, const std::vector<StoredFile>& stored) {
  const auto lower = base::to_lower(name);
  return (lower.ends_with(".mf") || lower.ends_with(".cert")) && find_stored(stored, name) == nullptr &&
         std::ranges::any_of(stored, [](const auto& file) { return base::to_lower(file.name).ends_with(".ovf"); });
}

Result<std::set<std::string>> files_already_there(const std::vector<LocalFile>& local,
                                                  const std::vector<StoredFile>& stored,
                                                  const std::atomic<bool>* stop) {
  std::set<std::string> there;
  for (const auto& file : local) {
    const auto* other = find_stored(stored, file.name);
    if (other == nullptr || other->size != file.size || !other->checksum) continue;
    QUIRE_ASSIGN_OR_RETURN(const auto digest, digest_of_file(file.path, other->checksum->algorithm, stop));
    if (digest == *other->checksum) there.insert(file.name);
  }
  return there;
}

Result<bool> is_archive_of(const LocalFile& archive, const std::vector<StoredFile>& stored,
                           const std::atomic<bool>* stop) {
  // A header and padding for each member, and the blocks at the end: what is much larger cannot be it.
  constexpr std::int64_t around_member = 4096;
  constexpr std::int64_t around_all = 1L << 20U;  // manifest and certificate too
  std::int64_t bytes = 0;
  for (const auto& file : stored) bytes += file.size;
  const auto spare = around_all + around_member * static_cast<std::int64_t>(stored.size());
  if (stored.empty() || archive.size < bytes || archive.size > bytes + spare) return false;

  MemberComparison comparison(stored);
  formats::OvaStream stream(comparison);
  QUIRE_ASSIGN_OR_RETURN(const auto file, open_for_upload(archive.path));
  constexpr std::size_t piece = 1UL << 20U;
  std::vector<char> buffer(piece);
  for (std::int64_t offset = 0;;) {
    if (stop != nullptr && stop->load()) return interrupted();
    QUIRE_ASSIGN_OR_RETURN(const auto count, file->read_at(offset, buffer));
    if (count == 0) break;
    if (!stream.feed(std::as_bytes(std::span(buffer).first(count)))) return false;
    offset += static_cast<std::int64_t>(count);
  }
  return static_cast<bool>(stream.finish()) && comparison.all_are_there();
}

}  // namespace quire::client
