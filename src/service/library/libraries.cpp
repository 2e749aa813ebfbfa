#include "service/library/libraries.h"

#include <algorithm>

#include "service/library/library_change.h"
#include "service/library/library_placement.h"
#include "service/library/library_rules.h"
#include "service/library/publishing.h"
#include "service/library/sync_request.h"
#include "service/task/tasks.h"
#include "service/transaction/create_once.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::EventKind;
using content::Library;
using content::LibraryId;
using content::Privilege;

content::LibraryFilter of_type(content::LibraryType type) {
  content::LibraryFilter filter;
  filter.type = type;
  return filter;
}

/// Items are being changed, or the bytes of the library are moving.
bool is_being_changed(View view, const Library& library, std::size_t tasks_max) {
  if (library.migration || active_sync_of(view, library.id)) return true;
  for (const auto& item : items_of(view, library.id))
    if (view->active_update_session(item)) return true;
  for (const auto& id : view->due_tasks(base::Time::max(), tasks_max)) {
    const auto task = view->find<content::Task>(id);
    const auto item = task ? view->find<content::Item>(content::ItemId(task->target)) : std::nullopt;
    if (item && item->library_id == library.id) return true;
  }
  return false;
}

void change_state(Transaction& t, const Library& library, content::LibraryState state) {
  Library changed = library;
  changed.state = state;
  t->update(changed);
  record(t, EventKind::library_updated, changed,
         {{"name", changed.name}, {"state", std::string(base::name_of(state))}});
}

/// Those of the libraries that the caller may read.
Result<std::vector<LibraryId>> readable(Context& context, const Caller& caller, content::LibraryFilter filter) {
  filter.among = &caller.grants->readable_libraries();
  return read(context, caller, [&](View view) -> Result<std::vector<LibraryId>> { return view->libraries(filter); });
}

std::string digest_of(const LibrarySpec& spec) {
  auto parts = digested_parts(spec);
  if (const auto& publish = spec.publish) {  // without passwords: what is stored of them is slow to compute
    parts.emplace_back(publish->published.value_or(false) ? "published" : "unpublished");
    if (publish->authentication_method) parts.emplace_back(base::name_of(*publish->authentication_method));
    if (publish->persist_json_enabled) parts.emplace_back(*publish->persist_json_enabled ? "persisted" : "served");
  }
  return spec_digest(parts);
}

}  // namespace

Result<std::vector<LibraryId>> Libraries::list(const Caller& caller) { return readable(context_, caller, {}); }

Result<std::vector<LibrarySummary>> Libraries::summaries(const Caller& caller, const std::optional<LibraryId>& only) {
  return read(context_, caller, [&](View view) -> Result<std::vector<LibrarySummary>> {
    std::vector<LibraryId> ids;
    if (only) {
      QUIRE_RETURN_IF_ERROR(find_library(view, *only, Privilege::System_Read));
      ids = {*only};
    } else {
      content::LibraryFilter filter;
      filter.among = &caller.grants->readable_libraries();
      ids = view->libraries(filter);
    }
    std::vector<LibrarySummary> summaries;
    summaries.reserve(ids.size());
    for (const auto& id : ids) {
      auto library = view->find<Library>(id);
      if (!library) continue;
      LibrarySummary summary{*std::move(library)};
      content::ItemFilter in_library;
      in_library.library_id = id;
      in_library.among = &caller.grants->readable_items();
      for (const auto& item_id : view->items(in_library)) {
        ++summary.items;
        if (const auto item = view->find<content::Item>(item_id)) summary.bytes += item->size;
      }
      summaries.push_back(std::move(summary));
    }
    return summaries;
  });
}

Result<std::vector<LibraryId>> Libraries::list_local(const Caller& caller) {
  return readable(context_, caller, of_type(content::LibraryType::LOCAL));
}

Result<std::vector<LibraryId>> Libraries::list_subscribed(const Caller& caller) {
  return readable(context_, caller, of_type(content::LibraryType::SUBSCRIBED));
}

Result<Library> Libraries::get(const Caller& caller, const LibraryId& id) {
  return read(context_, caller, [&](View view) { return find_library(view, id, Privilege::System_Read); });
}

