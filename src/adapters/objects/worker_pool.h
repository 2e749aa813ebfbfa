#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace quire::adapters::objects {

/// A few threads that run tasks, in the order of their coming. They begin with the first tasks, so that a process that
/// only opens a store has none. All threads may call it; tasks must not wait for other tasks, and must not throw.
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads_max) : threads_max_(threads_max) {}
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// After stop() the task runs here and now.
  void post(std::function<void()> task);
  /// Runs what has been posted, then ends the threads. Not from a task.
  void stop();

 private:
  void run();

  const std::size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopped_ = false;
};

}  // namespace quire::adapters::objects
