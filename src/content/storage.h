#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "content/blob_store.h"
#include "content/ids.h"
#include "content/library_folders.h"

namespace quire::content {

inline constexpr std::string_view folder_scheme = "file://";

/// A configured storage: a datastore of the inventory and a place for blobs (wire-protocols.md §4).
struct Storage {
  StorageId id;      ///< `datastore-11`
  std::string name;  ///< `LocalDS_0`
  std::string uuid;  ///< stable; `ds:///vmfs/volumes/<uuid>/` is its URL
  std::string uri;   ///< `file:///…` of its folder, or `s3://BUCKET[/PREFIX]`, without a trailing slash
  std::shared_ptr<BlobStore> blobs;
  std::shared_ptr<LibraryFolders> folders = {};  ///< unset where libraries cannot lie as files beside the blobs

  /// Whether a file of a library item is a file of this machine.
  bool is_folder() const { return uri.starts_with(folder_scheme); }
  std::string url() const { return "ds:///vmfs/volumes/" + uuid + "/"; }
};

/// UnableToAllocateResource, for bytes that the storage of that name has no room for.
base::Error storage_full(const std::string& storage_name);

/// All configured storages, fixed at start; the first is the default. Never empty.
class Storages {
 public:
  explicit Storages(std::vector<Storage> all);
  const std::vector<Storage>& all() const { return all_; }
  const Storage& default_storage() const { return all_.front(); }
  /// nullptr when there is none.
  const Storage* find(const StorageId& id) const;
  /// Internal when there is none.
  base::Result<const Storage*> get(const StorageId& id) const;
  /// The storage whose folder contains `storage_uri`, or nullptr. Paths with `..` are inside no storage.
  const Storage* containing(std::string_view storage_uri) const;

 private:
  std::vector<Storage> all_;
};

}  // namespace quire::content
