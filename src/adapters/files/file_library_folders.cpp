#include "adapters/files/file_library_folders.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include "adapters/files/file_descriptor.h"
#include "base/identity.h"
#include "content/storage.h"

namespace quire::adapters::files {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;
using base::Result;
using content::LibraryId;

constexpr std::string_view folder_prefix = "contentlib-";
constexpr auto mark_name = ".quire";
constexpr auto new_name = ".quire-new";
constexpr mode_t library_folder_mode = 0750;
constexpr mode_t document_mode = 0640;
constexpr mode_t placed_mode = 0440;
constexpr std::size_t copied_at_once = 1 << 20;
constexpr std::int64_t document_bytes_max = 1LL << 30U;
constexpr std::string_view decimal_digits = "0123456789";

bool is_library_id(const std::string& text) {
  return !text.empty() && text != "." && text != ".." && text.find('/') == std::string::npos &&
         text.find('\0') == std::string::npos;
}

/// `g7`: the files that came with one content version.
bool is_generation(const std::string& name) {
  return name.size() > 1 && name.front() == 'g' && name.find_first_not_of(decimal_digits, 1) == std::string::npos;
}

/// An index of one state.
bool is_numbered_index(const std::string& name) { return name.starts_with("items-") && name.ends_with(".json"); }

Error inaccessible(const fs::path& path, const std::string& reason) {
  return {ErrorKind::resource_inaccessible,
          "quire.library_folder.inaccessible",
          "{path}, which a library is kept in as files, cannot be used: {reason}. See that the server may write there.",
          {{"path", path.string()}, {"reason", reason}}};
}

Error foreign(const fs::path& folder) {
  return {ErrorKind::resource_in_use,
          "quire.library_folder.foreign",
          "The folder {folder} is not this server's, so the library is not written there. Move it away.",
          {{"folder", folder.string()}}};
}

Error busy(const fs::path& folder) {
  return {ErrorKind::resource_busy,
          "quire.library_folder.busy",
          "Another server is writing in {folder}.",
          {{"folder", folder.string()}}};
}

/// Names of a folder that is open, without `.` and `..`, and without following links.
struct Entry {
  std::string name;
  bool is_file = false;
  bool is_folder = false;
};

std::vector<Entry> entries_of(const fs::path& folder, std::error_code& failed) {
  std::vector<Entry> entries;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    std::error_code gone;
    const auto status = at->symlink_status(gone);
    entries.push_back({at->path().filename().string(), fs::is_regular_file(status), fs::is_directory(status)});
  }
  return entries;
}

