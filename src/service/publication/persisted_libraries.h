#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "content/library_folders.h"
#include "service/publication/publications.h"

namespace quire::service {

/// Keeps published libraries that have `persist_json` as files beside the blobs of their storage, for whoever reads
/// these (content-library-api.md §18; vcsp/tree.h; decision 22). Follows the library's generation; what is there is
/// known from the folder itself, so nothing is stored and a crash needs no repair. Only items that changed are written.
/// Files that the state shown does not name stay for Settings::replaced_content_retention, or that long from a start
/// on. The folders of libraries that are not to have one go, also those that a crash has left.
///
/// A folder that cannot be brought up to date keeps what it shows and is tried again with growing pauses; meanwhile
/// run_round() errs. One thread runs the rounds; stop() is for any.
class PersistedLibraries {
 public:
  /// `owner`: what marks folders as this installation's.
  PersistedLibraries(Context& context, Publications& publications, std::string owner);

  /// Looks at every folder once. The Error of one that is behind.
  base::Result<void> run_round();

  /// Waits until `at_most` has passed or stop() was called; false after stop().
  bool wait(base::Duration at_most);
  /// Ends what runs and all waiting.
  void stop();

 private:
  /// What this process knows of a folder.
  struct Folder {
    std::optional<std::int64_t> shown;            ///< the generation, since all of it was looked at
    std::map<std::string, base::Duration> spare;  ///< files that no longer belong to it, and since when (uptime)
    std::optional<base::Duration> next_removal = {};
    std::int64_t failures = 0;
    base::Duration next_try = {};
    std::optional<base::Error> problem = {};
  };
  using Key = std::pair<content::LibraryId, content::StorageId>;
  struct Changes;

  base::Result<void> find_folders();
  base::Result<void> read_wanted();
  base::Result<void> keep(Folder& folder, const content::Library& library);
  base::Result<bool> show(Folder& folder, content::LibraryFolder& files, const content::LibraryId& id);
  base::Result<Changes> compare(const Folder& folder, content::LibraryFolder& files, const PublishedState& state);
  base::Result<void> place_files(content::LibraryFolder& files, const content::LibraryId& id, const Changes& changes);
  base::Result<void> remove_spare(Folder& folder, content::LibraryFolder& files);
  base::Result<void> remove(const Key& key);
  bool is_to_stay(const Key& key) const;
  template <class Work>
  bool attempt(const Key& key, Folder& folder, Work work);

  Context& context_;
  Publications& publications_;
  const std::string owner_;
  std::set<content::StorageId> listed_;     ///< storages whose folders are all known
  std::optional<std::uint64_t> wanted_at_;  ///< Catalog::libraries_version()
  std::vector<content::Library> wanted_;    ///< what is to have a folder
  std::map<Key, Folder> folders_;           ///< also those that are to go

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace quire::service
