#pragma once

#include <filesystem>
#include <utility>

#include "adapters/files/file_descriptor.h"
#include "base/result.h"

namespace quire::adapters::files {

/// Holds a data folder for this process until it is destroyed or the process ends, in whatever way. Move-only.
class FileLock {
 private:
  friend base::Result<FileLock> lock_data_folder(const std::filesystem::path& folder);
  explicit FileLock(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
};

/// Takes the data folder, which must exist, by a lock on its file `lock`. That file holds the number of the process
/// that has it; it stays when the lock goes and means nothing then.
///
/// ResourceInUse when another process (or an earlier FileLock of this one) has the folder, ResourceInaccessible when
/// the file cannot be made or written.
base::Result<FileLock> lock_data_folder(const std::filesystem::path& folder);

}  // namespace quire::adapters::files
