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

TEST(InlineCalls, RunAsManyAtOnceAsThereAreThreads) {
  InlineCalls calls(2);
  auto third = [&] { return calls.try_run(quick).has_value(); };
  auto second = [&] { return calls.try_run(third); };
  EXPECT_EQ(calls.try_run(second), std::optional(std::optional(false)));
  EXPECT_EQ(calls.try_run(quick), 1) << "the places are free again";
}

TEST(InlineCalls, LeaveAThreadToTheNetworkAfterALongOne) {
  InlineCalls calls(2);
  EXPECT_EQ(calls.try_run(slow), 2);
  auto second = [&] { return calls.try_run(quick).has_value(); };
  EXPECT_EQ(calls.try_run(second), false);

  InlineCalls only(1);
  EXPECT_EQ(only.try_run(slow), 2);
  EXPECT_EQ(only.try_run(quick), std::nullopt);
}

TEST(InlineCalls, NoneWithoutThreads) {
  InlineCalls calls(0);
  EXPECT_EQ(calls.try_run(quick), std::nullopt);
}

}  // namespace
}  // namespace quire::http
