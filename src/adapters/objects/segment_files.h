#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "adapters/objects/segment.h"

namespace quire::adapters::objects {

/// Copies of segments as files of a folder, so that what is read again need not come from the store again, also after a
/// restart. Nothing depends on it: a copy that is missing, cut or changed is as good as none, and the folder may be
/// removed at any time. Files are named by their digest, and nothing is made durable. All threads may call it.
class SegmentFiles {
 public:
  /// `folder` is made where it is not there. At most `bytes_max` are kept, and
  /// none that would leave less than 256 MiB of the disk free.
  SegmentFiles(std::filesystem::path folder, std::int64_t bytes_max);

  /// Fills `bytes`, which have the segment's size. False when there is no copy, or it is not what its digest says: then
  /// it goes.
  bool read(const Segment& segment, std::span<std::byte> bytes);
  /// Keeps a copy; those that were read longest ago make room for it. What cannot be written is not kept.
  void keep(const Segment& segment, std::span<const std::byte> bytes);
  void remove(const Segment& segment);

  std::int64_t used_bytes() const;

 private:
  struct File {
    std::string name;
    std::int64_t size;
  };
  using Files = std::list<File>;

  void find_files();
  std::filesystem::path path_of(std::string_view name) const { return folder_ / name; }
  void forget(std::string_view name);
  bool has_room_on_disk(std::size_t bytes) const;

  const std::filesystem::path folder_;
  const std::int64_t bytes_max_;
  mutable std::mutex mutex_;
  Files files_;  ///< what goes first stands first
  std::map<std::string, Files::iterator, std::less<>> by_name_;
  std::int64_t used_bytes_ = 0;
  std::uint64_t written_ = 0;  ///< tells files apart that are being written
};

}  // namespace quire::adapters::objects
