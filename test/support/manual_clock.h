#pragma once

#include <atomic>

#include "base/clock.h"

namespace quire::test_support {

/// A clock that stands still until a test moves it. All threads may call it.
class ManualClock final : public base::Clock {
 public:
  explicit ManualClock(base::Time start = *base::parse_time("2026-01-01T00:00:00.000Z")) : start_(start) {}

  base::Time now() const override { return start_ + passed_.load() + set_.load(); }
  base::Duration uptime() const override { return passed_.load(); }

  void advance(base::Duration by) { add(passed_, by); }
  /// The wall clock is set, forward or back; no time passes.
  void step(base::Duration by) { add(set_, by); }

 private:
  static void add(std::atomic<base::Duration>& to, base::Duration by) {
    auto before = to.load();
    while (!to.compare_exchange_weak(before, before + by)) {
    }
  }

  const base::Time start_;
  std::atomic<base::Duration> passed_{base::Duration::zero()};
  std::atomic<base::Duration> set_{base::Duration::zero()};
};

}  // namespace quire::test_support
