#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "content/blob_store.h"
#include "content/library_folders.h"

namespace quire::adapters::files {

/// Folders of libraries below `root`, the absolute path of a storage's folder, which need not be there yet. `blobs`
/// says how much room there is for what must be copied; `storage_name` is for error texts.
///
/// The mark is the file `.quire` with the owner's name; whoever has the folder open holds a lock on it (flock). Files
/// are for the server's user and group. A blob comes into a folder as a reflink; where the file system has none, as a
/// hard link, so the file has the permissions of the blob, which let nobody write; else as a copy. New files have a
/// name of their own until they are whole, `.quire-new`.
std::unique_ptr<content::LibraryFolders> make_file_library_folders(std::filesystem::path root, std::string storage_name,
                                                                   std::shared_ptr<content::BlobStore> blobs);

}  // namespace quire::adapters::files
