#include "adapters/files/file_blob_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

#include "adapters/files/durable_file.h"
#include "adapters/files/file_descriptor.h"
#include "base/check.h"
#include "base/uri.h"
#include "content/blob_name.h"
#include "content/storage.h"

namespace quire::adapters::files {
namespace {

using base::Result;
using content::BlobId;
using content::is_blob_name;

constexpr std::size_t staging_bytes = 1 << 20;
constexpr std::size_t direct_io_alignment = 4096;  // the largest logical block size of disks
constexpr mode_t folder_mode = 0750;
constexpr mode_t unfinished_mode = 0640;
constexpr mode_t blob_mode = 0440;  // a blob never changes
constexpr std::string_view hex_digits = "0123456789abcdef";

/// The file of a blob below `blobs`. No id may lead anywhere else.
std::string place_of(const BlobId& id) {
  QUIRE_CHECK(is_blob_name(id.text()));
  return id.text().substr(0, 2) + "/" + id.text();
}

/// The seal of a blob: its file's time of change has the nanoseconds that belong to the name. Whoever writes to the
/// file later sets another time; a copy or a backup that keeps times keeps the seal.
long seal_nanoseconds(std::string_view name) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return static_cast<long>(hash % 1'000'000'000U);
}

bool has_seal(int file, std::string_view name) {
  struct stat facts{};
  return ::fstat(file, &facts) == 0 && facts.st_mtim.tv_nsec == seal_nanoseconds(name);
}

/// False with errno set when it cannot be had.
bool set_seal(int file, std::string_view name) {
  struct stat facts{};
  if (::fstat(file, &facts) != 0) return false;
  facts.st_mtim.tv_nsec = seal_nanoseconds(name);
  const timespec times[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, facts.st_mtim};
  return ::futimens(file, times) == 0;
}

/// The open folders of a store, shared with its writers. All threads may use it.
struct Folders {
  std::filesystem::path root;
  FileBlobStoreOptions options;
  FileDescriptor incoming;
  FileDescriptor blobs;
  std::mutex mutex;
  std::set<std::string> durable_prefixes;  ///< folders below `blobs` whose entries are known to be on the disk

  /// Makes `blobs/<prefix>` unless it is there, and durable either way: whoever made it may not have come to its sync.
  Result<void> need_folder(const std::string& prefix) {
    const std::scoped_lock lock(mutex);
    if (durable_prefixes.contains(prefix)) return {};
    if (::mkdirat(blobs.get(), prefix.c_str(), folder_mode) != 0 && errno != EEXIST)
      return failure("making of", "blobs/" + prefix, errno);
    if (::fsync(blobs.get()) != 0) return failure("sync of", "blobs", errno);
    durable_prefixes.insert(prefix);
    return {};
  }

  base::Error no_room_for(std::int64_t bytes, std::int64_t free_bytes) const {
    return base::Error(base::ErrorKind::unable_to_allocate_resource, "quire.storage.no_room",
                       "Storage {storage} has no room for {bytes} bytes; {free} are free. Delete content that is not "
                       "needed there or make it larger, then try again.",
                       {{"storage", options.storage_name}, {"bytes", bytes}, {"free", free_bytes}});
  }

  base::Error failure(std::string_view what, std::string_view place, int error_number) const {
    const auto error = failed_call(what, root / place, error_number);
    return is_out_of_space(error_number) ? content::storage_full(options.storage_name).with_cause(error.cause())
                                         : error;
  }

  Result<content::BlobStore::Space> space() const {
    struct statvfs facts{};
    if (::fstatvfs(blobs.get(), &facts) != 0) return failure("statvfs", "blobs", errno);
    const auto unit = static_cast<std::int64_t>(facts.f_frsize);
    content::BlobStore::Space space;
    space.capacity_bytes = static_cast<std::int64_t>(facts.f_blocks) * unit;
    space.free_bytes =
        std::max<std::int64_t>(static_cast<std::int64_t>(facts.f_bavail) * unit - reserve(space.capacity_bytes), 0);
    return space;
  }

  std::int64_t reserve(std::int64_t capacity_bytes) const {
    constexpr std::int64_t part_of_small_disk = 16;
    if (!options.reserve_shrinks) return options.reserve_bytes;
    return std::min(options.reserve_bytes, capacity_bytes / part_of_small_disk);
  }

