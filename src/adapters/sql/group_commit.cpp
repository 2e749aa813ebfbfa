#include "adapters/sql/group_commit.h"

#include <algorithm>
#include <utility>

#include "adapters/sql/catalog_view.h"
#include "adapters/sql/engine_errors.h"

namespace quire::adapters::sql {

using content::CatalogFailure;

GroupCommit::GroupCommit(std::unique_ptr<SqliteConnection> connection, std::size_t waiting_max,
                         std::size_t per_commit_max, std::function<void()> before_writing)
    : connection_(std::move(connection)),
      waiting_max_(waiting_max),
      per_commit_max_(per_commit_max),
      before_writing_(std::move(before_writing)) {
  thread_ = std::thread([this] { work(); });
}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

base::Result<void> GroupCommit::run(const Function& function) {
  Job job{function};
  auto answer = job.answer.get_future();
  bool alone = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= waiting_max_) return overloaded(waiting_max_);
    alone = !writing_ && queue_.empty();
    if (alone)
      writing_ = true;
    else
      queue_.push_back(&job);
  }
  if (alone) {
    const Batch batch{&job};
    commit(batch);
    finished_writing();
    GroupCommit::answer(batch);
  }
  return answer.get();
}

/// Under the lock to its end: whoever waits for the last writer may destroy this object at once.
void GroupCommit::finished_writing() {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  if (!queue_.empty() || ending_) changed_.notify_one();
}

void GroupCommit::work() {
  for (auto batch = take(); !batch.empty(); batch = take()) {
    commit(batch);
    finished_writing();
    answer(batch);
  }
}

/// Empty when the queue is, and nothing will come.
GroupCommit::Batch GroupCommit::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !writing_ && (ending_ || !queue_.empty()); });
  writing_ = true;
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), per_commit_max_));
  Batch batch(queue_.begin(), queue_.begin() + count);
  queue_.erase(queue_.begin(), queue_.begin() + count);
  return batch;
}

void GroupCommit::commit(const Batch& batch) {
  before_writing_();
  logins_changed_ = false;
  access_changed_ = false;
  libraries_changed_ = false;
  try {
    if (!attempt_together(batch)) {
      connection_->roll_back();
      attempt_apart(batch);
    }
    const bool any = std::any_of(batch.begin(), batch.end(), [](const Job* job) { return job->succeeded(); });
    connection_->run(any ? "COMMIT" : "ROLLBACK");
  } catch (const CatalogFailure& failure) {
    connection_->roll_back();
    // Also what failed before on its own: it may have seen changes of others that are gone now.
    for (auto* job : batch) job->outcome = failure.error();
  }
  ++version_;
  if (logins_changed_) ++logins_version_;
  if (access_changed_) ++access_version_;
  if (libraries_changed_) ++libraries_version_;
}

/// Without savepoints. False when a transaction failed that had changed something, and others would go with it.
bool GroupCommit::attempt_together(const Batch& batch) {
  connection_->run("BEGIN IMMEDIATE");
  for (auto* job : batch) {
    const auto before = connection_->changes();
    attempt(*job);
    if (!job->succeeded() && connection_->changes() != before && batch.size() > 1) return false;
  }
  return true;
}

void GroupCommit::attempt_apart(const Batch& batch) {
  connection_->run("BEGIN IMMEDIATE");
  for (auto* job : batch) {
    connection_->run("SAVEPOINT job");
    attempt(*job);
    if (!job->succeeded()) connection_->run("ROLLBACK TO job");
    connection_->run("RELEASE job");
  }
}

/// Throws CatalogFailure when the transaction of the whole batch is lost.
void GroupCommit::attempt(Job& job) {
  CatalogView view(*connection_);
  job.outcome.reset();
  job.thrown = nullptr;
  try {
    job.outcome = job.function(view);
  } catch (const CatalogFailure& failure) {
    job.outcome = failure.error();
  } catch (...) {
    job.thrown = std::current_exception();
  }
  logins_changed_ |= view.logins_changed();
  access_changed_ |= view.access_changed();
  libraries_changed_ |= view.libraries_changed();
  if (!connection_->in_transaction())
    throw CatalogFailure(job.outcome && !*job.outcome ? job.outcome->error()
                                                      : base::internal_error("SQLite has left the transaction"));
}

void GroupCommit::answer(const Batch& batch) {
  for (auto* job : batch) {
    // The job ends with its waiter, as soon as that has the answer.
    auto promise = std::move(job->answer);
    if (job->outcome)
      promise.set_value(*std::move(job->outcome));
    else
      promise.set_exception(std::move(job->thrown));
  }
}

}  // namespace quire::adapters::sql
