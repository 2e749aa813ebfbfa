#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
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

/// Whatever writes to a SQLite database, one at a time: a caller for itself when nobody is writing, and a thread for
/// those that wait meanwhile. The thread runs one after the other inside one SQLite transaction, commits that with one
/// sync, and only then answers them all. One that fails is rolled back alone (when it had changed something, all of
/// them run again, each in a savepoint of its own); when the commit fails, all have failed.
class GroupCommit {
 public:
  using Function = std::function<base::Result<void>(content::CatalogWriter&)>;

  /// `before_writing` is called before each transaction, while nobody writes.
  GroupCommit(std::unique_ptr<SqliteConnection> connection, std::size_t waiting_max, std::size_t per_commit_max,
              std::function<void()> before_writing);
  /// Finishes what was queued.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  /// Waits until `function` has run and its changes are durable, or it failed. ServiceUnavailable when too many wait.
  base::Result<void> run(const Function& function);

  /// Changes with every commit, before run() returns.
  std::uint64_t version() const { return version_; }
  /// The same of commits that changed or removed logins.
  std::uint64_t logins_version() const { return logins_version_; }
  /// The same of commits that changed or removed users, groups, roles or permissions.
  std::uint64_t access_version() const { return access_version_; }
  /// The same of commits that changed libraries.
  std::uint64_t libraries_version() const { return libraries_version_; }

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
  void finished_writing();
  void commit(const Batch& batch);
  bool attempt_together(const Batch& batch);
  void attempt_apart(const Batch& batch);
  void attempt(Job& job);
  static void answer(const Batch& batch);

  const std::unique_ptr<SqliteConnection> connection_;
  const std::size_t waiting_max_;
  const std::size_t per_commit_max_;
  const std::function<void()> before_writing_;
  std::atomic<std::uint64_t> version_ = 0;
  std::atomic<std::uint64_t> logins_version_ = 0;
  std::atomic<std::uint64_t> access_version_ = 0;
  std::atomic<std::uint64_t> libraries_version_ = 0;
  bool logins_changed_ = false;     ///< by the batch that is being written; of who writes
  bool access_changed_ = false;     ///< likewise
  bool libraries_changed_ = false;  ///< likewise
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job*> queue_;  // guarded by mutex_; a job lies on the stack of the thread that waits for it
  bool writing_ = false;    // guarded by mutex_: somebody uses connection_
  bool ending_ = false;     // guarded by mutex_
  std::thread thread_;
};

}  // namespace quire::adapters::sql