  std::atomic<std::int64_t> being_written{0};  ///< bytes that writers have been admitted with and not written yet
};

/// Lets a writer take `bytes` of what is free beside the reserve, for as long as this lives: writers at the same time
/// count each other's.
class Admission {
 public:
  Admission(Folders& folders, std::int64_t bytes) : folders_(folders), bytes_(bytes) {
    const auto others = folders_.being_written.fetch_add(bytes_);
    if (bytes_ == 0) return;
    const auto space = folders_.space();
    // Some file systems tell no sizes: all zero. What cannot be asked is met by the write itself.
    granted_ = !space || space->capacity_bytes == 0 || space->free_bytes - others >= bytes_;
  }
  ~Admission() { folders_.being_written.fetch_sub(bytes_); }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  bool granted() const { return granted_; }

 private:
  Folders& folders_;
  const std::int64_t bytes_;
  bool granted_ = true;
};

class FileBlobWriter final : public content::BlobWriter {
 public:
  /// `owns`: the blob goes with the writer.
  FileBlobWriter(std::shared_ptr<Folders> folders, const BlobId& id, FileDescriptor file, bool direct_io,
                 std::int64_t position, bool owns)
      : folders_(std::move(folders)),
        name_(id.text()),
        place_(place_of(id)),
        file_(std::move(file)),
        direct_io_(direct_io),
        written_(position),
        owns_(owns) {}

  ~FileBlobWriter() override {
    if (!owns_) return;
    if (named_)
      ::unlinkat(folders_->blobs.get(), place_.c_str(), 0);
    else
      ::unlinkat(folders_->incoming.get(), name_.c_str(), 0);
  }

  /// Sets space aside, so that a full disk is met now and not after hours of upload.
  Result<void> reserve(std::int64_t bytes) {
    if (bytes == 0) return {};
    QUIRE_ASSIGN_OR_RETURN(const auto space, folders_->space());
    // Asked first because fallocate takes all there is before it gives up.
    const Admission admission(*folders_, bytes);
    if (!admission.granted()) return folders_->no_room_for(bytes, space.free_bytes);
    while (::fallocate(file_.get(), 0, 0, bytes) != 0) {
      if (errno == EINTR) continue;
      if (errno == EOPNOTSUPP) return {};
      if (is_out_of_space(errno)) return folders_->no_room_for(bytes, space.free_bytes);
      return folders_->failure("fallocate", incoming_place(), errno);
    }
    reserved_ = bytes;
    return {};
  }

  /// For a file that others have begun: where its space has been set aside, it need not be asked for again.
  void find_reserved() {
    constexpr std::int64_t block_bytes = 512;
    struct stat facts{};
    if (::fstat(file_.get(), &facts) == 0 && facts.st_blocks * block_bytes >= facts.st_size) reserved_ = facts.st_size;
  }

  Result<void> append(std::span<const std::byte> bytes) override {
    QUIRE_CHECK(state_ == State::open);
    if (auto done = append_or_stage(bytes); !done) {
      state_ = State::failed;
      return done;
    }
    return {};
  }

  Result<std::int64_t> sync() override {
    QUIRE_CHECK(state_ == State::open);
    auto done = sync_whole_blocks();
    if (!done) {
      state_ = State::failed;
      return done.error();
    }
    return written_;
  }

  Result<void> flush() override {
    QUIRE_CHECK(state_ == State::open);
    auto done = write_tail();
    if (done) done = sync_data();
    state_ = done ? State::ended : State::failed;
    return done;
  }

  void detach() override { owns_ = false; }

  Result<void> commit() override {
    QUIRE_CHECK(state_ == State::open);
    auto done = make_durable();
    if (done) owns_ = false;
    state_ = done ? State::ended : State::failed;
    return done;
  }

 private:
  enum class State { open, failed, ended };

  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };

