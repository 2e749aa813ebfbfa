#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "content/object_store.h"

namespace quire::test_support {

/// An object store on a folder: each object is a file of its key. Several of one folder, in several processes too, are
/// one store; there is nothing to sync, so it survives processes, not power cuts. Pages of listings are small, so that
/// there are several.
class FolderObjectStore final : public content::ObjectStore {
 public:
  explicit FolderObjectStore(std::filesystem::path folder, std::size_t page_objects = 7)
      : folder_(std::move(folder)), page_objects_(page_objects) {}

  base::Result<void> put(std::string_view key, std::span<const std::byte> bytes, std::string_view sha256) override {
    if (base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex != sha256)
      return base::internal_error("the bytes of " + std::string(key) + " do not have the digest that was told");
    const auto place = folder_ / key;
    const auto incoming = folder_ / ("." + flat(key));
    std::ofstream out(incoming, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) return unavailable("cannot write " + incoming.string());
    std::error_code failed;
    // A removal may take the folder away again.
    do {
      std::filesystem::create_directories(place.parent_path(), failed);
      failed.clear();
      std::filesystem::create_hard_link(incoming, place, failed);
    } while (failed == std::errc::no_such_file_or_directory);
    std::error_code ignored;
    std::filesystem::remove(incoming, ignored);
    if (failed == std::errc::file_exists)
      return base::Error(base::ErrorKind::already_exists, "test.object.exists", "There is such an object.");
    return failed ? unavailable(failed.message()) : base::Result<void>();
  }

  base::Result<std::size_t> get(std::string_view key, std::int64_t offset, std::span<std::byte> buffer) override {
    std::ifstream in(folder_ / key, std::ios::binary);
    if (!in) return base::Error(base::ErrorKind::not_found, "test.object.missing", "There is no such object.");
    in.seekg(0, std::ios::end);
    if (offset >= in.tellg()) return std::size_t{0};
    in.seekg(offset);
    in.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
    return static_cast<std::size_t>(in.gcount());
  }

  base::Result<void> remove(std::span<const std::string> keys) override {
    for (const auto& key : keys) {
      std::error_code failed;
      std::filesystem::remove(folder_ / key, failed);
      if (failed) return unavailable(failed.message());
      std::filesystem::remove((folder_ / key).parent_path(), failed);  // when it is empty now
    }
    return {};
  }

  base::Result<Page> list(std::string_view prefix, std::string_view next) override {
    std::vector<Listed> found;
    while (!find(prefix, next, found)) found.clear();  // a folder went away meanwhile
    std::ranges::sort(found, {}, &Listed::key);
    Page page;
    const auto count = std::min(found.size(), page_objects_);
    page.objects.assign(std::make_move_iterator(found.begin()),
                        std::make_move_iterator(found.begin() + static_cast<std::ptrdiff_t>(count)));
    if (count < found.size()) page.next = page.objects.back().key;
    return page;
  }

  /// Of all objects. What a process that died was writing is none.
  std::vector<std::string> keys() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_))
      if (!entry.is_directory() && !entry.path().filename().string().starts_with('.'))
        all.push_back(entry.path().lexically_relative(folder_).generic_string());
    std::ranges::sort(all);
    return all;
  }

  std::filesystem::path file_of(std::string_view key) const { return folder_ / key; }

 private:
  static std::string flat(std::string_view key) {
    std::string name(key);
    std::ranges::replace(name, '/', '_');
    return name;
  }

  /// False when the folder cannot be gone through.
  bool find(std::string_view prefix, std::string_view next, std::vector<Listed>& found) const {
    std::error_code gone;
    for (std::filesystem::recursive_directory_iterator entry(folder_, gone), end; !gone && entry != end;
         entry.increment(gone)) {
      auto key = entry->path().lexically_relative(folder_).generic_string();
      std::error_code failed;
      const auto size = entry->is_regular_file(failed) ? entry->file_size(failed) : 0;
      if (failed || entry->is_directory(failed) || key.front() == '.' || !key.starts_with(prefix) || key <= next)
        continue;
      found.push_back({std::move(key), static_cast<std::int64_t>(size), {}});
    }
    return !gone;
  }

  static base::Error unavailable(const std::string& cause) {
    return base::Error(base::ErrorKind::service_unavailable, "test.object.unavailable",
                       "The object store is not there.")
        .with_cause(cause);
  }

  const std::filesystem::path folder_;
  const std::size_t page_objects_;
};

}  // namespace quire::test_support
