#include "service/library/sync_request.h"

#include <string_view>

#include "service/library/configuration.h"
#include "service/library/library_rules.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Result;
using content::Task;
using content::TaskId;

std::optional<Task> active_sync(View view, std::string_view service, std::string_view target) {
  for (auto& task : view->active_tasks_on(target))
    if (task.service == service && task.operation == sync_operation) return std::move(task);
  return std::nullopt;
}

/// Every request moves the time (content-library-api.md §23.9), so the automatic one after it comes an interval later.
void note_request(Transaction& t, const content::Library& library) {
  if (!library.subscription) return;
  auto asked = library;
  asked.subscription->last_sync_time = t.wall_time();
  asked.subscription->next_sync_time =
      t.wall_time() + std::chrono::minutes(configuration_of(t).automatic_sync_refresh_interval.value_or(1));
  t->update(asked);
}

}  // namespace

std::optional<Task> active_sync_of(View view, const content::LibraryId& library) {
  return active_sync(view, subscribed_library_service, library.text());
}

std::optional<Task> active_sync_of(View view, const content::ItemId& item) {
  return active_sync(view, subscribed_item_service, item.text());
}

Result<TaskId> request_library_sync(Transaction& t, const content::Library& library) {
  QUIRE_RETURN_IF_ERROR(check_in_service(library));
  if (const auto task = active_sync_of(t, library.id)) {
    note_request(t, library);
    return task->id;
  }
  return begin_library_sync(t, library);
}

Result<TaskId> begin_library_sync(Transaction& t, const content::Library& library) {
  note_request(t, library);
  return add_task(t, {subscribed_library_service, sync_operation, "com.vmware.content.Library", library.id.text(),
                      base::make_message("quire.task.library_sync", "Synchronization of library {name}",
                                         {{"name", library.name}})});
}

Result<TaskId> request_item_sync(Transaction& t, const content::Item& item, bool content) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, library_of(t, item));
  QUIRE_RETURN_IF_ERROR(check_in_service(library));
  const auto source = content ? item.id : content::ItemId();
  if (auto task = active_sync_of(t, item.id)) {
    if (content && task->source.empty()) {
      task->source = source;
      t->update(*task);
    }
    return task->id;
  }
  return add_task(t, {.service = subscribed_item_service,
                      .operation = sync_operation,
                      .target_type = "com.vmware.content.library.Item",
                      .target = item.id.text(),
                      .description = base::make_message("quire.task.item_sync",
                                                        "Synchronization of item {name} of library {library}",
                                                        {{"name", item.name}, {"library", library.name}}),
                      .source = source});
}

}  // namespace quire::service
