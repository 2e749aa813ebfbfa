#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace quire::work {

/// Work that is done again and again in the background: expiry, retention.
struct PeriodicWork {
  std::string name;
  base::Duration
      interval;  ///< between the end of one run and the start of the next; doubled up to 16 times after failures
  std::function<base::Result<void>()> run;
};

/// What an operator may want to know of a worker.
struct WorkerStatus {
  std::string name;
  std::size_t runs = 0;
  std::size_t failures_in_a_row = 0;
  std::string last_error;  ///< of the last failure; empty when there never was one
};

/// Runs each work on a thread of its own from construction to stop(). An exception of a work counts as its failure.
class Supervisor {
 public:
  explicit Supervisor(std::vector<PeriodicWork> works);
  ~Supervisor();  ///< stops
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Waits for running work to end; none starts afterwards. May be called twice.
  void stop();
  std::vector<WorkerStatus> status() const;

 private:
  struct Worker;
  void work_loop(Worker& worker);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace quire::work
