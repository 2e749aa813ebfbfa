#include "service/subscription/synced_items.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "service/library/announced_files.h"
#include "service/library/item_content.h"
#include "service/library/item_creation.h"
#include "service/library/library_rules.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Item;
using content::ItemId;
using content::Library;
using content::SourceItem;

SourceItem source_of(Transaction& t, const ItemId& item) {
  return t->find<SourceItem>(item).value_or(SourceItem{item, "", "", std::nullopt});
}

/// Writes the item's row, and tells of it, when something that people see has changed.
void update_metadata(Transaction& t, const Item& before, Item item) {
  item.last_sync_time = t.wall_time();
  const bool changed = item.name != before.name || item.description != before.description || item.type != before.type ||
                       item.metadata_version != before.metadata_version;
  if (!changed) {
    t->update(item);
    return;
  }
  ++item.version;
  item.last_modified_time = t.wall_time();
  t->update(item);
  auto details = changes_between(before, item);
  if (item.type != before.type) details.push_back({"type", item.type});
  record(t, content::EventKind::item_updated, item, std::move(details));
}

/// A name that no item here can have, because the publisher's names are shorter; never seen outside of one change.
void park(Transaction& t, Item item) {
  item.name = std::string(1, '\x7F') + item.id.text();
  t->update(item);
}

/// An item whose name is needed, and what it is to become.
struct Displaced {
  Item before;
  vcsp::Item wanted;
};

/// The items of the library that have to take their own new names before `name` is free. `self`, which may be empty, is
/// who takes it, and gives up its own. AlreadyExists: one of them is to keep its name.
Result<std::vector<Displaced>> find_in_the_way(View view, const Library& library, const std::string& name,
                                               const ItemId& self) {
  std::vector<Displaced> found;
  std::set<std::string, std::less<>> wanted_names;
  for (auto next = name;;) {
    if (!wanted_names.insert(next).second) return name_taken(name, library);
    const auto holder_id = view->item_named(library.id, next);
    if (!holder_id || *holder_id == self) return found;
    auto holder = view->find<Item>(*holder_id);
    const auto source = view->find<SourceItem>(*holder_id);
    if (!holder || !source) return name_taken(name, library);
    QUIRE_ASSIGN_OR_RETURN(auto wanted, read_stored(source->document));
    if (wanted.name == next) return name_taken(name, library);
    next = wanted.name;
    found.push_back({*std::move(holder), std::move(wanted)});
  }
}

void rename_all(Transaction& t, const std::vector<Displaced>& displaced) {
  for (const auto& one : displaced) park(t, one.before);
  for (const auto& one : displaced) {
    auto renamed = one.before;
    set_metadata(renamed, one.wanted, t.context().limits);
    update_metadata(t, one.before, renamed);
  }
}

/// The row of `item` gets what `wanted` says of it. Nothing has changed after an Error.
Result<Item> take_metadata(Transaction& t, const Library& library, const Item& item, const vcsp::Item& wanted) {
  if (wanted.name != item.name) {
    QUIRE_ASSIGN_OR_RETURN(const auto displaced, find_in_the_way(t, library, wanted.name, item.id));
    if (!displaced.empty()) park(t, item);
    rename_all(t, displaced);
  }
  auto changed = item;
  set_metadata(changed, wanted, t.context().limits);
  update_metadata(t, item, changed);
  return *t->find<Item>(item.id);
}

Item new_synced_item(const Transaction& t, const Library& library, const vcsp::Item& wanted) {
  auto item = new_item(t, library.id);
  item.metadata_version = 0;
  set_metadata(item, wanted, t.context().limits);
  item.creator.clear();
  item.cached = false;
  item.last_sync_time = t.wall_time();
  return item;
}

/// A new item may take `name` after this, as find_in_the_way().
Result<void> make_way_for(Transaction& t, const Library& library, const std::string& name) {
  QUIRE_ASSIGN_OR_RETURN(const auto displaced, find_in_the_way(t, library, name, ItemId()));
  rename_all(t, displaced);
  return {};
}

/// Files that are new copies get their versions: after that of the file `stored` with that name, else `first`.
void number_new_files(SyncedContent& content, const std::vector<content::ContentFile>& stored, std::int64_t first) {
  for (auto& file : content.files) {
    if (file.version != SyncedContent::new_copy) continue;
    const auto before = std::ranges::find(stored, file.name, &content::ContentFile::name);
    file.version = before == stored.end() ? first : before->version + 1;
  }
}

