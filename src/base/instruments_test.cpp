#include "base/instruments.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace quire::base {
namespace {

using namespace std::chrono_literals;

TEST(Durations, CountsByUpperBound) {
  Durations durations;
  durations.add(200us);  // a bound belongs to what it bounds
  durations.add(201us);
  durations.add(2min);
  EXPECT_EQ(durations.count(0), 1U);
  EXPECT_EQ(durations.count(1), 1U);
  EXPECT_EQ(durations.count(Durations::bounds_seconds.size()), 1U);
  EXPECT_EQ(durations.total(), 3U);
  EXPECT_NEAR(durations.sum_seconds(), 120.000401, 1e-9);
}

TEST(Durations, AClockThatStepsBackAddsNothing) {
  Durations durations;
  durations.add(-1s);
  EXPECT_EQ(durations.total(), 1U);
  EXPECT_EQ(durations.sum_seconds(), 0);
}

TEST(Counter, LosesNothingBetweenThreads) {
  Counter counter;
  Level level;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int n = 0; n < 10'000; ++n) {
          counter.add(2);
          level.rise();
          level.fall();
        }
      });
  }
  EXPECT_EQ(counter.value(), 80'000U);
  EXPECT_EQ(level.value(), 0);
}

}  // namespace
}  // namespace quire::base
