#include "service/library/item_copy.h"

#include <algorithm>
#include <map>

#include "content/security_policy.h"
#include "service/blob/blob_copy.h"
#include "service/library/item_content.h"
#include "service/library/item_creation.h"
#include "service/library/sync_request.h"
#include "service/transaction/create_once.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

// Copies of items. Within a storage they name the same bytes; to another one the bytes are copied, before the call
// returns when they are few, else by a task.

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Blob;
using content::BlobId;
using content::Caller;
using content::Item;
using content::ItemId;
using content::LibraryId;
using content::Privilege;
using content::Task;

constexpr auto item_service = "com.vmware.content.library.item";
constexpr auto copy_operation = "copy";
constexpr std::string_view changed_id = "quire.item.changed_while_copied";
constexpr int attempts_in_call = 3;

/// Copies for a transaction to adopt. On an Error nothing is left; `moved`: it came because a blob is gone.
using Copies = std::map<BlobId, ArrivedBlob>;
Result<Copies> copy_blobs(Context& context, const std::map<BlobId, Blob>& missing, const content::Storage& target,
                          bool& moved) {
  Copies copies;
  std::vector<Blob> made;
  for (const auto& [id, blob] : missing) {
    auto copy = copy_of(context, blob, target);
    if (!copy) {
      moved = is_blob_gone(context, copy.error(), blob);
      remove_bytes(context, made);
      return copy.error();
    }
    made.push_back(copy->blob);
    copies.emplace(id, *std::move(copy));
  }
  return copies;
}

Error against_policy(const content::Library& library, const Item& item) {
  return {ErrorKind::not_allowed_in_current_state,
          "quire.item.against_policy",
          "Library {library} takes only packages with a verified signature, which item {name} has not.",
          {{"library", library.name}, {"name", item.name}}};
}

/// One try to make the copy, with the bytes that have been copied for it. ResourceInaccessible with changed_id: they
/// are not the right ones any more.
struct CopyInCall {
  Context& context;
  const Caller& caller;
  const ItemId& source;
  const ItemSpec& destination;
  const std::optional<std::string>& client_token;
  const Copies& copies;

  Result<std::string> make(Transaction& t) const {
    QUIRE_ASSIGN_OR_RETURN(const auto from, find_item(t, source, Privilege::System_Read));
    const std::string name = destination.name.value_or(from.name);
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_destination(t, LibraryId(*destination.library_id), name));
    if (is_being_copied(t, from))
      return Error(ErrorKind::not_allowed_in_current_state, "quire.item.being_copied",
                   "Item {name} is a copy that has not got its content yet; wait until its task has ended.",
                   {{"name", from.name}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context));
    auto placed = place_files(t, files_of(t, from), library.receiving_storage());
    const bool as_task = !from.cached || placed.missing_bytes() > context.settings.copy_in_call_bytes_max;
    if (!as_task) QUIRE_RETURN_IF_ERROR(adopt_copies(t, from, placed));
    Item item = new_item(t, library.id);
    item.name = name;
    item.description = destination.description.value_or(from.description);
    item.type = destination.type.value_or(from.type);
    item.source_id = from.source_id ? *from.source_id : from.id.text();
    item.certificate_verification = from.certificate_verification;
    item.content = from.content;  // to be judged by; it gets a set of its own
    content::apply_policy(library, item);
    if (!item.security_compliance) return against_policy(library, from);
    item.content = content::ContentId();
    if (!as_task && !placed.files.empty()) {
      create_with_content(t, item, {placed.files, from.certificate_verification, caller.user});
      return item.id.text();
    }
    if (as_task) item.reserved = placed.bytes;
    t->insert(item);
    record(t, content::EventKind::item_created, item, {{"name", item.name}});
    if (!from.cached) QUIRE_RETURN_IF_ERROR(request_item_sync(t, from, true));
    if (as_task)
      QUIRE_RETURN_IF_ERROR(add_task(
          t, {item_service, copy_operation, "com.vmware.content.library.Item", item.id.text(),
              base::make_message("quire.task.item_copy", "Copy of item {source} to {name} in library {library}",
                                 {{"source", from.name}, {"name", item.name}, {"library", library.name}}),
              from.content, from.cached ? ItemId() : from.id}));
    return item.id.text();
  }

 private:
  Result<void> adopt_copies(Transaction& t, const Item& from, PlacedFiles& placed) const {
    std::map<BlobId, BlobId> adopted;
    for (const auto& [id, blob] : placed.missing) {
      const auto copy = copies.find(id);
      if (copy == copies.end())
        return Error(ErrorKind::resource_inaccessible, std::string(changed_id),
                     "Item {name} got new content while it was being copied; copy it again.", {{"name", from.name}});
      adopted.emplace(id, adopt(t, copy->second));
    }
    for (const auto& [id, copy] : copies)
      if (!adopted.contains(id)) t.remove_bytes_after_commit(copy.blob);
    for (auto& file : placed.files)
      if (const auto copy = adopted.find(file.blob); copy != adopted.end()) file.blob = copy->second;
    return {};
  }
};

}  // namespace

