#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "content/blob_store.h"
#include "content/ids.h"

namespace quire::content {

/// What lies beside the blobs of a storage for readers of its files: one library. Paths are relative to its folder,
/// with slashes; one that leads out of it, or through a symbolic link, is an Error. Used by one thread; while it lives
/// no other writes there.
///
/// Errors: UnableToAllocateResource when the storage is full; ResourceInaccessible, with the path and the reason, else.
class LibraryFolder {
 public:
  virtual ~LibraryFolder() = default;

  /// All of a document; nullopt when there is no such file.
  virtual base::Result<std::optional<std::string>> read(const std::string& path) = 0;
  /// Of a file; nullopt when there is none.
  virtual base::Result<std::optional<std::int64_t>> size_of(const std::string& path) = 0;

  /// Makes the document or replaces it: whoever reads meanwhile, and whoever starts after a power cut, sees all of one
  /// of the two.
  virtual base::Result<void> write(const std::string& path, std::string_view text) = 0;
  /// The same with all bytes of a blob. They share its room on the disk where the file system can: what becomes of the
  /// blob then does not matter to the file. Without that it takes time in proportion to the size; `stop` ends it with
  /// an Error.
  virtual base::Result<void> place(const std::string& path, BlobReader& bytes, const std::atomic<bool>& stop) = 0;
  /// What was written and placed so far is durable.
  virtual base::Result<void> sync() = 0;

  /// Removes a file and the folders that become empty by it; fine when it is not there.
  virtual base::Result<void> remove(const std::string& path) = 0;
  /// Calls `take` for each file that such a folder has by its form (vcsp::TreeFolder), but not for the two whose names
  /// never change; what else somebody has put there is left alone.
  virtual base::Result<void> visit(const std::function<void(std::string path)>& take) = 0;
};

/// The folders of libraries on one storage, `contentlib-<library>`. A folder holds a mark, a file with the name of its
/// owner: without that very mark nothing in it is touched. All threads may call it.
class LibraryFolders {
 public:
  virtual ~LibraryFolders() = default;

  /// The libraries that have a folder with the owner's mark.
  virtual base::Result<std::vector<LibraryId>> list(const std::string& owner) = 0;
  /// Makes it if there is none, or one that is empty. ResourceInUse when it has not the owner's mark, ResourceBusy
  /// while somebody else has it open.
  virtual base::Result<std::unique_ptr<LibraryFolder>> open(const LibraryId& library, const std::string& owner) = 0;
  /// Removes what the folder has by its form, `lib.json` first, and the folder with its mark if nothing else is
  /// in it. Fine when there is none with the owner's mark. ResourceBusy as above.
  virtual base::Result<void> remove(const LibraryId& library, const std::string& owner) = 0;
};

}  // namespace quire::content
