#include "service/task/task_runner.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace quire::service {
namespace {

using base::Duration;
using base::Error;
using base::ErrorKind;
using base::Result;
using content::Task;
using content::TaskId;
using content::TaskStatus;

/// How long a claim holds without a sign of its worker: a large file may take its time to become durable.
constexpr Duration claim_lease = std::chrono::minutes(2);
constexpr Duration progress_interval = std::chrono::seconds(1);
constexpr Duration look_again_after = std::chrono::seconds(2);
constexpr Duration backoff_first = std::chrono::seconds(1);
constexpr std::size_t candidates_max = 1000;

/// Not the task's fault, and perhaps not there the next time.
bool may_pass(ErrorKind kind) {
  return kind == ErrorKind::service_unavailable || kind == ErrorKind::internal_server_error ||
         kind == ErrorKind::unable_to_allocate_resource || kind == ErrorKind::resource_inaccessible;
}

}  // namespace

TaskRun::TaskRun(Context& context, Task task, const std::atomic<bool>& stopping)
    : context_(context),
      task_(std::move(task)),
      id_(task_.id),
      claim_(task_.claim),
      caller_{task_.user, content::LoginId(), content::Grants::everything()},
      stopping_(stopping),
      recorded_(context.clock.uptime()) {}

Error TaskRun::canceled() const {
  return {ErrorKind::canceled, "quire.task.canceled", "Task {task} was canceled.", {{"task", id_.text()}}};
}

Result<Task> TaskRun::claimed(Transaction& t) const {
  auto task = t->find<Task>(id_);
  if (task && !task->ended && task->claim == claim_ && !stopping_) return *std::move(task);
  return canceled();
}

void TaskRun::keep_claim(const Transaction& t, Task& task) {
  task.due = t.now() + claim_lease;
  task.attempts = 0;
}

Result<void> TaskRun::progress(std::int64_t completed, std::int64_t total) {
  if (stopping_) return canceled();
  if (context_.clock.uptime() - recorded_ < progress_interval) return {};
  recorded_ = context_.clock.uptime();
  return change([&](Transaction&, Task& task) -> Result<void> {
    task.completed = completed;
    task.total = total;
    return {};
  });
}

Result<void> TaskRun::record_progress(std::int64_t completed, std::int64_t total) const {
  return write(context_, caller_, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto task, claimed(t));
    if (task.cancel_requested) return canceled();
    task.completed = completed;
    task.total = total;
    keep_claim(t, task);
    t->update(task);
    return {};
  });
}

Result<bool> TaskRunner::run_next() {
  QUIRE_ASSIGN_OR_RETURN(auto task, take());
  if (!task) return false;
  const Candidate taken{task->id, kind_of(*task)};
  TaskRun run(context_, *std::move(task), stopping_);
  const auto outcome =
      taken.kind == nullptr
          ? Result<TaskOutcome>(Error(ErrorKind::unsupported, "quire.task.unknown_operation",
                                      "This version of Quire runs no tasks of {service}.{operation}.",
                                      {{"service", run.task().service}, {"operation", run.task().operation}}))
          : taken.kind->run(run);
  static const TaskKind unknown{};
  const auto settled = settle(run, taken.kind == nullptr ? unknown : *taken.kind, outcome);
  give_back(taken);
  if (!settled) return settled.error();
  return true;
}

const TaskKind* TaskRunner::kind_of(const Task& task) const {
  const auto kind = std::ranges::find_if(
      kinds_, [&](const TaskKind& one) { return one.service == task.service && one.operation == task.operation; });
  return kind == kinds_.end() ? nullptr : &*kind;
}

bool TaskRunner::may_run(const Candidate& candidate) const {
  if (stopping_ || running_.contains(candidate.id)) return false;
  const auto running = running_of_kind_.find(candidate.kind);
  return candidate.kind == nullptr || running == running_of_kind_.end() ||
         running->second < candidate.kind->at_once_max;
}

bool TaskRunner::reserve(const Candidate& candidate) {
  const std::lock_guard lock(mutex_);
  if (!may_run(candidate)) return false;
  ++running_of_kind_[candidate.kind];
  running_.insert(candidate.id);
  return true;
}

