#include "client/vcsp_export.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/hex.h"
#include "base/identity.h"
#include "base/uri.h"
#include "client/failure.h"
#include "client/local_files.h"
#include "client/places.h"
#include "client/transfer_settings.h"
#include "vcsp/reader.h"
#include "vcsp/tree.h"

namespace quire::client {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr std::string_view lock_name = ".quire-export.lock";
constexpr mode_t file_mode = 0644;

base::Error cannot(const std::string& do_what, const fs::path& path) {
  return local_error("cannot " + do_what + ' ' + path.string() + ": " + system_reason(errno));
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

Result<void> sync_folder(const fs::path& folder) {
  const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || ::fsync(opened.get()) != 0) return cannot("sync", folder);
  return {};
}

Result<void> write_all(int file, std::span<const char> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const auto count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

/// Whoever reads meanwhile sees the old document or the new one, and so does a start after a power cut.
Result<void> write_document(const fs::path& path, std::string_view text) {
  const fs::path partial = path.string() + std::string(partial_suffix);
  {
    const File file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode));
    if (!file.is_open()) return cannot("write", partial);
    QUIRE_RETURN_IF_ERROR(write_all(file.get(), text, partial));
    if (::fsync(file.get()) != 0) return cannot("sync", partial);
  }
  if (::rename(partial.c_str(), path.c_str()) != 0) return cannot("rename", partial);
  return sync_folder(path.parent_path());
}

class LocalTree final : public vcsp::TreeFolder {
 public:
  explicit LocalTree(const fs::path& folder) : folder_(folder) {}
  Result<std::optional<std::string>> read(const std::string& path) override { return read_file(folder_ / path); }
  Result<std::optional<std::int64_t>> size_of(const std::string& path) override {
    std::error_code failed;
    const auto size = fs::file_size(folder_ / path, failed);
    return failed ? std::nullopt : std::optional(static_cast<std::int64_t>(size));
  }
  Result<void> write(const std::string& path, std::string_view text) override {
    const auto place = folder_ / path;
    std::error_code failed;
    fs::create_directories(place.parent_path(), failed);
    if (failed) return local_error("cannot make " + place.parent_path().string() + ": " + failed.message());
    return write_document(place, text);
  }
  /// Documents and files are durable one by one; this is for the folders of items.
  Result<void> sync() override { return sync_folder(folder_); }

 private:
  const fs::path& folder_;
};

/// As the export names things: by itself, whatever the publisher's addresses are.
struct Documents {
  vcsp::Library library;
  std::vector<vcsp::Item> items;        ///< with the export's own hrefs
  std::vector<vcsp::Item> publisher_s;  ///< the same with those of the publisher
};

vcsp::Item with_own_hrefs(vcsp::Item item) {
  item.self_href = item.id + '/' + std::string(vcsp::item_file);
  for (auto& file : item.files) {
    // Without a counter of its own a file is as new as its item. One etag for all of them (vcsp.md §5).
    const auto generation = vcsp::generation_of(file).value_or(item.content_version.value_or(item.version));
    file.generation = generation;
    file.hrefs = {item.id + "/g" + std::to_string(generation) + '/' + base::percent_encode_path(file.name)};
    file.etag = std::to_string(item.content_version.value_or(item.version));
  }
  return item;
}

class Export {
 public:
  Export(VcspSource& source, const ExportOrder& order, Output& output)
      : source_(source), order_(order), output_(output) {}

  Result<ExportOutcome> run();

 private:
  Result<Documents> read_publisher();
  Result<void> prepare_folder(const vcsp::Library& library);
  Result<void> look_at_earlier_export();
  Result<void> fetch_all(const Documents& documents);
  Result<void> fetch(const vcsp::Item& item, const vcsp::File& own, const vcsp::File& published);
  Result<bool> is_there(const fs::path& path, const vcsp::File& file);
  Result<void> write_documents(const Documents& documents);
  Result<void> remove_old(const Documents& documents);

  fs::path path_of(std::string_view href) const { return order_.folder / vcsp::path_of(href); }

  VcspSource& source_;
  const ExportOrder& order_;
  Output& output_;
  LocalTree tree_{order_.folder};
  ExportOutcome outcome_;
  std::optional<File> lock_;
  std::optional<vcsp::Library> earlier_;  ///< the export that is there
  std::set<fs::path> earlier_files_;      ///< with the items' documents
};

