#include "adapters/files/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <string>

namespace quire::adapters::files {
namespace {

base::Error not_lockable(const std::filesystem::path& folder, int error_number) {
  return base::Error(base::ErrorKind::resource_inaccessible, "quire.data_folder.inaccessible",
                     "The data folder {folder} cannot be locked: {reason}. See that it exists and that the server may "
                     "write there.",
                     {{"folder", folder.string()}, {"reason", reason_of(error_number)}});
}

/// What the lock's file says about who has it; a holder that has only just locked it has not written yet.
std::string holder(int file) {
  std::array<char, 20> text;
  const ssize_t got = ::pread(file, text.data(), text.size(), 0);
  const std::string_view read(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  const auto digits = read.substr(0, read.find_first_not_of("0123456789"));
  return digits.empty() ? "another process" : fmt::format("process {}", digits);
}

}  // namespace

base::Result<FileLock> lock_data_folder(const std::filesystem::path& folder) {
  auto file = open_at(AT_FDCWD, (folder / "lock").string(), O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
  if (!file) return not_lockable(folder, errno);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return not_lockable(folder, errno);
    return base::Error(base::ErrorKind::resource_in_use, "quire.data_folder.in_use",
                       "The data folder {folder} is in use by {holder}. Stop that server, or give this one a data "
                       "folder of its own.",
                       {{"folder", folder.string()}, {"holder", holder(file.get())}});
  }
  const std::string number = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file.get(), 0) != 0 || write_at(file.get(), std::as_bytes(std::span(number)), 0) != number.size())
    return not_lockable(folder, errno);
  return FileLock(std::move(file));
}

}  // namespace quire::adapters::files
