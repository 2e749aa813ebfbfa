#include "work/supervisor.h"

#include <algorithm>

#include "base/log.h"

namespace quire::work {
namespace {

constexpr std::int64_t backoff_doublings_max = 4;

base::Result<void> run_guarded(const PeriodicWork& work) {
  try {
    return work.run();
  } catch (const std::exception& e) {
    return base::internal_error(e.what());
  }
}

}  // namespace

struct Supervisor::Worker {
  PeriodicWork work;
  service::WorkerStatus status;
  std::thread thread;
};

Supervisor::Supervisor(std::vector<PeriodicWork> works, const base::Clock& clock) : clock_(clock) {
  for (auto& work : works) {
    auto worker = std::make_unique<Worker>();
    worker->status.name = work.name;
    worker->work = std::move(work);
    workers_.push_back(std::move(worker));
  }
  for (auto& worker : workers_) worker->thread = std::thread([this, &worker = *worker] { work_loop(worker); });
}

Supervisor::~Supervisor() { stop(); }

void Supervisor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& worker : workers_)
    if (worker->thread.joinable()) worker->thread.join();
}

std::vector<service::WorkerStatus> Supervisor::status() const {
  const std::lock_guard lock(mutex_);
  std::vector<service::WorkerStatus> all;
  for (const auto& worker : workers_) all.push_back(worker->status);
  return all;
}

void Supervisor::work_loop(Worker& worker) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto result = run_guarded(worker.work);
    lock.lock();
    ++worker.status.runs;
    if (result) {
      worker.status.failures_in_a_row = 0;
    } else {
      ++worker.status.failures_in_a_row;
      worker.status.last_error = result.error().text();
      worker.status.last_error_time = clock_.now();
      if (worker.status.failures_in_a_row == 1)
        spdlog::error("Background work {} failed and will be tried again: {} {}", worker.status.name,
                      result.error().text(), result.error().cause());
    }
    const auto doublings = std::min(worker.status.failures_in_a_row, backoff_doublings_max);
    wake_.wait_for(lock, worker.work.interval * (1U << doublings), [this] { return stopping_; });
  }
}

}  // namespace quire::work