Result<Documents> Export::read_publisher() {
  QUIRE_ASSIGN_OR_RETURN(const auto text, source_.document(source_.url()));
  Documents documents;
  QUIRE_ASSIGN_OR_RETURN(documents.library, vcsp::read_library(text));
  if (documents.library.maintenance_message)
    return conflict("the publisher is in maintenance: " + *documents.library.maintenance_message);
  const auto place = vcsp::resolve_href(source_.url(), "", documents.library.items_href).front();
  QUIRE_ASSIGN_OR_RETURN(const auto index_text, source_.document(place));
  QUIRE_ASSIGN_OR_RETURN(auto index, vcsp::read_index(index_text));
  // It changed between the two: what the index has is the truth, and is called what it is.
  if (index.version) documents.library.version = *index.version;
  documents.publisher_s = std::move(index.items);
  for (const auto& item : documents.publisher_s) documents.items.push_back(with_own_hrefs(item));
  documents.library.dialect = 2;
  documents.library.items_href = vcsp::index_name(documents.library.version);
  return documents;
}

Result<void> Export::look_at_earlier_export() {
  QUIRE_ASSIGN_OR_RETURN(const auto tree, vcsp::read_tree(tree_));
  if (!tree) return {};
  earlier_ = tree->library;
  for (const auto& path : tree->paths()) earlier_files_.insert(order_.folder / path);
  return {};
}

Result<void> Export::prepare_folder(const vcsp::Library& library) {
  std::error_code failed;
  fs::create_directories(order_.folder, failed);
  if (failed) return local_error("cannot make " + order_.folder.string() + ": " + failed.message());
  lock_.emplace(::open((order_.folder / lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode));
  if (!lock_->is_open()) return cannot("open", order_.folder / lock_name);
  if (::flock(lock_->get(), LOCK_EX | LOCK_NB) != 0)
    return conflict("another export into " + order_.folder.string() + " is running");
  QUIRE_RETURN_IF_ERROR(look_at_earlier_export());
  if (earlier_ && earlier_->id != library.id)
    return conflict(order_.folder.string() + " holds another library (" + earlier_->name + "); give another folder");
  if (earlier_) return {};
  for (const auto& entry : fs::directory_iterator(order_.folder, failed)) {
    const auto name = entry.path().filename().string();
    // What a first export has left that did not come to its end.
    const bool ours = name == lock_name || name.ends_with(partial_suffix) || name.starts_with("items") ||
                      (entry.is_directory() && base::looks_like_uuid(name));
    if (!ours) return conflict(order_.folder.string() + " holds something else (" + name + "); give an empty folder");
  }
  return {};
}

Result<bool> Export::is_there(const fs::path& path, const vcsp::File& file) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed || static_cast<std::int64_t>(size) != file.size) return false;
  if (!order_.verify_all || !file.sha256) return true;
  QUIRE_ASSIGN_OR_RETURN(const auto digest, digest_of_file(path, base::DigestAlgorithm::SHA256, nullptr));
  return digest.hex == base::to_lower(*file.sha256);
}

Result<void> Export::fetch(const vcsp::Item& item, const vcsp::File& own, const vcsp::File& published) {
  const auto path = path_of(own.hrefs.front());
  ++outcome_.files;
  QUIRE_ASSIGN_OR_RETURN(const bool there, is_there(path, own));
  if (there) {
    ++outcome_.there;
    return {};
  }
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed) return local_error("cannot make " + path.parent_path().string() + ": " + failed.message());
  const fs::path partial = path.string() + std::string(partial_suffix);
  const File file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode));
  if (!file.is_open()) return cannot("write", partial);
  base::Hasher hasher(base::DigestAlgorithm::SHA256);
  std::int64_t length = 0;
  const auto what = item.name + '/' + own.name;
  const auto take = [&](const HttpHead&, std::span<const char> bytes) -> Result<void> {
    length += static_cast<std::int64_t>(bytes.size());
    if (length > own.size) return content_refused(what + " has more bytes than the publisher says");
    hasher.update(std::as_bytes(bytes));
    return write_all(file.get(), bytes, partial);
  };
  QUIRE_RETURN_IF_ERROR(source_.file(vcsp::resolve_href(source_.url(), item.self_href, published.hrefs.front()), take));
  if (length != own.size)
    return content_refused(what + " has " + std::to_string(length) + " bytes, and is said to have " +
                           std::to_string(own.size));
  if (own.sha256 && hasher.finish().hex != base::to_lower(*own.sha256))
    return content_refused(what + " has another SHA-256 than the publisher says");
  if (::fsync(file.get()) != 0) return cannot("sync", partial);
  if (::rename(partial.c_str(), path.c_str()) != 0) return cannot("rename", partial);
  outcome_.bytes += length;
  return sync_folder(path.parent_path());
}

