#include "work/supervisor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace quire::work {
namespace {

TEST(Supervisor, RunsWorkAgainAfterFailuresAndExceptions) {
  std::atomic<int> runs{0};
  std::promise<void> third;
  const base::SystemClock clock;
  {
    Supervisor supervisor({{"expiry", std::chrono::milliseconds(1),
                            [&]() -> base::Result<void> {
                              const int run = ++runs;
                              if (run == 1) return base::internal_error("disk on fire");
                              if (run == 2) throw std::runtime_error("library on fire");
                              if (run == 3) third.set_value();
                              return {};
                            }}},
                          clock);
    third.get_future().wait();
    supervisor.stop();
    const auto status = supervisor.status();
    ASSERT_EQ(status.size(), 1U);
    EXPECT_GE(status[0].runs, 3);
    EXPECT_EQ(status[0].failures_in_a_row, 0);
    EXPECT_EQ(status[0].last_error, base::internal_error("").text()) << "causes are for the log only";
    EXPECT_TRUE(status[0].last_error_time);
  }
}

TEST(Supervisor, StopsWhileWaiting) {
  const base::SystemClock clock;
  Supervisor supervisor({{"slow", std::chrono::hours(1), []() -> base::Result<void> { return {}; }}}, clock);
  supervisor.stop();
  supervisor.stop();
}

}  // namespace
}  // namespace quire::work
