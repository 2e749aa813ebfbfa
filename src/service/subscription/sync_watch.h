#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "service/task/task_runner.h"

namespace quire::service {

/// Keeps the task of a synchronization that runs: tells how far it is, every second, and sets `stop` soon after the
/// task is to end or the server stops. For as long as it lives; `run` and what it looks at must outlive it.
class SyncWatch {
 public:
  SyncWatch(const TaskRun& run, const std::atomic<std::int64_t>& completed, const std::atomic<std::int64_t>& total,
            std::atomic<bool>& stop)
      : thread_([this, &run, &completed, &total, &stop](const std::stop_token& ended) {
          constexpr auto look = std::chrono::milliseconds(100);
          constexpr int looks_per_record = 10;
          std::unique_lock lock(mutex_);
          for (int looks = 1; !ended_.wait_for(lock, ended, look, [&] { return ended.stop_requested(); }); ++looks) {
            if (run.server_stops()) stop = true;
            if (looks % looks_per_record == 0 &&
                !run.record_progress(completed, std::max(total.load(), completed.load())))
              stop = true;
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace quire::service