Result<void> Export::fetch_all(const Documents& documents) {
  outcome_.files = 0;
  outcome_.there = 0;
  for (std::size_t i = 0; i < documents.items.size(); ++i) {
    const auto& own = documents.items[i];
    const auto& published = documents.publisher_s[i];
    output_.note(own.name);
    for (std::size_t k = 0; k < own.files.size(); ++k)
      QUIRE_RETURN_IF_ERROR(fetch(published, own.files[k], published.files[k]));
  }
  outcome_.items = static_cast<std::int64_t>(documents.items.size());
  return {};
}

/// What is about to be shown is read back as a subscriber would.
Result<void> Export::write_documents(const Documents& documents) {
  std::vector<vcsp::WrittenItem> written;
  vcsp::Remarks remarks;
  for (const auto& item : documents.items) {
    written.push_back({item, vcsp::write_item(item)});
    QUIRE_ASSIGN_OR_RETURN(const auto again, vcsp::read_item(written.back().text, &remarks));
    if (again != item) return local_error("item " + item.name + " cannot be written as the format has it");
  }
  const std::vector<std::string_view> texts = [&] {
    std::vector<std::string_view> all;
    for (const auto& one : written) all.push_back(one.text);
    return all;
  }();
  QUIRE_RETURN_IF_ERROR(vcsp::show_tree(tree_, documents.library, texts, written));
  for (const auto& one : remarks)
    if (one.who != vcsp::Stumbling::nobody) output_.note(one.where + ' ' + one.problem);
  return {};
}

/// What neither this export nor the one before speaks of: its readers have had the time between the two.
Result<void> Export::remove_old(const Documents& documents) {
  if (earlier_ && earlier_->version == documents.library.version) return {};
  std::set<fs::path> kept = earlier_files_;
  for (const auto& item : documents.items) {
    kept.insert(path_of(item.self_href));
    for (const auto& file : item.files) kept.insert(path_of(file.hrefs.front()));
  }
  std::set<std::string> indexes{documents.library.items_href};
  if (earlier_) indexes.insert(earlier_->items_href);
  std::error_code failed;
  std::vector<fs::path> old;
  for (const auto& entry : fs::recursive_directory_iterator(order_.folder, failed)) {
    if (!entry.is_regular_file()) continue;
    const auto relative = entry.path().lexically_relative(order_.folder);
    const auto name = entry.path().filename().string();
    const bool at_root = relative.begin() != relative.end() && std::next(relative.begin()) == relative.end();
    if (at_root) {
      if (vcsp::version_of_index(name) && !indexes.contains(name)) old.push_back(entry.path());
      continue;
    }
    if (base::looks_like_uuid(relative.begin()->string()) && !kept.contains(entry.path())) old.push_back(entry.path());
  }
  for (const auto& path : old) {
    if (!fs::remove(path, failed)) return cannot("remove", path);
    ++outcome_.removed;
    for (auto folder = path.parent_path(); folder != order_.folder; folder = folder.parent_path())
      if (::rmdir(folder.c_str()) != 0) break;
  }
  return {};
}

Result<ExportOutcome> Export::run() {
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    QUIRE_ASSIGN_OR_RETURN(const auto documents, read_publisher());
    if (!lock_) QUIRE_RETURN_IF_ERROR(prepare_folder(documents.library));
    if (const auto fetched = fetch_all(documents); !fetched) {
      // The item has got other files meanwhile, and the index says where they are (vcsp.md §6).
      if (fetched.error().kind() == base::ErrorKind::not_found && attempt < attempts) continue;
      return fetched.error();
    }
    if (earlier_ && documents.library.version < earlier_->version)
      output_.note("the library's version went back from " + std::to_string(earlier_->version) + " to " +
                   std::to_string(documents.library.version) + ": subscribers will not notice this export");
    QUIRE_RETURN_IF_ERROR(write_documents(documents));
    QUIRE_RETURN_IF_ERROR(remove_old(documents));
    outcome_.version = documents.library.version;
    return outcome_;
  }
}

}  // namespace

Result<ExportOutcome> export_vcsp(VcspSource& source, const ExportOrder& order, Output& output) {
  return Export(source, order, output).run();
}

}  // namespace quire::client
