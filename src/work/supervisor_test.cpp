#include "work/supervisor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace quire::work {
namespace {

TEST(Supervisor, RunsWorkAgainAfterFailuresAndExceptions) {
  std::atomic<int> runs{0};
  std::promise<void> third;
  {
    Supervisor supervisor({{"expiry", std::chrono::milliseconds(1), [&]() -> base::Result<void> {
                              const int run = ++runs;
                              if (run == 1) return base::internal_error("disk on fire");
                              if (run == 2) throw std::runtime_error("library on fire");
                              if (run == 3) third.set_value();
                              return {};
                            }}});
    third.get_future().wait();
    supervisor.stop();
    const auto status = supervisor.status();
    ASSERT_EQ(status.size(), 1U);
    EXPECT_GE(status[0].runs, 3U);
    EXPECT_EQ(status[0].failures_in_a_row, 0U);
    EXPECT_NE(status[0].last_error.find("library on fire"), std::string::npos);
  }
}

TEST(Supervisor, StopsWhileWaiting) {
  Supervisor supervisor({{"slow", std::chrono::hours(1), []() -> base::Result<void> { return {}; }}});
  supervisor.stop();
  supervisor.stop();
}

}  // namespace
}  // namespace quire::work
