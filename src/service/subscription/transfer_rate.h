#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "base/time.h"

namespace quire::service {

/// How fast bytes may come, for all who share it. All threads may call it.
class TransferRate {
 public:
  /// 0: as fast as they can.
  explicit TransferRate(std::int64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}

  /// From now on.
  void change(std::int64_t bytes_per_second) {
    const std::lock_guard lock(mutex_);
    bytes_per_second_ = bytes_per_second;
  }

  /// These bytes have come at `uptime`; how long to wait before the next ones.
  base::Duration after(std::int64_t bytes, base::Duration uptime) {
    using std::chrono::nanoseconds;
    const std::lock_guard lock(mutex_);
    if (bytes_per_second_ <= 0) return base::Duration(0);
    const auto time = nanoseconds(
        static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(bytes_per_second_)));
    free_at_ = std::max<nanoseconds>(free_at_, uptime) + time;
    return std::max(std::chrono::duration_cast<base::Duration>(free_at_ - uptime), base::Duration(0));
  }

 private:
  std::mutex mutex_;
  std::int64_t bytes_per_second_;
  std::chrono::nanoseconds free_at_{0};
};

}  // namespace quire::service