  Result<void> append_or_stage(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const std::size_t whole = bytes.size() - bytes.size() % direct_io_alignment;
      const auto into_block = static_cast<std::size_t>(written_ % static_cast<std::int64_t>(direct_io_alignment));
      std::size_t taken = bytes.size();
      Result<void> done;
      if (!direct_io_ && staged_ == 0) {
        done = write(bytes);
      } else if (into_block != 0) {  // the first block of a writer that began inside one
        taken = std::min(bytes.size(), direct_io_alignment - into_block);
        done = write(bytes.first(taken));
      } else if (staged_ == 0 && whole > 0 && is_aligned(bytes.data())) {
        taken = whole;
        done = write_direct(bytes.first(whole));
      } else {
        taken = std::min(bytes.size(), staging_bytes - staged_);
        done = stage(bytes.first(taken));
      }
      if (!done) return done;
      bytes = bytes.subspan(taken);
    }
    return {};
  }

  static bool is_aligned(const std::byte* address) {
    return reinterpret_cast<std::uintptr_t>(address) % direct_io_alignment == 0;
  }

  Result<void> stage(std::span<const std::byte> bytes) {
    if (!staging_) staging_.reset(static_cast<std::byte*>(std::aligned_alloc(direct_io_alignment, staging_bytes)));
    if (!staging_) return base::internal_error("no memory for the staging buffer of a blob");
    std::copy(bytes.begin(), bytes.end(), staging_.get() + staged_);
    staged_ += bytes.size();
    if (staged_ < staging_bytes) return {};
    staged_ = 0;
    return write_direct({staging_.get(), staging_bytes});
  }

  /// Address, size and position are multiples of direct_io_alignment, so far as direct_io_ still holds.
  Result<void> write_direct(std::span<const std::byte> bytes) {
    if (direct_io_ && !direct_now_) {
      direct_now_ = ::fcntl(file_.get(), F_SETFL, O_DIRECT) == 0;
      direct_io_ = direct_now_;
    }
    return write(bytes);
  }

  /// Back to the page cache, for bytes that O_DIRECT does not take.
  Result<void> end_direct_io() {
    if (direct_now_ && ::fcntl(file_.get(), F_SETFL, 0) != 0)
      return folders_->failure("fcntl", incoming_place(), errno);
    direct_now_ = false;
    direct_io_ = false;
    return {};
  }

  Result<void> write(std::span<const std::byte> bytes) {
    const auto end = written_ + static_cast<std::int64_t>(bytes.size());
    const Admission admission(*folders_, std::max<std::int64_t>(end - std::max(written_, reserved_), 0));
    if (!admission.granted()) return content::storage_full(folders_->options.storage_name);
    std::size_t done = write_at(file_.get(), bytes, written_);
    written_ += static_cast<std::int64_t>(done);
    if (done == bytes.size()) return {};
    // EINVAL: a file system that takes the flag but not this alignment, or the rest of a short write.
    if (direct_now_ && errno == EINVAL) {
      if (auto ended = end_direct_io(); !ended) return ended;
      return write(bytes.subspan(done));
    }
    return folders_->failure("write", incoming_place(), errno);
  }

  Result<void> write_tail() {
    if (auto ended = end_direct_io(); !ended) return ended;
    return write({staging_.get(), std::exchange(staged_, 0)});
  }

  /// The data, and that there is such a file at all.
  Result<void> sync_data() {
    if (::fdatasync(file_.get()) != 0) return folders_->failure("fdatasync", incoming_place(), errno);
    if (entry_durable_) return {};
    if (::fsync(folders_->incoming.get()) != 0) return folders_->failure("sync of", "incoming", errno);
    entry_durable_ = true;
    return {};
  }

  /// Leaves in `staging_` what does not fill a block, so that what follows stays aligned.
  Result<void> sync_whole_blocks() {
    const std::size_t rest = staged_ % direct_io_alignment;
    const std::size_t whole = staged_ - rest;
    if (whole > 0) {
      if (auto written = write_direct({staging_.get(), whole}); !written) return written;
      std::copy_n(staging_.get() + whole, rest, staging_.get());
      staged_ = rest;
    }
    return sync_data();
  }

