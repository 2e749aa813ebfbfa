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
          constexpr base::Duration record_interval = std::chrono::seconds(1);
          const auto& clock = run.context().clock;
          auto recorded = clock.uptime();
          std::unique_lock lock(mutex_);
          while (!ended_.wait_for(lock, ended, look, [&] { return ended.stop_requested(); })) {
            if (run.server_stops()) stop = true;
            if (clock.uptime() - recorded < record_interval) continue;
            recorded = clock.uptime();
            if (!run.record_progress(completed, std::max(total.load(), completed.load()))) stop = true;
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace quire::service
