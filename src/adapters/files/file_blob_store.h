#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "content/blob_store.h"

namespace quire::adapters::files {

struct FileBlobStoreOptions {
  std::string storage_name;  ///< as people know it, for error texts
  bool direct_io = true;     ///< false sends large blobs through the page cache as well
  /// What blobs leave free on their file system, for whatever else lives there (the catalog). Space counts as free
  /// without it. `reserve_shrinks`: at most a sixteenth of the file system, so that a small one can be used at all.
  std::int64_t reserve_bytes = 0;
  bool reserve_shrinks = false;
};

/// Blobs as plain files below `root`, an absolute path; makes the folders that are missing.
///
///     <root>/incoming/<id>                         unfinished
///     <root>/blobs/<first two digits of id>/<id>   committed, read-only
///
/// Ids are 3 to 64 of `0-9`, `a-f` and `-`, starting with two digits; any other is a broken invariant. Creating an id
/// that is there already is InternalServerError. Files and folders that are not named so are left alone and not
/// listed.
///
/// Large blobs bypass the page cache (O_DIRECT) where the file system allows it. That is fastest when append() gets
/// whole multiples of 4,096 bytes at addresses that are multiples of 4,096: they go to the disk from where they are;
/// anything else is gathered in a buffer of 1 MiB. A writer whose position is no such multiple wants its first bytes at
/// an address as far behind one. Blobs that are expected to be smaller than that use no buffer.
///
/// The time of change of a committed file carries the seal (BlobReader::sealed()): its nanoseconds belong to the id. On
/// a file system whose times are coarser no blob is ever sealed.
///
/// Cost: commit() waits for the disk three times (data, name, folder). remove(), and the destruction of a writer that
/// has not committed, take time in proportion to the size (in the order of 0.1 s a GiB): not on a network thread.
/// remove() is not durable by itself; after a power cut the blob may be back, and a sweep finds it by list(). A reader
/// and a writer hold one file descriptor each.
///
/// Errors of opening: ResourceInaccessible when the folder cannot be made or used, UnableToAllocateResource when there
/// is no room for it. Errors of the store: besides those of the port, InternalServerError with a cause for any other
/// failure of the file system.
base::Result<std::unique_ptr<content::BlobStore>> open_file_blob_store(const std::filesystem::path& root,
                                                                       FileBlobStoreOptions options);

/// The folders of a store at `root`: nobody else may read or write there.
std::vector<std::filesystem::path> folders_of_blob_store(const std::filesystem::path& root);

/// The `file:///…` URI (RFC 8089) of an absolute path, without a trailing slash; what a URI cannot hold is
/// percent-encoded. A blob's uri() begins with that of its store's root.
std::string file_uri(const std::filesystem::path& path);

}  // namespace quire::adapters::files
