#include "http/server_parts.h"

#include <gtest/gtest.h>

namespace quire::http {
namespace {

int quick() { return 1; }

/// Takes as long as a call that reads a large table, or waits.
int slow() {
  const auto end = std::chrono::steady_clock::now() + 2 * InlineCalls::long_call;
  while (std::chrono::steady_clock::now() < end) {
  }
  return 2;
}

TEST(InlineCalls, RunWhileTheyAreShort) {
  InlineCalls calls(true);
  auto second = [&] { return calls.try_run(quick); };
  EXPECT_EQ(calls.try_run(second), std::optional(std::optional(1)));
  EXPECT_EQ(calls.try_run(quick), 1);
}

TEST(InlineCalls, LeaveTheThreadToTheNetworkAfterALongOne) {
  InlineCalls calls(true);
  EXPECT_EQ(calls.try_run(slow), 2);
  EXPECT_EQ(calls.try_run(quick), std::nullopt);
}

TEST(InlineCalls, NoneWhereTheyAreNotAllowed) {
  InlineCalls calls(false);
  EXPECT_EQ(calls.try_run(quick), std::nullopt);
}

}  // namespace
}  // namespace quire::http