Result<ItemId> Items::copy(const Caller& caller, const ItemId& source, const ItemSpec& destination,
                           const std::optional<std::string>& client_token) {
  for (int attempt = 1;; ++attempt) {
    // Bytes on another storage are copied before the transaction that names them (bytes before rows).
    struct Needed {
      std::map<BlobId, Blob> missing;
      content::StorageId storage;
    };
    QUIRE_ASSIGN_OR_RETURN(const auto needed, read(context_, caller, [&](View view) -> Result<Needed> {
                             QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(view, source, Privilege::System_Read));
                             if (!destination.library_id) return missing_member("destination_create_spec.library_id");
                             QUIRE_ASSIGN_OR_RETURN(const auto library,
                                                    find_library(view, LibraryId(*destination.library_id),
                                                                 Privilege::ContentLibrary_AddLibraryItem));
                             auto placed = place_files(view, files_of(view, item), library.receiving_storage());
                             if (placed.missing_bytes() > context_.settings.copy_in_call_bytes_max)
                               placed.missing.clear();
                             return Needed{std::move(placed.missing), library.receiving_storage()};
                           }));
    QUIRE_RETURN_IF_ERROR(check_texts(destination, context_.limits));
    QUIRE_ASSIGN_OR_RETURN(const auto* storage, context_.storages.get(needed.storage));
    bool moved = false;
    const auto made_copies = copy_blobs(context_, needed.missing, *storage, moved);
    if (!made_copies) {
      if (moved && attempt < attempts_in_call) continue;
      return made_copies.error();
    }
    const auto& copies = *made_copies;
    const CopyInCall copy{context_, caller, source, destination, client_token, copies};
    const Creation creation{"com.vmware.content.library.item.copy", client_token,
                            digest_of(destination, source.text())};
    const auto created = create_once(context_, caller, creation, [&](Transaction& t) { return copy.make(t); });
    std::vector<Blob> made;
    for (const auto& [id, one] : copies) made.push_back(one.blob);
    if (created && created->repeated) remove_bytes(context_, made);
    if (created) return ItemId(created->id);
    remove_bytes_after_failure(context_, created.error(), made);
    if (attempt == attempts_in_call || created.error().messages().front().id != changed_id) return created.error();
  }
}

bool is_being_copied(View view, const Item& item) {
  if (!item.content.empty() || item.content_version != 1) return false;
  const auto is_copy = [](const Task& task) {
    return task.service == item_service && task.operation == copy_operation;
  };
  return std::ranges::any_of(view->active_tasks_on(item.id.text()), is_copy);
}

