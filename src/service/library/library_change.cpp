#include "service/library/library_change.h"

#include <utility>

#include "content/security_policy.h"
#include "content/text.h"
#include "service/library/items.h"
#include "service/transaction/events.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::EventKind;
using content::Library;
using content::LibraryId;

namespace {

/// Items that are there, by the library's new policy (§23.10).
void judge_items(Transaction& t, const Library& library) {
  content::ItemFilter filter;
  filter.library_id = library.id;
  for (const auto& id : t->items(filter)) {
    const auto item = t->find<content::Item>(id);
    if (!item) continue;
    auto judged = *item;
    content::apply_new_policy(library, judged);
    if (judged == *item) continue;
    t->update(judged);
    record(t, EventKind::item_updated, judged,
           {{"name", judged.name}, {"security_compliance", judged.security_compliance ? "true" : "false"}});
  }
}

}  // namespace

Result<void> check_values(const LibrarySpec& spec, const content::Limits& limits) {
  const auto& policy = spec.security_policy_id;
  if (policy && !spec.unset_security_policy && content::find_security_policy(*policy) == nullptr)
    return Error(ErrorKind::invalid_argument, "quire.library.unknown_security_policy",
                 "There is no security policy {security_policy_id}; security_policies.list says which there are.",
                 {{"security_policy_id", *policy}});
  if (spec.name) QUIRE_RETURN_IF_ERROR(content::check_name("name", *spec.name, limits.name_chars_max));
  if (spec.description) return content::check_text("description", *spec.description, limits.description_chars_max);
  return {};
}

Result<Library> changed_by(const LibrarySpec& spec, const Library& library, ErrorKind stale_version) {
  if (spec.version && *spec.version != std::to_string(library.version))
    return Error(stale_version, "quire.library.stale_version",
                 "Library {name} has version {current} now, not {given}; read it again and repeat the change.",
                 {{"name", library.name}, {"current", library.version}, {"given", *spec.version}});
  Library changed = library;
  if (spec.name) changed.name = *spec.name;
  if (spec.description) changed.description = *spec.description;
  if (spec.security_policy_id) changed.security_policy_id = spec.security_policy_id;
  if (spec.unset_security_policy) changed.security_policy_id.reset();
  changed.usage_protects_items = spec.usage_protects_items.value_or(library.usage_protects_items);
  return changed;
}

void write_change(Transaction& t, const Library& before, Library changed, EventDetails details) {
  if (changed == before) return;
  ++changed.version;
  changed.last_modified_time = t.wall_time();
  t->update(changed);
  auto all = changes_between(before, changed);
  if (changed.security_policy_id != before.security_policy_id) {
    all.push_back({"security_policy_id", changed.security_policy_id.value_or("")});
    judge_items(t, changed);
  }
  for (auto& detail : details) all.push_back(std::move(detail));
  record(t, EventKind::library_updated, changed, std::move(all));
}

void remove_with_items(Transaction& t, const Library& library) {
  for (const auto& id : items_of(t, library.id))
    if (const auto item = t->find<content::Item>(id)) remove_item_with_sessions(t, *item);
  if (library.subscription)  // what is being fetched would come for nothing; other tasks find out soon
    for (auto& task : t->active_tasks_on(library.id.text())) {
      task.cancel_requested = true;
      t->update(task);
    }
  content::PermissionFilter permissions;
  permissions.library = library.id;
  t->remove_permissions(permissions);
  t->remove_attachments_of_object(content::library_object_type, library.id.text());
  t->remove<content::Quota>(content::QuotaOwner::of_library(library.id));
  t->remove<Library>(library.id);
  record(t, EventKind::library_deleted, library, {{"name", library.name}});
}

Library new_library(const Transaction& t, const LibrarySpec& spec) {
  Library library;
  library.id = LibraryId(t.context().identities.uuid_made_at(t.wall_time()));
  library.name = spec.name.value_or("");
  library.description = spec.description.value_or("");
  library.creation_time = t.wall_time();
  library.last_modified_time = library.creation_time;
  library.optimize_remote_publishing = spec.optimize_remote_publishing.value_or(false);
  if (!spec.unset_security_policy) library.security_policy_id = spec.security_policy_id;
  library.usage_protects_items = spec.usage_protects_items.value_or(false);
  return library;
}

std::vector<std::optional<std::string>> digested_parts(const LibrarySpec& spec) {
  std::vector<std::optional<std::string>> parts = {spec.name, spec.description};
  if (spec.optimize_remote_publishing) parts.emplace_back(*spec.optimize_remote_publishing ? "optimized" : "plain");
  if (spec.usage_protects_items) parts.emplace_back(*spec.usage_protects_items ? "protected" : "unprotected");
  for (const auto& backing : spec.storage_backings.value_or(std::vector<content::StorageBacking>())) {
    parts.push_back(backing.datastore_id);
    parts.push_back(backing.storage_uri);
  }
  if (spec.security_policy_id) parts.push_back(spec.security_policy_id);
  return parts;
}

std::vector<content::ItemId> items_of(View view, const LibraryId& library) {
  content::ItemFilter filter;
  filter.library_id = library;
  return view->items(filter);
}

}  // namespace quire::service
