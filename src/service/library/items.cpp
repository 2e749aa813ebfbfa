#include "service/library/items.h"

#include <charconv>

#include "base/uri.h"
#include "content/security_policy.h"
#include "service/blob/blob_bytes.h"
#include "service/library/announced_files.h"
#include "service/library/item_content.h"
#include "service/library/item_creation.h"
#include "service/library/library_rules.h"
#include "service/session/session_access.h"
#include "service/transaction/create_once.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Blob;
using content::BlobId;
using content::Caller;
using content::ContentFile;
using content::ContentId;
using content::EventKind;
using content::Item;
using content::ItemId;
using content::Library;
using content::LibraryId;
using content::Privilege;

/// An item that its users may change, with its library.
Result<Item> find_local_item(View view, const ItemId& id, Privilege privilege) {
  QUIRE_ASSIGN_OR_RETURN(auto item, find_item(view, id, privilege));
  QUIRE_ASSIGN_OR_RETURN(const auto library, library_of(view, item));
  QUIRE_RETURN_IF_ERROR(check_local(library));
  QUIRE_RETURN_IF_ERROR(check_in_service(library));
  return item;
}

Error file_not_found(const ItemId& id, const std::string& name) {
  return {ErrorKind::not_found,
          "quire.item.file_not_found",
          "Item {library_item_id} has no file named {name}.",
          {{"library_item_id", id.text()}, {"name", name}}};
}

StoredFile stored(const Library& library, const Item& item, const content::Storage* storage, const ContentFile& file,
                  const std::string& uri) {
  // Clients build datastore paths from the last segment and from the prefix of summary.url (wire-protocols.md §4.8,
  // §5.1).
  if (library.backing.type == content::StorageBackingType::DATASTORE && storage != nullptr)
    return {file, library.backing,
            storage->url() + "contentlib-" + library.id.text() + "/" + item.id.text() + "/" +
                base::percent_encode_path(file.name)};
  return {file, library.backing, uri};
}

}  // namespace

Result<ItemId> Items::create(const Caller& caller, const ItemSpec& spec,
                             const std::optional<std::string>& client_token) {
  if (!spec.library_id) return missing_member("create_spec.library_id");
  const LibraryId library_id(*spec.library_id);
  const Creation creation{
      "com.vmware.content.library.item.create", client_token, digest_of(spec, ""), [&](Transaction& t) -> Result<void> {
        QUIRE_RETURN_IF_ERROR(find_library(t, library_id, Privilege::ContentLibrary_AddLibraryItem));
        return {};
      }};
  QUIRE_ASSIGN_OR_RETURN(const auto created,
                         create_once(context_, caller, creation, [&](Transaction& t) -> Result<std::string> {
                           QUIRE_RETURN_IF_ERROR(find_library(t, library_id, Privilege::ContentLibrary_AddLibraryItem));
                           if (!spec.name) return missing_member("create_spec.name");
                           QUIRE_RETURN_IF_ERROR(check_texts(spec, context_.limits));
                           QUIRE_RETURN_IF_ERROR(find_destination(t, library_id, *spec.name));
                           QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
                           Item item = new_item(t, library_id);
                           item.name = *spec.name;
                           item.description = spec.description.value_or("");
                           item.type = spec.type.value_or("");
                           item.source_id = spec.source_id;
                           t->insert(item);
                           record(t, EventKind::item_created, item, {{"name", item.name}});
                           return item.id.text();
                         }));
  return ItemId(created.id);
}

Result<std::vector<ItemId>> Items::list(const Caller& caller, const LibraryId& library) {
  return read(context_, caller, [&](View view) -> Result<std::vector<ItemId>> {
    QUIRE_RETURN_IF_ERROR(find_library(view, library, Privilege::System_Read));
    content::ItemFilter filter;
    filter.library_id = library;
    filter.among = &caller.grants->readable_items();
    return view->items(filter);
  });
}

Result<std::vector<ItemSummary>> Items::summaries(const Caller& caller, const LibraryId& library) {
  return read(context_, caller, [&](View view) -> Result<std::vector<ItemSummary>> {
    QUIRE_RETURN_IF_ERROR(find_library(view, library, Privilege::System_Read));
    content::ItemFilter filter;
    filter.library_id = library;
    filter.among = &caller.grants->readable_items();
    const auto now = context_.leases.now();
    std::vector<ItemSummary> summaries;
    for (const auto& id : view->items(filter))
      if (auto item = view->find<Item>(id)) {
        auto session = view->active_update_session(id);
        if (session && has_expired(*session, now)) session.reset();
        if (session) session->created = context_.leases.shown(session->created);
        summaries.push_back({*std::move(item), std::move(session)});
      }
    return summaries;
  });
}

Result<std::vector<ItemId>> Items::find(const Caller& caller, const content::ItemFilter& filter) {
  if (!filter.name && !filter.library_id && !filter.source_id && !filter.type && !filter.cached)
    return Error(ErrorKind::invalid_argument, "quire.item.find_without_property",
                 "The find specification is empty; give at least one of name, library_id, source_id, type and cached.");
  auto readable = filter;
  readable.among = &caller.grants->readable_items();
  return read(context_, caller, [&](View view) -> Result<std::vector<ItemId>> { return view->items(readable); });
}

Result<Item> Items::get(const Caller& caller, const ItemId& id) {
  return read(context_, caller, [&](View view) { return find_item(view, id, Privilege::System_Read); });
}

