#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "support/temporary_folder.h"

namespace quire::test_support {

/// A small file system of its own, seen by this process only and gone with it at the latest.
class MountedFileSystem {
 public:
  /// nullptr when this process may not mount; `why` says so. `options` as for mount(8): "size=4m".
  static std::unique_ptr<MountedFileSystem> make(const std::string& type, const std::string& options,
                                                 std::string& why) {
    static const int own_mounts = leave_shared_mounts();
    std::unique_ptr<MountedFileSystem> made(new MountedFileSystem());
    int failed = own_mounts;
    if (failed == 0 && ::mount("none", made->folder_.path().c_str(), type.c_str(), 0, options.c_str()) != 0)
      failed = errno;
    if (failed == 0) {
      made->mounted_ = true;
      return made;
    }
    why = "this process may not mount " + type + ": " + std::generic_category().message(failed);
    return nullptr;
  }
  MountedFileSystem(const MountedFileSystem&) = delete;
  MountedFileSystem& operator=(const MountedFileSystem&) = delete;
  ~MountedFileSystem() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }

  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  MountedFileSystem() = default;

  /// Mounts of this process are no longer those of others. 0 or an errno.
  static int leave_shared_mounts() {
    if (::unshare(CLONE_NEWNS) != 0) return errno;
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 ? 0 : errno;
  }

  TemporaryFolder folder_;
  bool mounted_ = false;
};

}  // namespace quire::test_support
