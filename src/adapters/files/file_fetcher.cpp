#include "adapters/files/file_fetcher.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "adapters/files/file_descriptor.h"
#include "base/uri.h"

namespace quire::adapters::files {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;
using base::Result;
using content::FetchFailure;
using content::FetchOutcome;

constexpr std::size_t chunk_bytes = 1 << 20;
constexpr std::size_t chunk_alignment = 4096;  // what a blob store writes from where it is

struct Failure {
  FetchFailure failure;
  bool worth_retrying;
  base::Message reason;
};

Failure failure(FetchFailure kind, const content::SourceUrl& url, std::string id, std::string_view text,
                std::vector<base::MessageParam> more = {}) {
  more.insert(more.begin(), {"url", url.shown()});
  return {kind, kind == FetchFailure::broken, base::make_message(std::move(id), text, std::move(more))};
}

FetchOutcome outcome_of(Failure failure) {
  FetchOutcome outcome;
  outcome.failure = failure.failure;
  outcome.worth_retrying = failure.worth_retrying;
  outcome.reason = std::move(failure.reason);
  return outcome;
}

/// A file below a readable folder, not looked at yet.
struct Place {
  fs::path folder;
  std::vector<std::string> components;  ///< at least one; none is empty, `.` or `..`
};

template <class T>
using Found = tl::expected<T, Failure>;

Failure unusable(const content::SourceUrl& url) {
  return failure(FetchFailure::unusable_url, url, "quire.pull.unusable_file_url",
                 "{url} is not a usable URL of a file. Write file:///<path> or ds:///vmfs/volumes/<storage>/<path>, "
                 "percent-encoded, without . and .. in the path.");
}

Failure not_permitted(const content::SourceUrl& url) {
  return failure(FetchFailure::refused_address, url, "quire.pull.file_not_permitted",
                 "{url} is in no folder that this server reads files from. Move the file into a storage, or ask the "
                 "administrator of this server to permit its folder (pull_files_from).");
}

Failure unreadable(const content::SourceUrl& url, int error_number) {
  if (error_number == ENOENT || error_number == ENOTDIR)
    return failure(FetchFailure::not_there, url, "quire.pull.file_not_there",
                   "There is no file {url}. Check the path.");
  if (error_number == ELOOP)
    return failure(FetchFailure::unusable_url, url, "quire.pull.file_behind_link",
                   "The path of {url} leads through a symbolic link, which is not followed. Name the file itself.");
  if (error_number == EACCES || error_number == EPERM)
    return failure(FetchFailure::unauthorized, url, "quire.pull.file_unreadable",
                   "This server may not read {url}. Give its user the permission.");
  return failure(FetchFailure::broken, url, "quire.pull.file_broken", "{url} cannot be read: {detail}.",
                 {{"detail", reason_of(error_number)}});
}

/// The components of a decoded path; nullopt when one could lead elsewhere.
std::optional<std::vector<std::string>> components_of(const std::string& path) {
  std::vector<std::string> components;
  for (std::size_t at = 0; at < path.size();) {
    const auto slash = std::min(path.find('/', at), path.size());
    const auto component = path.substr(at, slash - at);
    at = slash + 1;
    if (component.empty()) continue;
    if (component == "." || component == ".." || component.find('\0') != std::string::npos) return std::nullopt;
    components.push_back(component);
  }
  return components;
}

/// `path` below `folder`, in components; nullopt when it is not below it.
std::optional<std::vector<std::string>> below(const fs::path& folder, const std::vector<std::string>& path) {
  const auto prefix = components_of(folder.string());
  if (!prefix || prefix->size() > path.size() || !std::equal(prefix->begin(), prefix->end(), path.begin()))
    return std::nullopt;
  return std::vector<std::string>(path.begin() + static_cast<std::ptrdiff_t>(prefix->size()), path.end());
}

bool is_same_version(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

class FileFetcher final : public content::Fetcher {
 public:
  explicit FileFetcher(ReadableFiles readable) : readable_(std::move(readable)) {}

  Result<void> check(const content::FetchRequest& request) const override {
    const auto place = locate(request.url);
    if (!place) return Error(ErrorKind::invalid_argument, place.error().reason);
    return {};
  }

  FetchOutcome fetch(const content::FetchRequest& request, content::FetchSink& sink,
                     const std::atomic<bool>& stop) override {
    const auto place = locate(request.url);
    if (!place) return outcome_of(place.error());
    const auto file = open(*place, request.url);
    if (!file) return outcome_of(file.error());
    return send(*file, request.url, sink, stop);
  }

  FetchOutcome probe(const content::FetchRequest& request) override { return outcome_of(unusable(request.url)); }

 private:
  Found<Place> locate(const content::SourceUrl& url) const {
    if (!url.is_file()) return tl::make_unexpected(unusable(url));
    // `scheme:///path` or `scheme://localhost/path`.
    std::string_view rest = std::string_view(url.text()).substr(url.scheme().size() + 1);
    rest = rest.substr(0, rest.find_first_of("?#"));
    for (const std::string_view authority : {"//localhost/", "///"})
      if (rest.starts_with(authority)) return locate(url, url.scheme() == "ds", rest.substr(authority.size() - 1));
    return tl::make_unexpected(unusable(url));
  }

  Found<Place> locate(const content::SourceUrl& url, bool on_datastore, std::string_view encoded) const {
    const auto path = base::percent_decode(encoded);
    const auto components = path && !path->ends_with('/') ? components_of(*path) : std::nullopt;
    if (!components || components->empty()) return tl::make_unexpected(unusable(url));
    auto place = on_datastore ? on_volume(*components) : in_folder(*components);
    if (!place || place->components.empty() || is_closed(*place)) return tl::make_unexpected(not_permitted(url));
    return *std::move(place);
  }

  std::optional<Place> on_volume(const std::vector<std::string>& path) const {
    for (const auto& volume : readable_.volumes)
      if (auto rest = below("/vmfs/volumes/" + volume.uuid, path)) return Place{volume.folder, *std::move(rest)};
    return std::nullopt;
  }

  std::optional<Place> in_folder(const std::vector<std::string>& path) const {
    for (const auto& volume : readable_.volumes)
      if (auto rest = below(volume.folder, path)) return Place{volume.folder, *std::move(rest)};
    for (const auto& folder : readable_.folders)
      if (auto rest = below(folder, path)) return Place{folder, *std::move(rest)};
    return std::nullopt;
  }

  /// Neither links nor `..` are followed, so the path's text tells where it leads.
  bool is_closed(const Place& place) const {
    auto path = components_of(place.folder.string()).value_or(std::vector<std::string>());
    path.insert(path.end(), place.components.begin(), place.components.end());
    return std::any_of(readable_.closed.begin(), readable_.closed.end(),
                       [&](const fs::path& closed) { return below(closed, path).has_value(); });
  }

  static Found<FileDescriptor> open(const Place& place, const content::SourceUrl& url) {
    auto folder = open_at(AT_FDCWD, place.folder.string(), O_PATH | O_DIRECTORY);
    for (std::size_t i = 0; folder && i + 1 < place.components.size(); ++i) {
      const auto& name = place.components[i];
      // Without O_DIRECTORY at first: a link would answer ENOTDIR, as if nothing were there.
      folder = open_at(folder.get(), name, O_PATH | O_NOFOLLOW);
      struct stat facts{};
      if (folder && ::fstat(folder.get(), &facts) == 0 && S_ISLNK(facts.st_mode))
        return tl::make_unexpected(unreadable(url, ELOOP));
    }
    if (!folder) return tl::make_unexpected(unreadable(url, errno));
    const auto& name = place.components.back();
    // Looked at first: opening a device can have effects. Then again, as it may have become another one since.
    struct stat facts{};
    if (::fstatat(folder.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0)
      return tl::make_unexpected(unreadable(url, errno));
    if (S_ISLNK(facts.st_mode)) return tl::make_unexpected(unreadable(url, ELOOP));
    if (!S_ISREG(facts.st_mode)) return tl::make_unexpected(no_file(url));
    auto file = open_at(folder.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file || ::fstat(file.get(), &facts) != 0) return tl::make_unexpected(unreadable(url, errno));
    if (!S_ISREG(facts.st_mode)) return tl::make_unexpected(no_file(url));
    return file;
  }

  static Failure no_file(const content::SourceUrl& url) {
    return failure(FetchFailure::unusable_url, url, "quire.pull.not_a_file",
                   "{url} is no regular file. Name a file, not a folder or a device.");
  }

  static FetchOutcome send(const FileDescriptor& file, const content::SourceUrl& url, content::FetchSink& sink,
                           const std::atomic<bool>& stop) {
    struct stat before{};
    if (::fstat(file.get(), &before) != 0) return outcome_of(unreadable(url, errno));
    if (auto begun = sink.begin({200, 0, std::int64_t{before.st_size}, ""}); !begun)
      return refused_by_sink(begun.error());
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);

    struct Free {
      void operator()(std::byte* bytes) const { ::operator delete(bytes, std::align_val_t(chunk_alignment)); }
    };
    const std::unique_ptr<std::byte, Free> chunk(
        static_cast<std::byte*>(::operator new(chunk_bytes, std::align_val_t(chunk_alignment))));
    for (off_t at = 0; at < before.st_size;) {
      if (stop)
        return outcome_of(
            failure(FetchFailure::stopped, url, "quire.pull.stopped", "The transfer from {url} was stopped."));
      const auto wanted = std::min<std::size_t>(chunk_bytes, static_cast<std::size_t>(before.st_size - at));
      const ssize_t got = ::pread(file.get(), chunk.get(), wanted, at);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return outcome_of(unreadable(url, errno));
      if (got == 0) return outcome_of(changed(url));
      if (auto taken = sink.bytes({chunk.get(), static_cast<std::size_t>(got)}); !taken)
        return refused_by_sink(taken.error());
      at += got;
    }
    struct stat after{};
    if (::fstat(file.get(), &after) != 0) return outcome_of(unreadable(url, errno));
    if (!is_same_version(before, after)) return outcome_of(changed(url));
    return {};
  }

  static FetchOutcome refused_by_sink(const Error& error) {
    return outcome_of({FetchFailure::refused_by_sink, false, error.messages().front()});
  }

  static Failure changed(const content::SourceUrl& url) {
    return failure(FetchFailure::broken, url, "quire.pull.file_changed", "{url} changed while it was read.");
  }

  const ReadableFiles readable_;
};

}  // namespace

std::unique_ptr<content::Fetcher> make_file_fetcher(ReadableFiles readable) {
  return std::make_unique<FileFetcher>(std::move(readable));
}

}  // namespace quire::adapters::files
