#include "adapters/files/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "adapters/files/file_descriptor.h"

namespace quire::adapters::files {
namespace {

base::Error not_usable(const std::filesystem::path& path, int error_number) {
  if (is_out_of_space(error_number))
    return base::Error(base::ErrorKind::unable_to_allocate_resource, "quire.file.no_room",
                       "There is no room to write {path}: {reason}. Make room on that file system, then try again.",
                       {{"path", path.string()}, {"reason", reason_of(error_number)}});
  return base::Error(base::ErrorKind::resource_inaccessible, "quire.file.inaccessible",
                     "{path} cannot be used: {reason}. See that it is what the server needs there and that the server "
                     "has the right to use it.",
                     {{"path", path.string()}, {"reason", reason_of(error_number)}});
}

/// The folder that holds the entry of `path`.
FileDescriptor open_parent(const std::filesystem::path& path) {
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  return open_at(AT_FDCWD, parent.string(), O_RDONLY | O_DIRECTORY);
}

}  // namespace

base::Result<void> make_folder_durably(const std::filesystem::path& folder) {
  struct stat facts{};
  if (::stat(folder.c_str(), &facts) == 0) {
    if (!S_ISDIR(facts.st_mode)) return not_usable(folder, ENOTDIR);
    return {};
  }
  if (errno != ENOENT) return not_usable(folder, errno);
  if (folder.has_parent_path()) {
    if (auto above = make_folder_durably(folder.parent_path()); !above) return above;
  }
  if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) return not_usable(folder, errno);
  const auto parent = open_parent(folder);
  if (!parent || ::fsync(parent.get()) != 0) return not_usable(folder, errno);
  return {};
}

base::Result<void> write_file_durably(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  const std::string name = path.filename().string();
  const std::string new_name = "." + name + ".new";
  const auto folder = open_parent(path);
  if (!folder) return not_usable(path, errno);

  // What a crash left there may have other permissions, so it is not written to.
  if (::unlinkat(folder.get(), new_name.c_str(), 0) != 0 && errno != ENOENT) return not_usable(path, errno);
  const auto file = open_at(folder.get(), new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode & 0700);
  if (!file) return not_usable(path, errno);
  const bool done = write_at(file.get(), std::as_bytes(std::span(bytes)), 0) == bytes.size() &&
                    ::fchmod(file.get(), mode) == 0 && ::fsync(file.get()) == 0 &&
                    ::renameat(folder.get(), new_name.c_str(), folder.get(), name.c_str()) == 0 &&
                    ::fsync(folder.get()) == 0;
  if (done) return {};
  const int error_number = errno;
  ::unlinkat(folder.get(), new_name.c_str(), 0);
  return not_usable(path, error_number);
}

base::Result<void> append_durably(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  struct stat before{};
  const auto folder = open_parent(path);
  if (!folder) return not_usable(path, errno);
  const bool is_new = ::fstatat(folder.get(), path.filename().c_str(), &before, 0) != 0;
  const auto file = open_at(folder.get(), path.filename().string(), O_WRONLY | O_CREAT, mode);
  if (!file || ::fstat(file.get(), &before) != 0) return not_usable(path, errno);
  const bool done = write_at(file.get(), std::as_bytes(std::span(bytes)), before.st_size) == bytes.size() &&
                    ::fdatasync(file.get()) == 0 && (!is_new || ::fsync(folder.get()) == 0);
  if (done) return {};
  const int error_number = errno;
  if (::ftruncate(file.get(), before.st_size) != 0) return not_usable(path, errno);
  return not_usable(path, error_number);
}

base::Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  const auto file = open_at(AT_FDCWD, path.string(), O_RDONLY);
  if (!file && errno == ENOENT)
    return base::Error(base::ErrorKind::not_found, "quire.file.not_found", "There is no file {path}.",
                       {{"path", path.string()}});
  if (!file) return not_usable(path, errno);
  std::string bytes;
  std::array<char, 4096> part;
  while (true) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return not_usable(path, errno);
    if (got == 0) return bytes;
    if (static_cast<std::size_t>(got) > limit_bytes - bytes.size())
      return base::Error(base::ErrorKind::invalid_argument, "quire.file.too_large",
                         "{path} holds more than {limit} bytes, so it is not the kind of file that is expected there.",
                         {{"path", path.string()}, {"limit", static_cast<std::int64_t>(limit_bytes)}});
    bytes.append(part.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace quire::adapters::files
