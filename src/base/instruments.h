#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace quire::base {

/// A number that only grows. Any thread adds, without a lock; readers may see parts of what is being added.
class Counter {
 public:
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// How many of something there are now. As Counter.
class Level {
 public:
  void rise() { value_.fetch_add(1, std::memory_order_relaxed); }
  void fall() { value_.fetch_sub(1, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_ = 0;
};

/// How long something takes: counts by upper bound, and the sum. As Counter.
class Durations {
 public:
  static constexpr std::array bounds_seconds = {0.0002, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                0.1,    0.25,  0.5,    1.0,   2.5,  10.0,  60.0};

  void add(std::chrono::nanoseconds time) {
    const double seconds = std::chrono::duration<double>(time).count();
    const auto* const bound = std::lower_bound(bounds_seconds.begin(), bounds_seconds.end(), seconds);
    counts_[static_cast<std::size_t>(bound - bounds_seconds.begin())].add();
    nanoseconds_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.count())));
  }
  /// At most that bound and more than the one before; the last one is of those above all bounds.
  std::uint64_t count(std::size_t bound) const { return counts_[bound].value(); }
  double sum_seconds() const { return static_cast<double>(nanoseconds_.value()) / 1e9; }
  std::uint64_t total() const {
    std::uint64_t all = 0;
    for (const auto& count : counts_) all += count.value();
    return all;
  }

 private:
  std::array<Counter, bounds_seconds.size() + 1> counts_;
  Counter nanoseconds_;
};

/// Adds the time that it lives.
class Stopwatch {
 public:
  explicit Stopwatch(Durations& durations) : durations_(durations) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() { durations_.add(std::chrono::steady_clock::now() - begin_); }

 private:
  Durations& durations_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace quire::base
