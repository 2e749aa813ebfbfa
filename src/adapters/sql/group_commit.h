#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "adapters/sql/sqlite_connection.h"
#include "base/result.h"
#include "content/catalog.h"

namespace quire::adapters::sql {

/// The one thread that writes to a SQLite database. It takes the write transactions that wait, runs one after the other
/// in a savepoint of its own inside one SQLite transaction, commits that with one sync, and only then answers them all.
/// One that fails is rolled back alone; when the commit fails, all have failed.
class GroupCommit {
 public:
  using Function = std::function<base::Result<void>(content::CatalogWriter&)>;

  GroupCommit(std::unique_ptr<SqliteConnection> connection, std::size_t waiting_max, std::size_t per_commit_max);
  /// Finishes what was queued.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  /// Waits until `function` has run and its changes are durable, or it failed. ServiceUnavailable when too many wait.
  base::Result<void> run(const Function& function);

 private:
  struct Job {
    const Function& function;
    std::promise<base::Result<void>> answer = {};
    std::optional<base::Result<void>> outcome = {};
    std::exception_ptr thrown = {};
    bool succeeded() const { return outcome && *outcome; }
  };
  using Batch = std::vector<Job*>;

  void work();
  Batch take();
  void commit(const Batch& batch);
  void attempt(Job& job);
  static void answer(const Batch& batch);

  const std::unique_ptr<SqliteConnection> connection_;
  const std::size_t waiting_max_;
  const std::size_t per_commit_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job*> queue_;  // guarded by mutex_; a job lies on the stack of the thread that waits for it
  bool ending_ = false;     // guarded by mutex_
  std::thread thread_;
};

}  // namespace quire::adapters::sql