/// All of an open file that is not larger than a document can be; nullopt with errno set.
std::optional<std::string> document_in(int file) {
  struct stat facts{};
  if (::fstat(file, &facts) != 0) return std::nullopt;
  if (facts.st_size > document_bytes_max) {
    errno = EFBIG;
    return std::nullopt;
  }
  std::string text(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const auto got = ::pread(file, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

/// Where a path leads: an open folder and a name in it.
struct InnerPlace {
  FileDescriptor folder;
  std::string name;
};

class FileLibraryFolder final : public content::LibraryFolder {
 public:
  FileLibraryFolder(fs::path path, FileDescriptor root, FileDescriptor mark, std::string storage_name,
                    std::shared_ptr<content::BlobStore> blobs)
      : path_(std::move(path)),
        root_(std::move(root)),
        mark_(std::move(mark)),
        storage_name_(std::move(storage_name)),
        blobs_(std::move(blobs)) {}

  Result<std::optional<std::string>> read(const std::string& path) override {
    const auto place = find(path);
    const auto file = place ? open_at(place->folder.get(), place->name, O_RDONLY | O_NOFOLLOW) : FileDescriptor();
    if (!file && is_nowhere(errno)) return std::optional<std::string>();
    auto text = file ? document_in(file.get()) : std::nullopt;
    if (!text) return failure(path, errno);
    return text;
  }

  Result<std::optional<std::int64_t>> size_of(const std::string& path) override {
    const auto place = find(path);
    struct stat facts{};
    if (!place || ::fstatat(place->folder.get(), place->name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      if (is_nowhere(errno)) return std::optional<std::int64_t>();
      return failure(path, errno);
    }
    if (!S_ISREG(facts.st_mode)) return std::optional<std::int64_t>();
    return std::optional<std::int64_t>(facts.st_size);
  }

  Result<void> write(const std::string& path, std::string_view text) override {
    QUIRE_ASSIGN_OR_RETURN(const auto place, make_place(path));
    struct stat facts{};
    const bool replaces = ::fstatat(place.folder.get(), place.name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0;
    {
      QUIRE_ASSIGN_OR_RETURN(const auto file, begin_new(document_mode));
      if (write_at(file.get(), std::as_bytes(std::span(text)), 0) != text.size()) return failure(path, errno);
      // A first document of an item is seen by nobody before sync().
      const bool is_seen = replaces || path.find('/') == std::string::npos;
      if (is_seen && ::fsync(file.get()) != 0) return failure(path, errno);
    }
    return end_new(place, path);
  }

  Result<void> place(const std::string& path, content::BlobReader& bytes, const std::atomic<bool>& stop) override {
    QUIRE_ASSIGN_OR_RETURN(const auto place, make_place(path));
    QUIRE_RETURN_IF_ERROR(bring(path, bytes, stop));
    return end_new(place, path);
  }

  Result<void> sync() override {
    if (::syncfs(root_.get()) != 0) return failure("", errno);
    return {};
  }

  Result<void> remove(const std::string& path) override {
    const auto place = find(path);
    if (!place) return is_nowhere(errno) ? Result<void>() : failure(path, errno);
    if (::unlinkat(place->folder.get(), place->name.c_str(), 0) != 0 && !is_nowhere(errno)) return failure(path, errno);
    for (auto above = fs::path(path).parent_path(); !above.empty(); above = above.parent_path())
      if (!remove_folder(above.string())) break;
    return {};
  }

  Result<void> visit(const std::function<void(std::string path)>& take) override {
    std::error_code failed;
    const auto at_root = entries_of(path_, failed);
    for (const auto& entry : at_root) {
      if (entry.is_file && is_numbered_index(entry.name)) take(entry.name);
      if (!entry.is_folder || !base::looks_like_uuid(entry.name)) continue;
      for (const auto& inner : entries_of(path_ / entry.name, failed)) {
        if (inner.is_file && inner.name == "item.json") take(entry.name + "/item.json");
        if (!inner.is_folder || !is_generation(inner.name)) continue;
        for (const auto& file : entries_of(path_ / entry.name / inner.name, failed))
          if (file.is_file) take(entry.name + '/' + inner.name + '/' + file.name);
      }
    }
    if (failed) return inaccessible(path_, failed.message());
    return {};
  }

  /// All that the folder has by its form. Its mark goes last, so that a removal that breaks off can be taken up, and
  /// stays with what else is there: the folder may be wanted again.
  Result<void> remove_all() {
    for (const auto* name : {"lib.json", "items.json", new_name}) QUIRE_RETURN_IF_ERROR(remove(name));
    std::vector<std::string> paths;
    QUIRE_RETURN_IF_ERROR(visit([&](std::string path) { paths.push_back(std::move(path)); }));
    for (const auto& path : paths) QUIRE_RETURN_IF_ERROR(remove(path));
    std::error_code failed;
    for (const auto& entry : entries_of(path_, failed)) {  // folders that were made and got no file
      if (!entry.is_folder || !base::looks_like_uuid(entry.name)) continue;
      for (const auto& inner : entries_of(path_ / entry.name, failed))
        if (inner.is_folder && is_generation(inner.name)) remove_folder(entry.name + '/' + inner.name);
      remove_folder(entry.name);
    }
    const auto left = entries_of(path_, failed);
    if (failed) return inaccessible(path_, failed.message());
    return left.size() > 1 ? Result<void>() : remove(mark_name);
  }

 private:
  Error failure(const std::string& path, int error_number) const {
    if (is_out_of_space(error_number))
      return content::storage_full(storage_name_).with_cause(reason_of(error_number) + ": " + (path_ / path).string());
    return inaccessible(path_ / path, reason_of(error_number));
  }

  static bool is_nowhere(int error_number) { return error_number == ENOENT || error_number == ENOTDIR; }

  static FileDescriptor open_folder(int parent, const std::string& name) {
    return open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }

  /// nullopt with errno set when it leads nowhere.
  std::optional<InnerPlace> find(const std::string& path) const { return locate(path, false); }

  Result<InnerPlace> make_place(const std::string& path) const {
    auto place = locate(path, true);
    if (!place) return failure(path, errno);
    return *std::move(place);
  }

  std::optional<InnerPlace> locate(const std::string& path, bool makes_folders) const {
    InnerPlace place{FileDescriptor(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0)), ""};
    for (const auto& part : fs::path(path)) {
      const auto name = part.string();
      if (name.empty() || name == "." || name == ".." || name == "/" || name.find('\0') != std::string::npos) {
        errno = EINVAL;
        return std::nullopt;
      }
      if (!place.name.empty()) {
        if (makes_folders && ::mkdirat(place.folder.get(), place.name.c_str(), library_folder_mode) != 0 &&
            errno != EEXIST)
          return std::nullopt;
        place.folder = open_folder(place.folder.get(), place.name);
      }
      if (!place.folder) return std::nullopt;
      place.name = name;
    }
    if (place.name.empty()) errno = EINVAL;
    return place.name.empty() ? std::nullopt : std::optional(std::move(place));
  }

  bool remove_folder(const std::string& path) const {
    const auto place = find(path);
    return place && ::unlinkat(place->folder.get(), place->name.c_str(), AT_REMOVEDIR) == 0;
  }

  Result<FileDescriptor> begin_new(mode_t mode) const {
    if (::unlinkat(root_.get(), new_name, 0) != 0 && errno != ENOENT) return failure(new_name, errno);
    auto file = open_at(root_.get(), new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (!file) return failure(new_name, errno);
    return file;
  }

  Result<void> end_new(const InnerPlace& place, const std::string& path) const {
    if (::renameat(root_.get(), new_name, place.folder.get(), place.name.c_str()) != 0) return failure(path, errno);
    // Of two links to one file the first stays.
    ::unlinkat(root_.get(), new_name, 0);
    return {};
  }

  /// Makes the bytes the new file.
  Result<void> bring(const std::string& path, content::BlobReader& bytes, const std::atomic<bool>& stop) const {
    if (const auto source = bytes.file_descriptor()) {
      QUIRE_ASSIGN_OR_RETURN(const auto file, begin_new(placed_mode));
      if (::ioctl(file.get(), FICLONE, *source) == 0) return {};
      if (is_out_of_space(errno)) return failure(path, errno);
      if (::unlinkat(root_.get(), new_name, 0) != 0) return failure(path, errno);
      const auto open_file = "/proc/self/fd/" + std::to_string(*source);
      if (::linkat(AT_FDCWD, open_file.c_str(), root_.get(), new_name, AT_SYMLINK_FOLLOW) == 0) return {};
      if (is_out_of_space(errno)) return failure(path, errno);
    }
    return copy(path, bytes, stop);
  }

  Result<void> copy(const std::string& path, content::BlobReader& bytes, const std::atomic<bool>& stop) const {
    // What the storage keeps free is not for copies.
    if (const auto space = blobs_->space(); space && space->capacity_bytes > 0 && space->free_bytes < bytes.size())
      return content::storage_full(storage_name_);
    QUIRE_ASSIGN_OR_RETURN(const auto file, begin_new(placed_mode));
    std::vector<std::byte> piece(
        static_cast<std::size_t>(std::clamp<std::int64_t>(bytes.size(), 1, static_cast<std::int64_t>(copied_at_once))));
    for (std::int64_t done = 0; done < bytes.size();) {
      if (stop) return base::internal_error("copying to " + (path_ / path).string() + " was stopped");
      QUIRE_ASSIGN_OR_RETURN(const auto got, bytes.read(done, piece));
      if (got == 0) return base::internal_error("the bytes for " + (path_ / path).string() + " end too early");
      if (write_at(file.get(), std::span(piece).first(got), static_cast<off_t>(done)) != got)
        return failure(path, errno);
      done += static_cast<std::int64_t>(got);
    }
    return {};
  }

  const fs::path path_;
  const FileDescriptor root_;
  const FileDescriptor mark_;  ///< locked
  const std::string storage_name_;
  const std::shared_ptr<content::BlobStore> blobs_;
};

class FileLibraryFolders final : public content::LibraryFolders {
 public:
  FileLibraryFolders(fs::path root, std::string storage_name, std::shared_ptr<content::BlobStore> blobs)
      : root_(std::move(root)), storage_name_(std::move(storage_name)), blobs_(std::move(blobs)) {}

  Result<std::vector<LibraryId>> list(const std::string& owner) override {
    std::error_code failed;
    std::vector<LibraryId> libraries;
    for (const auto& entry : entries_of(root_, failed)) {
      if (!entry.is_folder || !entry.name.starts_with(folder_prefix)) continue;
      LibraryId library(entry.name.substr(folder_prefix.size()));
      const auto folder = open_at(AT_FDCWD, (root_ / entry.name).string(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (folder && mark_of(folder.get()) == owner) libraries.push_back(std::move(library));
    }
    if (failed && failed != std::errc::no_such_file_or_directory) return inaccessible(root_, failed.message());
    return libraries;
  }

  Result<std::unique_ptr<content::LibraryFolder>> open(const LibraryId& library, const std::string& owner) override {
    if (!is_library_id(library.text())) return base::internal_error("no library is called " + library.text());
    const auto path = path_of(library);
    if (::mkdir(path.c_str(), library_folder_mode) != 0 && errno != EEXIST) return failure(path, errno);
    QUIRE_ASSIGN_OR_RETURN(auto folder, open_marked(path, owner, true));
    return std::unique_ptr<content::LibraryFolder>(std::move(folder));
  }

  Result<void> remove(const LibraryId& library, const std::string& owner) override {
    if (!is_library_id(library.text())) return {};
    const auto path = path_of(library);
    {
      QUIRE_ASSIGN_OR_RETURN(const auto folder, open_marked(path, owner, false));
      if (!folder) return {};
      QUIRE_RETURN_IF_ERROR(folder->remove_all());
    }
    if (::rmdir(path.c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
      return failure(path, errno);
    return {};
  }

 private:
  fs::path path_of(const LibraryId& library) const { return root_ / (std::string(folder_prefix) + library.text()); }

  Error failure(const fs::path& path, int error_number) const {
    if (is_out_of_space(error_number)) return content::storage_full(storage_name_).with_cause(path.string());
    return inaccessible(path, reason_of(error_number));
  }

  static std::optional<std::string> mark_of(int folder) {
    const auto file = open_at(folder, mark_name, O_RDONLY | O_NOFOLLOW);
    return file ? document_in(file.get()) : std::nullopt;
  }

  /// nullptr when there is none, and it is not to be `made`, or it is another's.
  Result<std::unique_ptr<FileLibraryFolder>> open_marked(const fs::path& path, const std::string& owner,
                                                         bool made) const {
    const auto nothing = [] { return std::unique_ptr<FileLibraryFolder>(); };
    auto folder = open_at(AT_FDCWD, path.string(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!folder && !made && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) return nothing();
    if (!folder) return errno == ENOTDIR || errno == ELOOP ? foreign(path) : failure(path, errno);
    auto mark = mark_of(folder.get());
    if (!mark && made) {
      QUIRE_RETURN_IF_ERROR(put_mark(path, folder.get(), owner));
      mark = mark_of(folder.get());
    }
    if (mark != owner) {
      if (!made) return nothing();
      return foreign(path);
    }
    auto locked = open_at(folder.get(), mark_name, O_RDONLY | O_NOFOLLOW);
    while (locked && ::flock(locked.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      return errno == EWOULDBLOCK ? busy(path) : failure(path, errno);
    }
    struct stat facts{};
    // Somebody may have removed the folder meanwhile.
    if (!locked || ::fstat(locked.get(), &facts) != 0 || facts.st_nlink == 0) return busy(path);
    return std::make_unique<FileLibraryFolder>(path, std::move(folder), std::move(locked), storage_name_, blobs_);
  }

  /// Only an empty folder becomes ours; what a crash left of the mark itself does not count.
  Result<void> put_mark(const fs::path& path, int folder, const std::string& owner) const {
    std::error_code failed;
    const auto entries = entries_of(path, failed);
    if (failed) return inaccessible(path, failed.message());
    if (std::ranges::any_of(entries, [](const Entry& entry) { return entry.name != new_name; })) return foreign(path);
    if (::unlinkat(folder, new_name, 0) != 0 && errno != ENOENT) return failure(path, errno);
    const auto file = open_at(folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, document_mode);
    if (!file || write_at(file.get(), std::as_bytes(std::span(owner)), 0) != owner.size() || ::fsync(file.get()) != 0 ||
        ::renameat(folder, new_name, folder, mark_name) != 0 || ::fsync(folder) != 0)
      return failure(path, errno);
    return {};
  }

  const fs::path root_;
  const std::string storage_name_;
  const std::shared_ptr<content::BlobStore> blobs_;
};

}  // namespace

std::unique_ptr<content::LibraryFolders> make_file_library_folders(fs::path root, std::string storage_name,
                                                                   std::shared_ptr<content::BlobStore> blobs) {
  return std::make_unique<FileLibraryFolders>(std::move(root), std::move(storage_name), std::move(blobs));
}

}  // namespace quire::adapters::files