/// A first synchronization makes thousands of items, so each row of theirs is written once.
Result<void> create_with_synced_content(Transaction& t, const Library& library, const SourceDocument& document,
                                        SyncedContent content) {
  QUIRE_RETURN_IF_ERROR(make_way_for(t, library, document.item.name));
  const auto item = new_synced_item(t, library, document.item);
  number_new_files(content, {}, 1);
  create_with_content(t, item,
                      {std::move(content.files), content.certificate_verification, t.caller().user,
                       told_content_version(document.item)});
  t->put(SourceItem{item.id, document.text, document.text, std::nullopt});
  return {};
}

/// Downloads that wait for the item's content have it now.
void hand_out(Transaction& t, const ItemId& id) {
  const auto item = t->find<Item>(id);
  for (const auto& session_id : t->download_sessions("", id)) {
    auto session = t->find<content::DownloadSession>(session_id);
    if (!item || !session || !session->awaits_content || session->state != content::DownloadSessionState::ACTIVE)
      continue;
    session->awaits_content = false;
    session->content = item->content;
    session->item_content_version = item->content_version;
    t->update(*session);
  }
}

}  // namespace

Result<Library> find_synced_library(View view, const content::LibraryId& id, const content::SourceUrl& url) {
  QUIRE_ASSIGN_OR_RETURN(auto library, find_library(view, id, content::Privilege::System_Read));
  QUIRE_RETURN_IF_ERROR(check_in_service(library));
  if (library.subscription && library.subscription->url == url) return library;
  return Error(ErrorKind::canceled, "quire.subscription.changed",
               "Library {name} follows another publisher since this synchronization began.", {{"name", library.name}});
}

void store_document(Transaction& t, const ItemId& id, const SourceDocument& document) {
  auto source = source_of(t, id);
  auto item = t->find<Item>(id);
  // What is not here gets its version now: nothing of it is left to tell later whether the content is another one.
  if (item && !item->cached) {
    const auto before = read_stored(source.document);
    if (!before || !are_same_files(*before, document.item)) {
      item->content_version = next_content_version(*item, document.item);
      t->update(*item);
    }
  }
  source.document = document.text;
  t->put(source);
}

Result<void> apply_document(Transaction& t, const Library& library, const ItemId& id) {
  const auto item = t->find<Item>(id);
  if (!item) return {};
  auto source = source_of(t, id);
  QUIRE_ASSIGN_OR_RETURN(const auto wanted, read_stored(source.document));
  QUIRE_ASSIGN_OR_RETURN(auto changed, take_metadata(t, library, *item, wanted));
  bool same_content = false;
  if (!source.content_document.empty()) {
    QUIRE_ASSIGN_OR_RETURN(const auto before, read_stored(source.content_document));
    same_content = are_same_files(before, wanted);
  }
  if (same_content) {
    source.content_document = source.document;
    source.problem.reset();
  } else if (library.subscription->on_demand) {
    source.content_document.clear();
    source.problem.reset();
    if (changed.cached) {
      changed.content_version = next_content_version(changed, wanted);
      evict_content(t, changed);
    }
  }
  t->put(source);
  return {};
}

Result<ItemId> create_item(Transaction& t, const Library& library, const SourceDocument& document) {
  QUIRE_RETURN_IF_ERROR(make_way_for(t, library, document.item.name));
  auto item = new_synced_item(t, library, document.item);
  item.content_version = told_content_version(document.item);
  t->insert(item);
  t->put(SourceItem{item.id, document.text, "", std::nullopt});
  record(t, content::EventKind::item_created, item, {{"name", item.name}});
  return item.id;
}

Result<void> apply_content(Transaction& t, const Library& library, const SourceDocument& document,
                           SyncedContent content) {
  auto item = find_by_source(t, library.id, document.item.id);
  if (!item) return create_with_synced_content(t, library, document, std::move(content));
  store_document(t, item->id, document);
  QUIRE_ASSIGN_OR_RETURN(item, take_metadata(t, library, *t->find<Item>(item->id), document.item));
  if (item->cached) item->content_version = next_content_version(*item, document.item);
  const auto stored = files_of(t, *item);
  number_new_files(content, stored, item->cached ? 1 : version_to_come(t, *item));
  change_content(t, *item,
                 {std::move(content.files), content.certificate_verification, t.caller().user, item->content_version});
  t->put(SourceItem{item->id, document.text, document.text, std::nullopt});
  hand_out(t, item->id);
  return {};
}

std::optional<Item> find_by_source(View view, const content::LibraryId& library, const std::string& source_id) {
  content::ItemFilter filter;
  filter.library_id = library;
  filter.source_id = source_id;
  const auto found = view->items(filter);
  return found.empty() ? std::nullopt : view->find<Item>(found.front());
}

void store_problem(Transaction& t, const ItemId& item, const base::Message& problem) {
  auto source = source_of(t, item);
  if (source.problem == problem) return;
  source.problem = problem;
  t->put(source);
}

}  // namespace quire::service