  Result<void> make_durable() {
    if (auto tail = write_tail(); !tail) return tail;
    struct stat facts{};
    if (::fstat(file_.get(), &facts) != 0) return folders_->failure("stat", incoming_place(), errno);
    if (facts.st_size < written_)
      return base::internal_error(
          fmt::format("{} has {} bytes instead of {}", incoming_place(), facts.st_size, written_));
    // What was reserved and not used goes.
    if (facts.st_size > written_ && ::ftruncate(file_.get(), written_) != 0)
      return folders_->failure("ftruncate", incoming_place(), errno);
    if (::fchmod(file_.get(), blob_mode) != 0) return folders_->failure("chmod", incoming_place(), errno);
    if (!set_seal(file_.get(), name_)) return folders_->failure("futimens", incoming_place(), errno);
    const std::string prefix = place_.substr(0, 2);
    if (auto there = folders_->need_folder(prefix); !there) return there;
    if (::renameat(folders_->incoming.get(), name_.c_str(), folders_->blobs.get(), place_.c_str()) != 0)
      return folders_->failure("rename", incoming_place(), errno);
    named_ = true;
    // Only now: file systems with a journal then write data, inode and name at once. A crash before leaves an orphan.
    if (::fdatasync(file_.get()) != 0) return folders_->failure("fdatasync", "blobs/" + place_, errno);
    const auto folder = open_at(folders_->blobs.get(), prefix, O_RDONLY | O_DIRECTORY);
    if (!folder || ::fsync(folder.get()) != 0)
      return folders_->failure("sync of the folder of", "blobs/" + place_, errno);
    return {};
  }

  std::string incoming_place() const { return "incoming/" + name_; }

  const std::shared_ptr<Folders> folders_;
  const std::string name_;
  const std::string place_;
  const FileDescriptor file_;
  bool direct_io_;           ///< for large writes: wanted, and not refused so far
  bool direct_now_ = false;  ///< the flag is on
  bool named_ = false;       ///< moved out of `incoming`
  State state_ = State::open;
  std::int64_t reserved_ = 0;   ///< the file has its space up to here
  std::int64_t written_;        ///< position without what is staged
  std::atomic<bool> owns_;      ///< the blob goes with the writer
  bool entry_durable_ = false;  ///< the file's name in `incoming`
  std::unique_ptr<std::byte, Free> staging_;
  std::size_t staged_ = 0;
};

class FileBlobReader final : public content::BlobReader {
 public:
  FileBlobReader(FileDescriptor file, std::filesystem::path path, std::int64_t size)
      : file_(std::move(file)), path_(std::move(path)), size_(size) {}

  std::int64_t size() const override { return size_; }