Result<void> Items::update(const Caller& caller, const ItemId& id, const ItemSpec& spec) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto item, find_local_item(t, id, Privilege::ContentLibrary_UpdateLibraryItem));
    QUIRE_RETURN_IF_ERROR(check_texts(spec, context_.limits));
    if (spec.version && *spec.version != std::to_string(item.version))
      return Error(ErrorKind::invalid_argument, "quire.item.stale_version",
                   "Item {name} has version {current} now, not {given}; read it again and repeat the change.",
                   {{"name", item.name}, {"current", item.version}, {"given", *spec.version}});
    Item changed = item;
    if (spec.name && *spec.name != item.name) {
      QUIRE_ASSIGN_OR_RETURN(const auto library, library_of(t, item));
      if (t->item_named(item.library_id, *spec.name)) return name_taken(*spec.name, library);
      changed.name = *spec.name;
    }
    if (spec.description) changed.description = *spec.description;
    if (spec.type) changed.type = *spec.type;
    if (changed == item) return {};
    if (const auto library = t->find<Library>(item.library_id)) content::apply_policy(*library, changed);
    ++changed.version;
    ++changed.metadata_version;
    changed.last_modified_time = t.wall_time();
    t->update(changed);
    auto details = changes_between(item, changed);
    if (changed.type != item.type) details.push_back({"type", changed.type});
    record(t, EventKind::item_updated, changed, std::move(details));
    return {};
  });
}

Result<void> Items::remove(const Caller& caller, const ItemId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto item, find_local_item(t, id, Privilege::ContentLibrary_DeleteLibraryItem));
    QUIRE_ASSIGN_OR_RETURN(const auto library, library_of(t, item));
    if (library.usage_protects_items) QUIRE_RETURN_IF_ERROR(check_unused(t, library));
    remove_item_with_sessions(t, item);
    return {};
  });
}

Result<std::vector<ContentFile>> Items::files(const Caller& caller, const ItemId& id) {
  return read(context_, caller, [&](View view) -> Result<std::vector<ContentFile>> {
    QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(view, id, Privilege::System_Read));
    return item.cached ? files_of(view, item) : announced_files(view, item);
  });
}

Result<ContentFile> Items::file(const Caller& caller, const ItemId& id, const std::string& name) {
  return read(context_, caller, [&](View view) -> Result<ContentFile> {
    QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(view, id, Privilege::System_Read));
    if (auto file = view->find<ContentFile>({item.content, name})) return *std::move(file);
    for (auto& file : announced_files(view, item))
      if (file.name == name) return std::move(file);
    return file_not_found(id, name);
  });
}

Result<std::vector<StoredFile>> Items::stored_files(const Caller& caller, const ItemId& id) {
  struct Found {
    std::vector<StoredFile> files;
    std::vector<Blob> blobs;
  };
  QUIRE_ASSIGN_OR_RETURN(
      auto found, read(context_, caller, [&](View view) -> Result<Found> {
        QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(view, id, Privilege::ContentLibrary_ReadStorage));
        QUIRE_ASSIGN_OR_RETURN(const auto library, library_of(view, item));
        // Paths on a datastore are below the library's, wherever the bytes are.
        const auto* backing = context_.storages.find(library.storage);
        Found all;
        for (const auto& file : files_of(view, item)) {
          auto blob = view->find<Blob>(file.blob);
          const auto* storage = blob ? context_.storages.find(blob->storage) : nullptr;
          all.files.push_back(
              stored(library, item, backing, file, storage == nullptr ? "" : storage->blobs->uri(file.blob)));
          if (blob) all.blobs.push_back(*std::move(blob));
        }
        return all;
      }));
  QUIRE_RETURN_IF_ERROR(move_to_storage(context_, found.blobs));
  return std::move(found.files);
}

Result<StoredFile> Items::stored_file(const Caller& caller, const ItemId& id, const std::string& name) {
  QUIRE_ASSIGN_OR_RETURN(const auto all, stored_files(caller, id));
  for (const auto& file : all)
    if (file.file.name == name) return file;
  return file_not_found(id, name);
}

Result<std::vector<content::Change>> Items::changes(const Caller& caller, const ItemId& id) {
  return read(context_, caller, [&](View view) -> Result<std::vector<content::Change>> {
    QUIRE_RETURN_IF_ERROR(find_item(view, id, Privilege::System_Read));
    return view->list<content::Change>(id);
  });
}

Result<content::Change> Items::change(const Caller& caller, const ItemId& id, const std::string& version) {
  return read(context_, caller, [&](View view) -> Result<content::Change> {
    QUIRE_RETURN_IF_ERROR(find_item(view, id, Privilege::System_Read));
    std::int64_t number = 0;
    std::from_chars(version.data(), version.data() + version.size(), number);
    if (auto change = view->find<content::Change>({id, number}); change && std::to_string(number) == version)
      return *std::move(change);
    return Error(ErrorKind::not_found, "quire.item.change_not_found",
                 "The history of item {library_item_id} has no content version {version}.",
                 {{"library_item_id", id.text()}, {"version", version}});
  });
}

void remove_item_with_sessions(Transaction& t, const Item& item) {
  for (const auto& id : t->update_sessions("", item.id))
    if (const auto session = t->find<content::UpdateSession>(id)) discard_session(t, *session, "deleted with its item");
  Item emptied = item;
  emptied.content = ContentId();
  t->update(emptied);
  for (const auto& id : t->download_sessions("", item.id))
    if (const auto session = t->find<content::DownloadSession>(id))
      discard_session(t, *session, "deleted with its item");
  t.release(item.content);
  record(t, EventKind::item_deleted, item, {{"name", item.name}});
  t->remove_attachments_of_object(content::item_object_type, item.id.text());
  t->remove<Item>(item.id);
}

}  // namespace quire::service
