#pragma once

#include <set>
#include <string>
#include <vector>

#include "client/catalog_names.h"
#include "client/local_files.h"

namespace quire::client {

/// The names of the local files that the item has already, by size and checksum. A file is read only when its size
/// fits.
base::Result<std::set<std::string>> files_already_there(const std::vector<LocalFile>& local,
                                                        const std::vector<StoredFile>& stored,
                                                        const std::atomic<bool>* stop);

/// Manifests and certificates of packages are checked by the server and not kept: one that is not among the files of
/// the item says nothing of what the item has.
bool is_checked_and_not_kept(std::string_view name, const std::vector<StoredFile>& stored);

/// Whether an archive holds exactly the files of the item; the server keeps the members and not the archive.
base::Result<bool> is_archive_of(const LocalFile& archive, const std::vector<StoredFile>& stored,
                                 const std::atomic<bool>* stop);

}  // namespace quire::client