  Result<std::size_t> read(std::int64_t offset, std::span<std::byte> buffer) override {
    QUIRE_CHECK(offset >= 0);
    if (offset >= size_) return std::size_t{0};
    const auto wanted =
        static_cast<std::size_t>(std::min<std::int64_t>(size_ - offset, static_cast<std::int64_t>(buffer.size())));
    std::size_t done = 0;
    while (done < wanted) {
      const auto part = buffer.subspan(done, wanted - done);
      const ssize_t got = ::pread(file_.get(), part.data(), part.size(), offset + static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failed_call("read", path_, errno);
      if (got == 0) return base::internal_error(fmt::format("{} was cut short from outside", path_.string()));
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  std::optional<int> file_descriptor() const override { return file_.get(); }

  bool sealed() const override { return has_seal(file_.get(), path_.filename().native()); }

  Result<void> seal() override {
    if (!set_seal(file_.get(), path_.filename().native())) return failed_call("futimens", path_, errno);
    return {};
  }

 private:
  const FileDescriptor file_;
  const std::filesystem::path path_;
  const std::int64_t size_;
};

/// Calls `visit` with the name of everything in a folder.
Result<void> visit_names(const std::filesystem::path& folder, const std::function<Result<void>(std::string)>& visit) {
  std::error_code failed;
  std::filesystem::directory_iterator entry(folder, failed);
  while (!failed && entry != std::filesystem::directory_iterator()) {
    if (auto visited = visit(entry->path().filename().string()); !visited) return visited;
    entry.increment(failed);
  }
  if (failed) return failed_call("reading of the folder", folder, failed.value());
  return {};
}

class FileBlobStore final : public content::BlobStore {
 public:
  explicit FileBlobStore(std::shared_ptr<Folders> folders) : folders_(std::move(folders)) {}

  Result<std::unique_ptr<content::BlobWriter>> create(const BlobId& id,
                                                      std::optional<std::int64_t> expected_bytes) override {
    QUIRE_CHECK(expected_bytes.value_or(0) >= 0);
    const auto place = place_of(id);
    if (::faccessat(folders_->blobs.get(), place.c_str(), F_OK, 0) == 0)
      return failed_call("creation of the blob", folders_->root / "blobs" / place, EEXIST);
    auto file = open_at(folders_->incoming.get(), id.text(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, unfinished_mode);
    if (!file) return folders_->failure("creation of", "incoming/" + id.text(), errno);
    const bool small = expected_bytes && *expected_bytes < static_cast<std::int64_t>(staging_bytes);
    auto writer =
        std::make_unique<FileBlobWriter>(folders_, id, std::move(file), folders_->options.direct_io && !small, 0, true);
    QUIRE_RETURN_IF_ERROR(writer->reserve(expected_bytes.value_or(0)));
    return std::unique_ptr<content::BlobWriter>(std::move(writer));
  }

  Result<std::unique_ptr<content::BlobWriter>> resume(const BlobId& id, std::int64_t position) override {
    QUIRE_CHECK(position >= 0 && is_blob_name(id.text()));
    auto file = open_at(folders_->incoming.get(), id.text(), O_WRONLY | O_NOFOLLOW);
    if (!file && errno == ENOENT) return no_unfinished(id);
    if (!file) return folders_->failure("opening of", "incoming/" + id.text(), errno);
    auto writer =
        std::make_unique<FileBlobWriter>(folders_, id, std::move(file), folders_->options.direct_io, position, false);
    writer->find_reserved();
    return std::unique_ptr<content::BlobWriter>(std::move(writer));
  }

  Result<std::unique_ptr<content::BlobReader>> open_unfinished(const BlobId& id) override {
    QUIRE_CHECK(is_blob_name(id.text()));
    auto file = open_at(folders_->incoming.get(), id.text(), O_RDONLY | O_NOFOLLOW);
    if (!file && errno == ENOENT) return no_unfinished(id);
    return reader_of(std::move(file), folders_->root / "incoming" / id.text());
  }

  Result<void> reopen(const BlobId& id) override {
    const auto place = place_of(id);
    const auto& name = id.text();
    if (::fchmodat(folders_->blobs.get(), place.c_str(), unfinished_mode, 0) != 0 ||
        ::renameat(folders_->blobs.get(), place.c_str(), folders_->incoming.get(), name.c_str()) != 0)
      return errno == ENOENT ? not_committed(id) : folders_->failure("reopening of", "blobs/" + place, errno);
    if (::fsync(folders_->incoming.get()) != 0) return folders_->failure("sync of", "incoming", errno);
    return {};
  }

  Result<std::unique_ptr<content::BlobReader>> open(const BlobId& id) override {
    const auto place = place_of(id);
    auto file = open_at(folders_->blobs.get(), place, O_RDONLY | O_NOFOLLOW);
    if (!file && errno == ENOENT) return not_committed(id);
    return reader_of(std::move(file), folders_->root / "blobs" / place);
  }

  Result<void> remove(const BlobId& id) override {
    const auto place = place_of(id);
    if (::unlinkat(folders_->blobs.get(), place.c_str(), 0) == 0) return {};
    if (errno != ENOENT) return folders_->failure("removal of", "blobs/" + place, errno);
    if (::unlinkat(folders_->incoming.get(), id.text().c_str(), 0) != 0 && errno != ENOENT)
      return folders_->failure("removal of", "incoming/" + id.text(), errno);
    return {};
  }

  Result<void> list(const std::function<void(const BlobId&)>& visit) override {
    return visit_names(folders_->root / "blobs", [&](const std::string& prefix) -> Result<void> {
      if (prefix.size() != 2 || prefix.find_first_not_of(hex_digits) != std::string::npos) return {};
      return visit_names(folders_->root / "blobs" / prefix, [&](std::string name) -> Result<void> {
        if (is_blob_name(name) && name.starts_with(prefix)) visit(BlobId(std::move(name)));
        return {};
      });
    });
  }

  Result<void> remove_unfinished(const std::function<bool(const BlobId&)>& keeps) override {
    return visit_names(folders_->root / "incoming", [&](const std::string& name) -> Result<void> {
      if (is_blob_name(name) && !keeps(BlobId(name)) && ::unlinkat(folders_->incoming.get(), name.c_str(), 0) != 0 &&
          errno != ENOENT)
        return folders_->failure("removal of", "incoming/" + name, errno);
      return {};
    });
  }

  Result<Space> space() override { return folders_->space(); }

  std::string uri(const BlobId& id) const override { return file_uri(folders_->root / "blobs" / place_of(id)); }

 private:
  base::Error not_committed(const BlobId& id) const {
    return base::Error(base::ErrorKind::not_found, "quire.blob.not_found",
                       "Storage {storage} holds no blob {blob}. Its file was removed from outside; restore it from a "
                       "backup.",
                       {{"storage", folders_->options.storage_name}, {"blob", id.text()}});
  }

  base::Error no_unfinished(const BlobId& id) const {
    return base::Error(base::ErrorKind::not_found, "quire.blob.not_unfinished",
                       "Storage {storage} has begun no blob {blob}, or has finished it.",
                       {{"storage", folders_->options.storage_name}, {"blob", id.text()}});
  }

  /// `file` is empty with errno set when it could not be opened.
  static Result<std::unique_ptr<content::BlobReader>> reader_of(FileDescriptor file, std::filesystem::path path) {
    if (!file) return failed_call("opening of", path, errno);
    struct stat facts{};
    if (::fstat(file.get(), &facts) != 0) return failed_call("stat", path, errno);
    if (!S_ISREG(facts.st_mode)) return base::internal_error(path.string() + " is no file");
    return std::unique_ptr<content::BlobReader>(
        std::make_unique<FileBlobReader>(std::move(file), std::move(path), facts.st_size));
  }

  const std::shared_ptr<Folders> folders_;
};

/// Makes the folder unless it is there; empty with errno set when it cannot be had.
FileDescriptor make_folder(int parent, const std::string& name) {
  if (::mkdirat(parent, name.c_str(), folder_mode) != 0 && errno != EEXIST) return {};
  return open_at(parent, name, O_RDONLY | O_DIRECTORY);
}

/// The folders directly below the root, durable. False with errno set when that fails.
bool make_folders(Folders& folders) {
  const auto root = open_at(AT_FDCWD, folders.root.string(), O_RDONLY | O_DIRECTORY);
  if (!root) return false;
  folders.incoming = make_folder(root.get(), "incoming");
  folders.blobs = make_folder(root.get(), "blobs");
  return folders.incoming && folders.blobs && ::fsync(root.get()) == 0;
}

}  // namespace

Result<std::unique_ptr<content::BlobStore>> open_file_blob_store(const std::filesystem::path& root,
                                                                 FileBlobStoreOptions options) {
  QUIRE_CHECK(root.is_absolute());
  auto folders = std::make_shared<Folders>();
  folders->root = root;
  folders->options = std::move(options);
  QUIRE_RETURN_IF_ERROR(make_folder_durably(root));
  if (!make_folders(*folders)) {
    const int error_number = errno;
    if (is_out_of_space(error_number)) return folders->failure("making of the folders of", "", error_number);
    return base::Error(
        base::ErrorKind::resource_inaccessible, "quire.storage.inaccessible",
        "The folder {folder} of storage {storage} cannot be used: {reason}. See that the server may "
        "write there.",
        {{"folder", root.string()}, {"storage", folders->options.storage_name}, {"reason", reason_of(error_number)}});
  }
  return std::unique_ptr<content::BlobStore>(std::make_unique<FileBlobStore>(std::move(folders)));
}

std::vector<std::filesystem::path> folders_of_blob_store(const std::filesystem::path& root) {
  return {root / "incoming", root / "blobs"};
}

std::string file_uri(const std::filesystem::path& path) {
  QUIRE_CHECK(path.is_absolute());
  std::string text = path.string();
  while (text.ends_with('/')) text.pop_back();
  return "file://" + base::percent_encode_path(text);
}

}  // namespace quire::adapters::files
