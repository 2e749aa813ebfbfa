#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "service/task/tasks.h"

namespace quire::service {

/// A task in the hands of the worker that has claimed it. One thread.
class TaskRun {
 public:
  TaskRun(Context& context, content::Task task, const std::atomic<bool>& stopping);

  Context& context() const { return context_; }        ///< any thread
  const content::TaskId& id() const { return id_; }    ///< any thread
  const content::Task& task() const { return task_; }  ///< as this worker has seen it last
  /// Whom the task works for; what they may do was checked when they asked for it.
  const content::Caller& caller() const { return caller_; }

  /// Runs `function(Transaction&, content::Task&)`, which returns a Result<void>, while the task is still this
  /// worker's; what it changes of the task is written too. Canceled: the task is to stop, for whatever reason; the
  /// function has not run.
  template <class F>
  base::Result<void> change(F&& function) {
    auto changed = write(context_, caller_, [&](Transaction& t) -> base::Result<content::Task> {
      QUIRE_ASSIGN_OR_RETURN(auto task, claimed(t));
      if (task.cancel_requested) return canceled();
      QUIRE_RETURN_IF_ERROR(function(t, task));
      if (!task.ended) keep_claim(t, task);
      t->update(task);
      return task;
    });
    if (!changed) return changed.error();
    task_ = *std::move(changed);
    return {};
  }

  /// The same without a change of the task itself, for the threads that this worker lets help it; any of them may call
  /// it.
  template <class F>
  base::Result<void> change_besides(F&& function) const {
    return write(context_, caller_, [&](Transaction& t) -> base::Result<void> {
      QUIRE_ASSIGN_OR_RETURN(const auto task, claimed(t));
      if (task.cancel_requested) return canceled();
      return function(t);
    });
  }

  /// The server stops: what runs is to go on after its next start. Any thread.
  bool server_stops() const { return stopping_; }
  /// The same for what blocks meanwhile. Any thread.
  const std::atomic<bool>& stop_flag() const { return stopping_; }
  /// The task is to go on with this later; nothing is wrong. For `run` to return as its Error. Any thread.
  base::Error canceled() const;

  /// So much is done, of so much. Told often, recorded every second. Canceled as change().
  base::Result<void> progress(std::int64_t completed, std::int64_t total);
  /// The same, recorded at once, from any thread; task() does not show it.
  base::Result<void> record_progress(std::int64_t completed, std::int64_t total) const;

 private:
  friend class TaskRunner;
  base::Result<content::Task> claimed(Transaction& t) const;
  static void keep_claim(const Transaction& t, content::Task& task);

  Context& context_;
  content::Task task_;
  const content::TaskId id_;
  const std::string claim_;
  const content::Caller caller_;
  const std::atomic<bool>& stopping_;
  base::Duration recorded_;  ///< uptime
};

enum class TaskOutcome {
  ended,  ///< by end_task()
  waits,  ///< for something else to happen: BLOCKED, and asked again soon
};

/// What tasks of one operation do.
struct TaskKind {
  std::string service;
  std::string operation;
  /// Goes on with the task from whatever the catalog says is done. It works in steps, each a TaskRun::change() of its
  /// own, and may be called again at any time: after a failure, a restart, by another server. An Error that may pass is
  /// tried again (Settings::task_attempts); any other ends the task.
  std::function<base::Result<TaskOutcome>(TaskRun&)> run;
  /// Takes back what must not stay of a task that fails, in the change that ends it.
  std::function<void(Transaction&, const content::Task&)> undo = [](Transaction&, const content::Task&) {};
  /// So many of them may run at once on this server: what lasts long leaves workers to what does not.
  std::size_t at_once_max = std::numeric_limits<std::size_t>::max();
};

/// Runs tasks (content-library-api.md §22, decision 15). What is to be done stands in the catalog, so it survives a
/// restart; a claim keeps workers, of other servers too, from one task. All threads may call it.
class TaskRunner {
 public:
  TaskRunner(Context& context, std::vector<TaskKind> kinds) : context_(context), kinds_(std::move(kinds)) {}

  /// Runs one task that is due and that no other worker has, until it has ended, waits or has failed. False when there
  /// was none.
  base::Result<bool> run_next();

  /// At start: nobody has a claim any more.
  base::Result<void> release_claims();

  /// Waits until something may be due, `at_most` has passed, or stop() was called; false after stop().
  bool wait(base::Duration at_most);
  void wake();  ///< something may be due
  void stop();  ///< ends what runs, which goes on after the next start, and all waiting

 private:
  struct Candidate {
    content::TaskId id;
    const TaskKind* kind = nullptr;  ///< nullptr: none that this version knows
  };
  base::Result<std::optional<Candidate>> next_candidate();
  base::Result<std::optional<content::Task>> take();
  const TaskKind* kind_of(const content::Task& task) const;
  bool may_run(const Candidate& candidate) const;  ///< with mutex_ held
  bool reserve(const Candidate& candidate);
  void give_back(const Candidate& candidate);
  base::Result<void> settle(TaskRun& run, const TaskKind& kind, const base::Result<TaskOutcome>& outcome);

  Context& context_;
  const std::vector<TaskKind> kinds_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::atomic<bool> stopping_ = false;
  std::set<content::TaskId> running_;
  std::map<const TaskKind*, std::size_t> running_of_kind_;
};

}  // namespace quire::service