namespace {

/// What is left to do for a task.
struct CopyState {
  Item item;
  content::StorageId storage;  ///< of the item's library; may change while the task runs
  PlacedFiles placed;
};

Result<CopyState> state_of(View view, const Task& task) {
  QUIRE_ASSIGN_OR_RETURN(auto item, find_item(view, ItemId(task.target), Privilege::System_Read));
  QUIRE_ASSIGN_OR_RETURN(const auto library, library_of(view, item));
  auto placed = place_files(view, view->list<content::ContentFile>(task.content), library.receiving_storage());
  return CopyState{std::move(item), library.receiving_storage(), std::move(placed)};
}

/// The content of an item that was not cached when the copy began: pinned as soon as it has come. False while it has
/// not.
Result<bool> pin_awaited_content(Transaction& t, Task& task) {
  const auto from = t->find<Item>(task.source);
  if (from && from->cached) {
    QUIRE_ASSIGN_OR_RETURN(auto item, find_item(t, ItemId(task.target), Privilege::System_Read));
    QUIRE_ASSIGN_OR_RETURN(const auto library, library_of(t, item));
    item.certificate_verification = from->certificate_verification;
    item.content = from->content;  // to be judged by
    content::apply_policy(library, item);
    if (!item.security_compliance) return against_policy(library, *from);
    item.content = content::ContentId();
    item.reserved = from->size;
    t->update(item);
    task.content = from->content;
    task.source = ItemId();
    return true;
  }
  if (from && active_sync_of(t, from->id)) return false;
  const auto source = from ? t->find<content::SourceItem>(from->id) : std::nullopt;
  const Error error(ErrorKind::error, "quire.item.source_did_not_come",
                    "The content of the item that was to be copied did not come from its publisher.");
  return source && source->problem ? error.because(*source->problem) : error;
}

/// The item gets its files, if all of them are there.
Result<void> finish_copy(Transaction& t, Task& task) {
  QUIRE_ASSIGN_OR_RETURN(const auto state, state_of(t, task));
  task.total = state.placed.bytes;
  task.completed = state.placed.bytes - state.placed.missing_bytes();
  if (!state.placed.missing.empty()) return {};
  if (!state.placed.files.empty())
    change_content(t, state.item, {state.placed.files, state.item.certificate_verification, task.user});
  end_task(t, task, std::nullopt);
  return {};
}

Result<void> copy_next(TaskRun& run, const CopyState& state) {
  QUIRE_ASSIGN_OR_RETURN(const auto* storage, run.context().storages.get(state.storage));
  const auto done = state.placed.bytes - state.placed.missing_bytes();
  const auto& source = state.placed.missing.begin()->second;
  const auto copy = copy_of(run.context(), source, *storage,
                            [&](std::int64_t bytes) { return run.progress(done + bytes, state.placed.bytes); });
  if (!copy) return is_blob_gone(run.context(), copy.error(), source) ? Result<void>() : copy.error();
  const auto held = run.change([&](Transaction& t, Task& task) -> Result<void> {
    const auto blob = adopt(t, *copy);
    if (!t->find<content::TaskBlob>({task.id, blob.text()})) t->insert(task.id, content::TaskBlob{blob});
    task.total = state.placed.bytes;
    task.completed = done + copy->blob.size;
    return {};
  });
  if (!held) remove_bytes_after_failure(run.context(), held.error(), {copy->blob});
  return held;
}

Result<TaskOutcome> run_copy(TaskRun& run) {
  if (!run.task().source.empty()) {
    bool has_come = false;
    QUIRE_RETURN_IF_ERROR(run.change([&](Transaction& t, Task& task) -> Result<void> {
      QUIRE_ASSIGN_OR_RETURN(has_come, pin_awaited_content(t, task));
      return {};
    }));
    if (!has_come) return TaskOutcome::waits;
  }
  for (;;) {
    QUIRE_ASSIGN_OR_RETURN(const auto state,
                           read(run.context(), run.caller(), [&](View view) { return state_of(view, run.task()); }));
    if (!state.placed.missing.empty()) {
      QUIRE_RETURN_IF_ERROR(copy_next(run, state));
      continue;
    }
    QUIRE_RETURN_IF_ERROR(run.change(finish_copy));
    if (run.task().ended) return TaskOutcome::ended;
  }
}

/// The half item goes.
void undo_copy(Transaction& t, const Task& task) {
  const auto item = t->find<Item>(ItemId(task.target));
  if (item && item->content.empty()) remove_item_with_sessions(t, *item);
}

}  // namespace

TaskKind item_copy_tasks() { return {item_service, copy_operation, run_copy, undo_copy}; }

}  // namespace quire::service
