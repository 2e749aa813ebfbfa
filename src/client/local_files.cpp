#include "client/local_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/file_name.h"
#include "base/uri.h"
#include "client/failure.h"
#include "client/places.h"

namespace quire::client {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr std::int64_t nanoseconds = 1'000'000'000;

class FileBytes final : public UploadBytes {
 public:
  explicit FileBytes(int file) : file_(file) {}
  ~FileBytes() override { ::close(file_); }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  Result<std::size_t> read_at(std::int64_t offset, std::span<char> into) const override {
    while (true) {
      const auto count = ::pread(file_, into.data(), into.size(), offset);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return local_error("cannot read a file that is sent: " + system_reason(errno));
    }
  }

 private:
  const int file_;
};

bool is_url(const std::string& text) {
  if (text.find("://") == std::string::npos) return false;
  const auto scheme = base::uri_scheme(text);
  return scheme == "http" || scheme == "https" || scheme == "ds" || scheme == "file";
}

/// The last part of a URL's path, decoded.
std::string name_in_url(const std::string& url) {
  auto path = url.substr(0, url.find_first_of("?#"));
  const auto start = path.find("://") + 3;
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash < start) return {};
  return base::percent_decode(path.substr(slash + 1)).value_or("");
}

Result<LocalFile> local_file(const fs::path& path, std::string name) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    const auto text = "cannot read " + path.string() + ": " + system_reason(errno);
    return errno == ENOENT ? not_found(text) : local_error(text);
  }
  if (!S_ISREG(status.st_mode))
    return local_error(path.string() + " is no regular file; pipe what it gives into 'quire push - …'");
  return LocalFile{std::move(name), path, status.st_size, status.st_mtim.tv_sec * nanoseconds + status.st_mtim.tv_nsec};
}

Result<void> add_folder(const fs::path& folder, Sources& sources) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::recursive_directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed))
    if (entry->is_regular_file()) found.push_back(entry->path());
  if (failed) return local_error("cannot read " + folder.string() + ": " + failed.message());
  if (found.empty()) return not_found("there is no file in " + folder.string());
  std::ranges::sort(found);
  for (const auto& path : found) {
    QUIRE_ASSIGN_OR_RETURN(auto file, local_file(path, path.lexically_relative(folder).generic_string()));
    sources.files.push_back(std::move(file));
  }
  return {};
}

Result<void> check_names(const Sources& sources) {
  std::set<std::string> names;
  const auto check = [&](const std::string& name) -> Result<void> {
    if (const auto problem = base::file_name_problem(name))
      return usage_error("'" + name + "' cannot be the name of a file: " + *problem + "; give --name");
    if (!names.insert(name).second) return usage_error("two of the sources are called '" + name + "'");
    return {};
  };
  for (const auto& file : sources.files) QUIRE_RETURN_IF_ERROR(check(file.name));
  for (const auto& url : sources.urls) QUIRE_RETURN_IF_ERROR(check(url.name));
  if (sources.piped) QUIRE_RETURN_IF_ERROR(check(*sources.piped));
  return {};
}

}  // namespace

Result<Sources> find_sources(const std::vector<std::string>& given, const std::optional<std::string>& name) {
  if (name && given.size() != 1) return usage_error("--name needs exactly one source");
  Sources sources;
  for (const auto& source : given) {
    std::error_code ignored;
    if (source == "-") {
      if (!name) return usage_error("give what is piped a name: --name NAME");
      sources.piped = *name;
    } else if (is_url(source)) {
      sources.urls.push_back({name.value_or(name_in_url(source)), source});
    } else if (fs::is_directory(source, ignored)) {
      if (name) return usage_error("--name does not go with a folder");
      QUIRE_RETURN_IF_ERROR(add_folder(source, sources));
    } else {
      QUIRE_ASSIGN_OR_RETURN(auto file, local_file(source, name.value_or(fs::path(source).filename().string())));
      sources.files.push_back(std::move(file));
    }
  }
  QUIRE_RETURN_IF_ERROR(check_names(sources));
  return sources;
}

bool is_unchanged(const LocalFile& file) {
  const auto now = local_file(file.path, file.name);
  return now && now->size == file.size && now->modified_ns == file.modified_ns;
}

Result<std::shared_ptr<const UploadBytes>> open_for_upload(const fs::path& file) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return local_error("cannot read " + file.string() + ": " + system_reason(errno));
  return std::shared_ptr<const UploadBytes>(std::make_shared<FileBytes>(opened));
}

Result<base::Checksum> digest_of_file(const fs::path& file, base::DigestAlgorithm algorithm,
                                      const std::atomic<bool>* stop) {
  QUIRE_ASSIGN_OR_RETURN(const auto bytes, open_for_upload(file));
  base::Hasher hasher(algorithm);
  constexpr std::size_t piece = 1UL << 20U;
  std::vector<char> buffer(piece);
  for (std::int64_t offset = 0;;) {
    if (stop != nullptr && stop->load()) return interrupted();
    QUIRE_ASSIGN_OR_RETURN(const auto count, bytes->read_at(offset, buffer));
    if (count == 0) return hasher.finish();
    hasher.update(std::as_bytes(std::span(buffer).first(count)));
    offset += static_cast<std::int64_t>(count);
  }
}

}  // namespace quire::client
