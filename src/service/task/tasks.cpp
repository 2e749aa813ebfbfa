#include "service/task/tasks.h"

#include <algorithm>

#include "service/transaction/events.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::Task;
using content::TaskId;
using content::TaskStatus;

constexpr std::size_t listed_max = 1000;
/// Looked through for what a filter lets through.
constexpr std::size_t scanned_max = 10'000;

bool sees_all(const Caller& caller) { return caller.grants->on_root() == content::PrivilegeSet::all(); }

Result<Task> find_task(View view, const TaskId& id) {
  auto task = view->find<Task>(id);
  if (task && (sees_all(view.caller()) || task->user == view.caller().user)) return *std::move(task);
  return Error(ErrorKind::not_found, "quire.task.not_found", "No task has the identifier {task}.",
               {{"task", id.text()}});
}

Task shown(const LeaseClock& leases, Task task) {
  task.created = leases.shown(task.created);
  if (task.started) task.started = leases.shown(*task.started);
  if (task.ended) task.ended = leases.shown(*task.ended);
  return task;
}

template <class T>
bool lets_through(const std::vector<T>& wanted, const T& value) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

bool passes(const TaskFilter& filter, const Task& task) {
  return lets_through(filter.tasks, task.id) && lets_through(filter.services, task.service) &&
         lets_through(filter.operations, task.operation) && lets_through(filter.status, task.status) &&
         lets_through(filter.targets, {task.target_type, task.target}) && lets_through(filter.users, task.user);
}

void record_task(Transaction& t, content::EventKind kind, const Task& task, EventDetails details) {
  details.insert(details.begin(), {{"operation", task.service + "." + task.operation}, {"target", task.target}});
  EventRecord event{kind, content::LibraryId(), content::ItemId(), task.id.text(), std::move(details)};
  if (const auto item = t->find<content::Item>(content::ItemId(task.target))) {
    event.item = item->id;
    event.library = item->library_id;
  } else if (t->find<content::Library>(content::LibraryId(task.target))) {
    event.library = content::LibraryId(task.target);
  }
  t.record(std::move(event));
}

}  // namespace

Result<Task> Tasks::get(const Caller& caller, const TaskId& id) {
  QUIRE_ASSIGN_OR_RETURN(auto task, read(context_, caller, [&](View view) { return find_task(view, id); }));
  return shown(context_.leases, std::move(task));
}

Result<std::vector<Task>> Tasks::list(const Caller& caller, const TaskFilter& filter) {
  const std::string user = sees_all(caller) ? "" : caller.user;
  return read(context_, caller, [&](View view) -> Result<std::vector<Task>> {
    std::vector<Task> all;
    const auto add = [&](const TaskId& id) {
      if (all.size() == listed_max) return;
      if (auto task = find_task(view, id); task && passes(filter, *task))
        all.push_back(shown(context_.leases, *std::move(task)));
    };
    if (!filter.tasks.empty()) {
      auto ids = filter.tasks;
      std::ranges::sort(ids);
      ids.erase(std::ranges::unique(ids).begin(), ids.end());
      std::ranges::for_each(ids, add);
    } else {
      std::ranges::for_each(view->tasks(user, scanned_max), add);
    }
    return all;
  });
}

Result<void> Tasks::cancel(const Caller& caller, const TaskId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto task, find_task(t, id));
    if (task.ended)
      return Error(ErrorKind::not_allowed_in_current_state, "quire.task.has_ended",
                   "Task {task} has ended ({status}); there is nothing left to cancel.",
                   {{"task", id.text()}, {"status", std::string(base::name_of(task.status))}});
    task.cancel_requested = true;
    if (task.claim.empty()) task.due = t.now();
    t->update(task);
    t.wake_tasks_after_commit();
    return {};
  });
}

Result<void> Tasks::remove_old() {
  constexpr std::size_t batch = 1000;
  const auto worker = system_caller("task retention");
  for (std::size_t count = batch; count == batch;) {
    QUIRE_ASSIGN_OR_RETURN(count, write(context_, worker, [&](Transaction& t) -> Result<std::size_t> {
                             const auto old = t->ended_tasks(t.now() - context_.settings.task_retention, batch);
                             for (const auto& id : old) t->remove<Task>(id);
                             return old.size();
                           }));
  }
  return {};
}

Result<TaskId> add_task(Transaction& t, const TaskSpec& spec) {
  const auto limit = t.context().limits.tasks_active_max;
  if (t->active_task_count() >= limit)
    return Error(ErrorKind::service_unavailable, "quire.task.too_many",
                 "There are {limit} tasks that have not ended, which is the limit; wait for some, or cancel them.",
                 {{"limit", static_cast<std::int64_t>(limit)}});
  Task task;
  task.id = TaskId(t.context().identities.uuid_made_at(t.wall_time()));
  task.service = spec.service;
  task.operation = spec.operation;
  task.target_type = spec.target_type;
  task.target = spec.target;
  task.user = t.caller().user;
  task.description = spec.description;
  task.content = spec.content;
  task.source = spec.source;
  task.created = t.now();
  task.due = t.now();
  t->insert(task);
  record_task(t, content::EventKind::task_created, task, {});
  t.wake_tasks_after_commit();
  return task.id;
}

void end_task(Transaction& t, Task& task, const std::optional<Error>& error) {
  std::vector<content::BlobId> held;
  for (const auto& [blob] : t->list<content::TaskBlob>(task.id)) {
    t->remove<content::TaskBlob>({task.id, blob.text()});
    held.push_back(blob);
  }
  const auto pinned = std::exchange(task.content, content::ContentId());
  task.status = error ? TaskStatus::FAILED : TaskStatus::SUCCEEDED;
  if (error) task.error = content::TaskError{error->kind(), error->messages()};
  task.started = task.started.value_or(t.now());
  task.ended = t.now();
  task.claim.clear();
  t->update(task);
  t.release(held);
  t.release(pinned);
  EventDetails details{{"status", std::string(base::name_of(task.status))}};
  if (error) details.push_back({"error", error->text()});
  record_task(t, content::EventKind::task_ended, task, std::move(details));
}

}  // namespace quire::service
