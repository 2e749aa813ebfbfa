#include "adapters/files/file_descriptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace quire::adapters::files {

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

FileDescriptor open_at(int folder, const std::string& name, int flags, mode_t mode) {
  int number = -1;
  do {
    number = ::openat(folder, name.c_str(), flags | O_CLOEXEC, mode);
  } while (number < 0 && errno == EINTR);
  return FileDescriptor(number);
}

std::size_t write_at(int file, std::span<const std::byte> bytes, off_t offset) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto left = bytes.subspan(done);
    const ssize_t written = ::pwrite(file, left.data(), left.size(), offset + static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = EIO;  // no progress and no reason: never seen on a regular file, and no cause to spin
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  return done;
}

bool is_out_of_space(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

std::string reason_of(int error_number) { return std::generic_category().message(error_number); }

base::Error failed_call(std::string_view what, const std::filesystem::path& path, int error_number) {
  return base::internal_error(fmt::format("{} {}: {}", what, path.string(), reason_of(error_number)));
}

}  // namespace quire::adapters::files
