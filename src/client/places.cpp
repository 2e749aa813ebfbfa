#include "client/places.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "client/failure.h"

namespace quire::client {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const char* variable, const char* below_home) {
  // The specification lets relative paths count as none.
  if (const char* given = std::getenv(variable); given != nullptr && given[0] == '/') return fs::path(given) / "quire";
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr && home[0] != 0 ? home : "/") / below_home / "quire";
}

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Makes what is missing of `folder`, for the owner alone.
bool make_private_folders(const fs::path& folder) {
  if (folder.empty() || ::mkdir(folder.c_str(), S_IRWXU) == 0 || errno == EEXIST) return true;
  if (errno != ENOENT || !folder.has_relative_path()) return false;
  return make_private_folders(folder.parent_path()) && (::mkdir(folder.c_str(), S_IRWXU) == 0 || errno == EEXIST);
}

}  // namespace

std::string system_reason(int error_number) { return std::generic_category().message(error_number); }

fs::path configuration_folder() { return folder_of("XDG_CONFIG_HOME", ".config"); }
fs::path state_folder() { return folder_of("XDG_STATE_HOME", ".local/state"); }

base::Result<std::optional<std::string>> read_file(const fs::path& file) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return local_error("cannot read " + file.string() + ": " + system_reason(errno));
  }
  std::string content;
  std::array<char, 16384> buffer;
  while (true) {
    const auto count = ::read(opened, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const auto reason = system_reason(errno);
      ::close(opened);
      return local_error("cannot read " + file.string() + ": " + reason);
    }
    if (count == 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(opened);
  return std::optional(std::move(content));
}

base::Result<void> write_private_file(const fs::path& file, std::string_view content) {
  const auto failed = [&] { return local_error("cannot write " + file.string() + ": " + system_reason(errno)); };
  if (!make_private_folders(file.parent_path())) return failed();
  const auto beside = file.string() + ".new." + std::to_string(::getpid());
  ::unlink(beside.c_str());
  const int opened = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (opened < 0) return failed();
  const bool written = write_all(opened, content) && ::fsync(opened) == 0;
  ::close(opened);
  if (written && ::rename(beside.c_str(), file.c_str()) == 0) return {};
  const auto error = failed();
  ::unlink(beside.c_str());
  return error;
}

bool is_open_to_others(const fs::path& file) {
  struct stat status = {};
  return ::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

}  // namespace quire::client
