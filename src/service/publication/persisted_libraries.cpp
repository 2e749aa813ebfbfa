#include "service/publication/persisted_libraries.h"

#include <algorithm>
#include <string_view>

#include "base/backoff.h"
#include "base/log.h"
#include "vcsp/reader.h"
#include "vcsp/tree.h"

namespace quire::service {
namespace {

using base::Duration;
using base::ErrorKind;
using base::Result;
using content::Library;
using content::LibraryId;

constexpr std::string_view worker_name = "persisted libraries";
constexpr Duration pause_first = std::chrono::seconds(1);
constexpr Duration pause_max = std::chrono::minutes(5);
/// Of a library that changes all the time; each has its own index.
constexpr std::size_t spare_states_max = 100;

class OpenTree final : public vcsp::TreeFolder {
 public:
  explicit OpenTree(content::LibraryFolder& files) : files_(files) {}
  Result<std::optional<std::string>> read(const std::string& path) override { return files_.read(path); }
  Result<std::optional<std::int64_t>> size_of(const std::string& path) override { return files_.size_of(path); }
  Result<void> write(const std::string& path, std::string_view text) override { return files_.write(path, text); }
  Result<void> sync() override { return files_.sync(); }

 private:
  content::LibraryFolder& files_;
};

/// Nothing when it holds what is no tree of this library: then all of it is written anew.
Result<std::optional<vcsp::Tree>> tree_of(content::LibraryFolder& files, const LibraryId& id) {
  OpenTree folder(files);
  auto tree = vcsp::read_tree(folder);
  const bool unreadable = !tree && tree.error().kind() == ErrorKind::invalid_argument;
  if (unreadable || (tree && *tree && (*tree)->library.id != id.text())) return std::optional<vcsp::Tree>();
  return tree;
}

Result<bool> is_complete(content::LibraryFolder& files, const vcsp::WrittenItem& written) {
  QUIRE_ASSIGN_OR_RETURN(const auto document, files.size_of(vcsp::path_of(written.item.self_href)));
  if (document != static_cast<std::int64_t>(written.text.size())) return false;
  for (const auto& file : written.item.files) {
    QUIRE_ASSIGN_OR_RETURN(const auto size, files.size_of(vcsp::path_of(file.hrefs.front())));
    if (size != file.size) return false;
  }
  return true;
}

}  // namespace

/// What a folder lacks of a state.
struct PersistedLibraries::Changes {
  bool any = false;
  std::vector<vcsp::WrittenItem> items;
  std::map<std::string, std::optional<std::string>> gone;  ///< of the items that are not so any more: path to SHA-256
};

PersistedLibraries::PersistedLibraries(Context& context, Publications& publications, std::string owner)
    : context_(context), publications_(publications), owner_(std::move(owner)) {}

/// Those from before this process.
Result<void> PersistedLibraries::find_folders() {
  Result<void> all;
  for (const auto& storage : context_.storages.all()) {
    if (!storage.folders || listed_.contains(storage.id)) continue;
    const auto libraries = storage.folders->list(owner_);
    if (!libraries) {
      all = libraries.error();
      continue;
    }
    for (const auto& id : *libraries) folders_.try_emplace({id, storage.id});
    listed_.insert(storage.id);
  }
  return all;
}

Result<void> PersistedLibraries::read_wanted() {
  const auto version = context_.catalog.libraries_version();
  if (version && version == wanted_at_) return {};
  QUIRE_ASSIGN_OR_RETURN(wanted_,
                         read(context_, system_caller(worker_name), [](View view) -> Result<std::vector<Library>> {
                           content::LibraryFilter filter;
                           filter.persisted = true;
                           std::vector<Library> libraries;
                           for (const auto& id : view->libraries(filter))
                             if (auto library = view->find<Library>(id)) libraries.push_back(*std::move(library));
                           return libraries;
                         }));
  wanted_at_ = version;
  return {};
}

/// True when it was done.
template <class Work>
bool PersistedLibraries::attempt(const Key& key, Folder& folder, Work work) {
  if (stopping_ || folder.next_try > context_.clock.uptime()) return false;
  const auto done = work();
  if (done) {
    if (folder.failures > 0)
      spdlog::info("The folder of library {} on storage {} is as it should be again.", key.first.text(),
                   key.second.text());
    folder.failures = 0;
    folder.problem.reset();
    return true;
  }
  // What another server does is as good.
  if (stopping_ || done.error().kind() == ErrorKind::resource_busy) return false;
  const auto pause = base::backoff(++folder.failures, pause_first, pause_max);
  folder.next_try = context_.clock.uptime() + pause;
  folder.problem = done.error();
  spdlog::warn("The folder of library {} on storage {} is behind and is tried again in {} s: {} {}", key.first.text(),
               key.second.text(), std::chrono::duration_cast<std::chrono::seconds>(pause).count(), done.error().text(),
               done.error().cause());
  return false;
}

/// A library that moves to another storage keeps its folder until it has one there.
bool PersistedLibraries::is_to_stay(const Key& key) const {
  return std::ranges::any_of(wanted_, [&](const Library& library) {
    if (library.id != key.first) return false;
    if (library.storage == key.second) return true;
    const auto there = folders_.find({library.id, library.storage});
    return there == folders_.end() || !there->second.shown;
  });
}

Result<void> PersistedLibraries::run_round() {
  auto found = find_folders();
  QUIRE_RETURN_IF_ERROR(read_wanted());
  for (const auto& library : wanted_) {
    const Key key{library.id, library.storage};
    auto& folder = folders_[key];
    attempt(key, folder, [&] { return keep(folder, library); });
  }
  for (auto at = folders_.begin(); at != folders_.end();) {
    const auto& key = at->first;
    const bool removed = !is_to_stay(key) && attempt(key, at->second, [&] { return remove(key); });
    at = removed ? folders_.erase(at) : std::next(at);
  }
  for (const auto& [key, folder] : folders_)
    if (folder.problem) return *folder.problem;
  return found;
}

Result<void> PersistedLibraries::remove(const Key& key) {
  const auto* storage = context_.storages.find(key.second);
  if (storage == nullptr || !storage->folders) return {};
  QUIRE_RETURN_IF_ERROR(storage->folders->remove(key.first, owner_));
  spdlog::info("The folder of library {} on storage {} was removed.", key.first.text(), key.second.text());
  return {};
}

Result<void> PersistedLibraries::keep(Folder& folder, const Library& library) {
  const bool is_shown = folder.shown == library.generation;
  if (is_shown && (!folder.next_removal || *folder.next_removal > context_.clock.uptime())) return {};
  QUIRE_ASSIGN_OR_RETURN(const auto* storage, context_.storages.get(library.storage));
  if (!storage->folders) return base::internal_error("storage " + storage->name + " keeps no libraries as files");
  QUIRE_ASSIGN_OR_RETURN(const auto files, storage->folders->open(library.id, owner_));
  if (!is_shown) {
    QUIRE_ASSIGN_OR_RETURN(const bool done, show(folder, *files, library.id));
    if (!done) return {};
  }
  return remove_spare(folder, *files);
}

/// False when the library changed so much meanwhile that the next round has to do it.
Result<bool> PersistedLibraries::show(Folder& folder, content::LibraryFolder& files, const LibraryId& id) {
  const auto state = publications_.state(id);
  if (!state && state.error().kind() == ErrorKind::not_found) return false;  // its folder goes
  if (!state) return state.error();
  const auto generation = state->library.generation;
  QUIRE_ASSIGN_OR_RETURN(auto changes, compare(folder, files, *state));
  if (const auto placed = place_files(files, id, changes); !placed) {
    const auto now = publications_.state(id);
    const bool is_other = !now || now->library.generation != generation;
    return placed.error().kind() == ErrorKind::not_found && is_other ? Result<bool>(false) : placed.error();
  }
  if (changes.any) {
    OpenTree tree(files);
    std::vector<std::string_view> texts;
    for (const auto& [item, text] : state->items) texts.push_back(*text);
    QUIRE_RETURN_IF_ERROR(vcsp::show_tree(tree, published_library(state->library), texts, changes.items));
  }
  const auto now = context_.clock.uptime();
  for (const auto& [path, digest] : changes.gone) folder.spare.try_emplace(path, now);
  for (const auto& written : changes.items)
    for (const auto& path : vcsp::paths_of(written.item)) folder.spare.erase(path);
  folder.spare.erase(vcsp::index_name(generation));
  folder.shown = generation;
  folder.next_removal = now;
  return true;
}

Result<PersistedLibraries::Changes> PersistedLibraries::compare(const Folder& folder, content::LibraryFolder& files,
                                                                const PublishedState& state) {
  QUIRE_ASSIGN_OR_RETURN(auto tree, tree_of(files, state.library.id));
  Changes changes;
  const auto& library = state.library;
  changes.any = !tree || tree->library.version != library.generation || tree->library.name != library.name ||
                tree->library.description != library.description;
  if (!tree) tree.emplace();
  const bool at_first = !folder.shown;  // somebody may have taken files away
  std::set<std::string> named{vcsp::index_name(library.generation)};
  for (const auto& [id, text] : state.items) {
    const bool is_written = tree->items.erase(*text) > 0;
    if (is_written && !at_first) continue;
    vcsp::WrittenItem written{{}, *text};
    QUIRE_ASSIGN_OR_RETURN(written.item, vcsp::read_item(*text));
    for (auto& path : vcsp::paths_of(written.item)) named.insert(std::move(path));
    if (is_written) {
      QUIRE_ASSIGN_OR_RETURN(const bool complete, is_complete(files, written));
      if (complete) continue;
    }
    changes.items.push_back(std::move(written));
  }
  for (const auto& text : tree->items)
    if (const auto item = vcsp::read_item(text)) {
      changes.gone.try_emplace(vcsp::path_of(item->self_href));
      for (const auto& file : item->files)
        changes.gone.insert_or_assign(vcsp::path_of(file.hrefs.front()), file.sha256);
    }
  changes.any = changes.any || !changes.items.empty() || !tree->items.empty();
  if (tree->library.version != library.generation) changes.gone.try_emplace(vcsp::index_name(tree->library.version));
  if (at_first) {
    QUIRE_ASSIGN_OR_RETURN(const auto index, files.size_of(vcsp::index_name(library.generation)));
    QUIRE_ASSIGN_OR_RETURN(const auto same_index, files.size_of(std::string(vcsp::index_file)));
    changes.any = changes.any || !index || index != same_index;
    QUIRE_RETURN_IF_ERROR(files.visit([&](std::string path) {
      if (!named.contains(path)) changes.gone.try_emplace(std::move(path));
    }));
  }
  return changes;
}

Result<void> PersistedLibraries::place_files(content::LibraryFolder& files, const LibraryId& id,
                                             const Changes& changes) {
  for (const auto& [item, text] : changes.items)
    for (const auto& file : item.files) {
      if (stopping_) return base::internal_error("the server stops");
      const auto path = vcsp::path_of(file.hrefs.front());
      const auto before = changes.gone.find(path);
      const bool is_other = before != changes.gone.end() && before->second && before->second != file.sha256;
      QUIRE_ASSIGN_OR_RETURN(const auto size, files.size_of(path));
      if (size == file.size && !is_other) continue;
      QUIRE_ASSIGN_OR_RETURN(
          const auto open,
          publications_.open_file(id, content::ItemId(item.id), vcsp::generation_of(file).value_or(0), file.name));
      QUIRE_RETURN_IF_ERROR(files.place(path, *open.bytes, stopping_));
    }
  return {};
}

/// What has been there long enough for whoever read an older state, and the oldest of many states.
Result<void> PersistedLibraries::remove_spare(Folder& folder, content::LibraryFolder& files) {
  const auto now = context_.clock.uptime();
  const auto retention = context_.settings.replaced_content_retention;
  std::map<std::int64_t, std::string> indexes;
  for (const auto& [path, since] : folder.spare)
    if (const auto version = vcsp::version_of_index(path)) indexes.emplace(*version, path);
  std::set<std::string> too_many;
  for (; indexes.size() > spare_states_max; indexes.erase(indexes.begin())) too_many.insert(indexes.begin()->second);
  folder.next_removal.reset();
  for (auto at = folder.spare.begin(); at != folder.spare.end();) {
    const auto due = at->second + retention;
    if (due > now && !too_many.contains(at->first)) {
      folder.next_removal = std::min(folder.next_removal.value_or(due), due);
      ++at;
      continue;
    }
    if (const auto removed = files.remove(at->first); !removed) {
      folder.next_removal = now;
      return removed;
    }
    at = folder.spare.erase(at);
  }
  return {};
}

bool PersistedLibraries::wait(Duration at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return stopping_.load(); });
  return !stopping_;
}

void PersistedLibraries::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

}  // namespace quire::service