void TaskRunner::give_back(const Candidate& candidate) {
  const std::lock_guard lock(mutex_);
  --running_of_kind_[candidate.kind];
  running_.erase(candidate.id);
}

/// Looks at rows only until one can be taken: there may be thousands that are due.
Result<std::optional<TaskRunner::Candidate>> TaskRunner::next_candidate() {
  return read(context_, system_caller("tasks"), [&](View view) -> Result<std::optional<Candidate>> {
    for (const auto& id : view->due_tasks(context_.leases.now(), candidates_max)) {
      const auto task = view->find<Task>(id);
      if (!task) continue;
      const Candidate candidate{id, kind_of(*task)};
      const std::lock_guard lock(mutex_);
      if (may_run(candidate)) return std::optional(candidate);
    }
    return std::optional<Candidate>();
  });
}

Result<std::optional<Task>> TaskRunner::take() {
  for (;;) {
    QUIRE_ASSIGN_OR_RETURN(const auto candidate, next_candidate());
    if (!candidate) return std::optional<Task>();
    if (!reserve(*candidate)) continue;  // another worker of this server was faster
    const auto claim = context_.identities.secret();
    auto taken = write(context_, system_caller("tasks"), [&](Transaction& t) -> Result<std::optional<Task>> {
      auto task = t->find<Task>(candidate->id);
      if (!task || task->ended || task->due > t.now()) return std::optional<Task>();
      task->status = TaskStatus::RUNNING;
      task->claim = claim;
      task->due = t.now() + claim_lease;
      task->started = task->started.value_or(t.now());
      t->update(*task);
      return task;
    });
    if (taken && *taken) return taken;
    give_back(*candidate);
    if (!taken) return taken;
  }
}

/// Writes down how a worker leaves the task, unless it is no longer that worker's.
Result<void> TaskRunner::settle(TaskRun& run, const TaskKind& kind, const Result<TaskOutcome>& outcome) {
  if (outcome && *outcome == TaskOutcome::ended) return {};
  return write(context_, run.caller(), [&](Transaction& t) -> Result<void> {
    auto task = t->find<Task>(run.task().id);
    if (!task || task->ended || task->claim != run.task().claim) return {};
    const auto later = [&](TaskStatus status, Duration delay) {
      task->status = status;
      task->claim.clear();
      task->due = t.now() + delay;
      t->update(*task);
    };
    if (outcome && !task->cancel_requested) {
      later(TaskStatus::BLOCKED, look_again_after);
      return {};
    }
    // Also one that fails and would be tried again: it does not get as far as to be told.
    const auto error = outcome || task->cancel_requested ? run.canceled() : outcome.error();
    const bool stops = error.kind() == ErrorKind::canceled;
    if (stops && !task->cancel_requested) {  // the server stops
      later(TaskStatus::RUNNING, Duration(0));
      return {};
    }
    if (!stops && may_pass(error.kind()) &&
        task->attempts + 1 < static_cast<std::int64_t>(context_.settings.task_attempts)) {
      spdlog::warn("Task {} failed and will be tried again: {} {}", task->id.text(), error.text(), error.cause());
      const auto doublings = std::min<std::int64_t>(task->attempts++, 6);
      later(TaskStatus::RUNNING, backoff_first * (std::int64_t{1} << doublings));
      return {};
    }
    if (!stops) spdlog::error("Task {} failed: {} {}", task->id.text(), error.text(), error.cause());
    kind.undo(t, *task);
    end_task(t, *task, error);
    return {};
  });
}

Result<void> TaskRunner::release_claims() {
  return write(context_, system_caller("tasks"), [&](Transaction& t) -> Result<void> {
    for (const auto& id : t->due_tasks(base::Time::max(), context_.limits.tasks_active_max)) {
      auto task = t->find<Task>(id);
      if (!task) continue;
      task->claim.clear();
      task->due = std::min(task->due, t.now());
      t->update(*task);
    }
    return {};
  });
}

bool TaskRunner::wait(Duration at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return woken_ || stopping_; });
  woken_ = false;
  return !stopping_;
}

void TaskRunner::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void TaskRunner::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

}  // namespace quire::service