Result<Library> Libraries::get_local(const Caller& caller, const LibraryId& id) {
  return read(context_, caller, [&](View view) { return find_local_library(view, id, Privilege::System_Read); });
}

Result<Library> Libraries::get_subscribed(const Caller& caller, const LibraryId& id) {
  return read(context_, caller, [&](View view) { return find_subscribed_library(view, id, Privilege::System_Read); });
}

Result<std::vector<LibraryId>> Libraries::find(const Caller& caller, const content::LibraryFilter& filter) {
  if (!filter.name && !filter.type && !filter.backing)
    return Error(ErrorKind::invalid_argument, "quire.library.find_without_property",
                 "The find specification is empty; give at least one of name, type and storage_backing.");
  if (filter.backing) QUIRE_RETURN_IF_ERROR(check_complete(*filter.backing));
  return readable(context_, caller, filter);
}

Result<LibraryId> Libraries::create_local(const Caller& caller, const LibrarySpec& spec,
                                          const std::optional<std::string>& client_token) {
  for (const auto privilege : {Privilege::ContentLibrary_CreateLocalLibrary, Privilege::Datastore_AllocateSpace})
    QUIRE_RETURN_IF_ERROR(check_privilege(caller, privilege));
  if (!spec.name)
    return Error(ErrorKind::invalid_argument, "quire.library.no_name",
                 "A new library needs a name: create_spec.name is missing.");
  QUIRE_RETURN_IF_ERROR(check_values(spec, context_.limits));
  std::optional<PublishingChange> publishing;
  if (spec.publish) {
    QUIRE_ASSIGN_OR_RETURN(publishing, plan_publishing(context_, throttle_, caller, Library(), *spec.publish));
  }
  QUIRE_ASSIGN_OR_RETURN(const auto placement, place(spec, context_.storages));
  const Creation creation{"com.vmware.content.local_library.create", client_token, digest_of(spec)};
  QUIRE_ASSIGN_OR_RETURN(const auto created,
                         create_once(context_, caller, creation, [&](Transaction& t) -> Result<std::string> {
                           QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
                           auto library = new_library(t, spec);
                           library.backing = placement.backing;
                           library.storage = placement.storage;
                           if (publishing) QUIRE_RETURN_IF_ERROR(apply_publishing(*publishing, library));
                           QUIRE_RETURN_IF_ERROR(check_can_persist(library, library.storage, context_.storages));
                           t->insert(library);
                           record(t, EventKind::library_created, library, {{"name", library.name}});
                           record_publishing(t, Library(), library);
                           return library.id.text();
                         }));
  return LibraryId(created.id);
}

Result<void> Libraries::update(const Caller& caller, const LibraryId& id, const LibrarySpec& spec) {
  return change(caller, id, spec, ErrorKind::invalid_argument, false);
}

Result<void> Libraries::update_local(const Caller& caller, const LibraryId& id, const LibrarySpec& spec) {
  return change(caller, id, spec, ErrorKind::concurrent_change, true);
}

Result<void> Libraries::change(const Caller& caller, const LibraryId& id, const LibrarySpec& spec,
                               ErrorKind stale_version, bool local_only) {
  std::optional<PublishingChange> publishing;
  if (local_only && spec.publish) {  // publish_info does not belong to library.update (§4.1)
    QUIRE_ASSIGN_OR_RETURN(const auto library, read(context_, caller, [&](View view) {
                             return find_local_library(view, id, Privilege::ContentLibrary_UpdateLocalLibrary);
                           }));
    QUIRE_ASSIGN_OR_RETURN(publishing, plan_publishing(context_, throttle_, caller, library, *spec.publish));
  }
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library,
                           local_only ? find_local_library(t, id, Privilege::ContentLibrary_UpdateLocalLibrary)
                                      : find_library(t, id, Privilege::ContentLibrary_UpdateLibrary));
    QUIRE_RETURN_IF_ERROR(check_values(spec, context_.limits));
    QUIRE_ASSIGN_OR_RETURN(auto changed, changed_by(spec, library, stale_version));
    if (publishing) {
      QUIRE_RETURN_IF_ERROR(apply_publishing(*publishing, changed));
      QUIRE_RETURN_IF_ERROR(check_can_persist(changed, changed.receiving_storage(), context_.storages));
    }
    const bool seen_by_subscribers = changed.name != library.name || changed.description != library.description;
    if (library.published && changed.published && seen_by_subscribers) ++changed.generation;
    EventDetails details;
    if (changed.publish_password_hash != library.publish_password_hash)
      details.push_back(
          {"publish_password", std::string(changed.publish_password_hash.empty() ? "removed" : "changed")});
    if (changed.persist_json != library.persist_json)
      details.push_back({"persist_json_enabled", std::string(changed.persist_json ? "true" : "false")});
    write_change(t, library, changed, std::move(details));
    record_publishing(t, library, changed);
    return {};
  });
}

