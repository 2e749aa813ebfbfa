#include "adapters/objects/segment_files.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/log.h"

namespace quire::adapters::objects {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t left_on_disk = std::uintmax_t{256} << 20U;
constexpr std::size_t digest_digits = 64;

bool is_name(std::string_view name) {
  return name.size() == digest_digits && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool read_file(const fs::path& path, std::span<std::byte> bytes) {
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return file && file.peek() == std::ifstream::traits_type::eof();
}

bool write_file(const fs::path& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  return file.good();
}

}  // namespace

SegmentFiles::SegmentFiles(fs::path folder, std::int64_t bytes_max)
    : folder_(std::move(folder)), bytes_max_(bytes_max) {
  find_files();
}

/// Those of an earlier process, in the order in which they were written.
void SegmentFiles::find_files() {
  std::error_code failed;
  fs::create_directories(folder_, failed);
  std::vector<std::pair<fs::file_time_type, File>> found;
  for (fs::directory_iterator entry(folder_, failed), end; !failed && entry != end; entry.increment(failed)) {
    std::error_code ignored;
    const auto name = entry->path().filename().string();
    const auto size = entry->file_size(ignored);
    if (is_name(name) && !ignored)
      found.emplace_back(entry->last_write_time(ignored), File{name, static_cast<std::int64_t>(size)});
    else if (name.starts_with('.'))
      fs::remove(entry->path(), ignored);  // a process has died while it wrote it
  }
  if (failed) spdlog::warn("The cache folder {} cannot be read: {}", folder_.string(), failed.message());
  std::ranges::sort(found, {}, &std::pair<fs::file_time_type, File>::first);
  for (auto& [written, file] : found) {
    used_bytes_ += file.size;
    by_name_[file.name] = files_.insert(files_.end(), file);
  }
  while (used_bytes_ > bytes_max_ && !files_.empty()) forget(std::string(files_.front().name));
}

bool SegmentFiles::read(const Segment& segment, std::span<std::byte> bytes) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_name_.find(segment.sha256);
    if (found == by_name_.end()) return false;
    files_.splice(files_.end(), files_, found->second);
  }
  if (read_file(path_of(segment.sha256), bytes) &&
      base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex == segment.sha256)
    return true;
  remove(segment);
  return false;
}

void SegmentFiles::keep(const Segment& segment, std::span<const std::byte> bytes) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (size > bytes_max_ || !has_room_on_disk(bytes.size())) return;
  fs::path incoming;
  {
    const std::lock_guard lock(mutex_);
    if (by_name_.contains(segment.sha256)) return;
    incoming = folder_ / ("." + std::to_string(++written_));
  }
  std::error_code failed;
  if (!write_file(incoming, bytes)) {
    fs::remove(incoming, failed);
    return;
  }
  const std::lock_guard lock(mutex_);
  fs::rename(incoming, path_of(segment.sha256), failed);
  if (failed || by_name_.contains(segment.sha256)) return;
  by_name_[segment.sha256] = files_.insert(files_.end(), File{segment.sha256, size});
  used_bytes_ += size;
  while (used_bytes_ > bytes_max_) forget(std::string(files_.front().name));
}

void SegmentFiles::remove(const Segment& segment) {
  const std::lock_guard lock(mutex_);
  forget(segment.sha256);
}

std::int64_t SegmentFiles::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

/// The caller holds the lock.
void SegmentFiles::forget(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  std::error_code ignored;
  fs::remove(path_of(name), ignored);
  used_bytes_ -= found->second->size;
  files_.erase(found->second);
  by_name_.erase(found);
}

bool SegmentFiles::has_room_on_disk(std::size_t bytes) const {
  std::error_code failed;
  const auto space = fs::space(folder_, failed);
  return !failed && space.available >= bytes + left_on_disk;
}

}  // namespace quire::adapters::objects
