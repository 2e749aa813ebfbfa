#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "content/fetcher.h"

namespace quire::adapters::files {

/// What may be read, all of it canonical absolute paths.
struct ReadableFiles {
  struct Volume {
    std::string uuid;  ///< `ds:///vmfs/volumes/<uuid>/…` is below
    std::filesystem::path folder;
  };
  std::vector<Volume> volumes;                 ///< storages, by `ds:` and by `file:`
  std::vector<std::filesystem::path> folders;  ///< further ones, by `file:`
  std::vector<std::filesystem::path> closed;   ///< the server's own files and folders: never, wherever they lie
};

/// The Fetcher of `file:///…` and `ds:///vmfs/volumes/<uuid>/…` (content-library-api.md §23.7): whole regular files, a
/// MiB at a time. The path is walked folder by folder; no symbolic link is followed below a readable folder, and `..`
/// is refused, so that nothing leads out of it. Queries and fragments are not looked at, repeated slashes count as one.
///
/// Failures: unusable_url (also: not a regular file), refused_address (not readable by the settings), not_there,
/// unauthorized (the operating system says no), broken (cannot be read, or changed meanwhile: tried again). Nothing to
/// go on from: a broken fetch starts over. probe() answers unusable_url, as only web servers are probed (§15.2).
std::unique_ptr<content::Fetcher> make_file_fetcher(ReadableFiles readable);

}  // namespace quire::adapters::files
