#include "adapters/files/ballast.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "adapters/files/file_descriptor.h"
#include "base/log.h"

namespace quire::adapters::files {
namespace {

constexpr mode_t ballast_mode = 0600;
constexpr std::int64_t part_of_disk = 32;

/// Takes `bytes` of the disk under the name `path`. False when that is not to be had; then nothing is left.
bool take_room(const std::filesystem::path& path, std::int64_t bytes) {
  const auto file = open_at(AT_FDCWD, path.string(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, ballast_mode);
  if (!file) return false;
  const int failed = ::posix_fallocate(file.get(), 0, bytes);
  if (failed == 0) return true;
  ::unlink(path.c_str());
  return false;
}

}  // namespace

Ballast::Ballast(std::filesystem::path path, std::int64_t bytes) : path_(std::move(path)), bytes_(bytes) {
  struct statvfs facts{};
  if (::statvfs(path_.parent_path().c_str(), &facts) == 0 && facts.f_blocks > 0)
    bytes_ = std::min(
        bytes_, static_cast<std::int64_t>(facts.f_blocks) * static_cast<std::int64_t>(facts.f_frsize) / part_of_disk);
  std::error_code unknown;
  held_ = static_cast<std::int64_t>(std::filesystem::file_size(path_, unknown)) >= bytes_ && !unknown;
  hold();
}

std::optional<std::int64_t> Ballast::free_bytes() const {
  struct statvfs facts{};
  if (::statvfs(path_.parent_path().c_str(), &facts) != 0) return std::nullopt;
  return static_cast<std::int64_t>(facts.f_bavail) * static_cast<std::int64_t>(facts.f_frsize);
}

bool Ballast::hold() {
  if (held_) return true;
  const std::scoped_lock lock(mutex_);
  if (held_) return true;
  const auto free = free_bytes();
  if (!free || *free < 2 * bytes_ || !take_room(path_, bytes_)) return false;
  held_ = true;
  return true;
}

bool Ballast::release() {
  const std::scoped_lock lock(mutex_);
  if (!held_.exchange(false)) return false;
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) {
    spdlog::error("The ballast {} could not be removed to make room: {}", path_.string(), reason_of(errno));
    return false;
  }
  spdlog::warn(
      "The disk of the catalog is full. The ballast was let go: sessions can be ended and content deleted, but "
      "nothing new begins until there is room.");
  return true;
}

base::Result<void> BallastedCatalog::write_transaction(
    const std::function<base::Result<void>(content::CatalogWriter&)>& function) {
  auto ended = catalog_->write_transaction(function);
  if (ended || !is_catalog_full(ended.error())) return ended;
  ballast_.release();  // or somebody else just did
  return catalog_->write_transaction(function);
}

bool is_catalog_full(const base::Error& error) { return error.messages().front().id == content::catalog_full_id; }

}  // namespace quire::adapters::files
