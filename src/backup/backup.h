#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "content/catalog.h"
#include "content/storage.h"

/// A backup is a folder: `catalog.sqlite`, a snapshot, and the blobs that it names, in the layout of a storage. It is
/// made while a server runs on the original, and each further one into the same folder copies only what is new.
namespace quire::backup {

/// Bytes that could not be saved, or restored, as the catalog knows them.
struct Loss {
  std::string object;   ///< `blob 1f0c…`
  std::string problem;  ///< a sentence
};

struct Summary {
  std::int64_t blobs = 0;         ///< that the catalog names
  std::int64_t bytes = 0;         ///< their size
  std::int64_t copied_blobs = 0;  ///< of them, those that were not there yet
  std::int64_t copied_bytes = 0;
  std::int64_t removed_blobs = 0;  ///< that an earlier snapshot named and this one does not
  std::vector<Loss> losses;        ///< empty: everything is there
};

/// Bytes of blobs that are done, and of all; called after each blob.
using Progress = std::function<void(std::int64_t done, std::int64_t all)>;

/// What is saved.
struct Original {
  /// Writes the catalog as it is at this moment to a SQLite file, durably (adapters/sql/sql_catalog.h).
  std::function<base::Result<void>(const std::filesystem::path&)> copy_catalog;
  /// Opens the storages that such a copy names.
  std::function<base::Result<content::Storages>(content::Catalog& copy)> open_storages;
};

/// Saves the catalog and the blobs of the storages into `folder`, made if missing. The server may go on: the snapshot
/// shows one moment, and what is deleted meanwhile is noticed and the snapshot taken anew. Every blob is compared with
/// its SHA-256 while it is copied; `verify_all` reads those that were there before as well. A blob that is damaged is
/// told as a loss and does not keep the rest from being saved.
///
/// After a crash at any moment the folder holds the earlier backup or the new one. ResourceInaccessible when the
/// folder cannot be used, or another backup is being made into it; UnableToAllocateResource when there is no room.
base::Result<Summary> make_backup(const Original& original, const std::filesystem::path& folder, bool verify_all,
                                  const Progress& progress);

/// Puts the blobs of the backup in `folder` into the storages of a new installation, whose catalog has been copied from
/// it. Every blob is compared with its SHA-256. Uploads that were going on begin anew: what had arrived of them is no
/// part of a backup.
base::Result<Summary> restore_blobs(const std::filesystem::path& folder, content::Catalog& catalog,
                                    const content::Storages& storages, const Progress& progress);

/// Subscribers of a library that was published have perhaps seen later counters than the backup has, and would take
/// nothing for news until those are passed (vcsp.md §6.1): the library's and its items' counters move on by far more
/// than they can have missed. For a catalog that has just been restored.
base::Result<void> raise_published_counters(content::Catalog& catalog);

}  // namespace quire::backup
