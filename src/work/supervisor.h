#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/time.h"
#include "service/workers.h"

namespace quire::work {

/// Work that is done again and again in the background: expiry, retention.
struct PeriodicWork {
  std::string name;
  base::Duration
      interval;  ///< between the end of one run and the start of the next; doubled up to 16 times after failures
  std::function<base::Result<void>()> run;
};

/// Runs each work on a thread of its own from construction to stop(). An exception of a work counts as its failure.
class Supervisor {
 public:
  /// `clock`, which says when a failure was, must outlive it.
  Supervisor(std::vector<PeriodicWork> works, const base::Clock& clock);
  ~Supervisor();  ///< stops
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Waits for running work to end; none starts afterwards. May be called twice.
  void stop();
  std::vector<service::WorkerStatus> status() const;

 private:
  struct Worker;
  void work_loop(Worker& worker);

  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace quire::work