Result<void> Libraries::remove(const Caller& caller, const LibraryId& id, Deletion deletion) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(t, id, Privilege::ContentLibrary_DeleteLibrary));
    QUIRE_RETURN_IF_ERROR(check_in_service(library));
    if (deletion == Deletion::unless_used) QUIRE_RETURN_IF_ERROR(check_unused(t, library));
    remove_with_items(t, library);
    return {};
  });
}

Result<void> Libraries::remove_local(const Caller& caller, const LibraryId& id, Deletion deletion) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_local_library(t, id, Privilege::ContentLibrary_DeleteLocalLibrary));
    QUIRE_RETURN_IF_ERROR(check_in_service(library));
    if (deletion == Deletion::unless_used) QUIRE_RETURN_IF_ERROR(check_unused(t, library));
    remove_with_items(t, library);
    return {};
  });
}

Result<void> Libraries::migrate(const Caller& caller, const LibraryId& id,
                                const std::vector<content::StorageBacking>& target) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto library, find_library(t, id, Privilege::ContentLibrary_MigrateLibrary));
    QUIRE_ASSIGN_OR_RETURN(const auto placement, place(target, context_.storages));
    if (library.migration)
      return Error(ErrorKind::not_allowed_in_current_state, "quire.library.being_migrated",
                   "Library {name} is being moved to storage {storage}; wait until that task has ended, or cancel it.",
                   {{"name", library.name}, {"storage", library.migration->storage.text()}});
    const auto all_there = [&] {
      const auto items = items_of(t, id);
      return std::ranges::all_of(items,
                                 [&](const auto& item) { return t->blobs_elsewhere(item, placement.storage).empty(); });
    };
    if (library.storage == placement.storage && all_there())
      return Error(ErrorKind::already_in_desired_state, "quire.library.is_there",
                   "Library {name} has storage {storage} already.",
                   {{"name", library.name}, {"storage", placement.storage.text()}});
    QUIRE_RETURN_IF_ERROR(check_can_persist(library, placement.storage, context_.storages));
    library.migration = content::Migration{placement.backing, placement.storage};
    t->update(library);
    QUIRE_RETURN_IF_ERROR(add_task(
        t, {library_service, "migrate", "com.vmware.content.Library", id.text(),
            base::make_message("quire.task.library_migration", "Migration of library {name} to storage {storage}",
                               {{"name", library.name}, {"storage", placement.storage.text()}})}));
    return {};
  });
}

Result<void> Libraries::enter_maintenance(const Caller& caller, const LibraryId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(t, id, Privilege::ContentLibrary_LibraryMaintenance));
    QUIRE_RETURN_IF_ERROR(check_in_service(library));
    if (is_being_changed(t, library, context_.limits.tasks_active_max))
      return Error(ErrorKind::not_allowed_in_current_state, "quire.library.being_changed",
                   "Library {name} is being changed: by a migration, a copy, a synchronization or an update session. "
                   "End those first.",
                   {{"name", library.name}});
    change_state(t, library, content::LibraryState::MAINTENANCE);
    return {};
  });
}

Result<void> Libraries::exit_maintenance(const Caller& caller, const LibraryId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(t, id, Privilege::ContentLibrary_LibraryMaintenance));
    if (library.state != content::LibraryState::MAINTENANCE)
      return Error(ErrorKind::not_allowed_in_current_state, "quire.library.not_in_maintenance",
                   "Library {name} is not in maintenance.", {{"name", library.name}});
    change_state(t, library, content::LibraryState::ACTIVE);
    return {};
  });
}

}  // namespace quire::service
