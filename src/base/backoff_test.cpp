#include "base/backoff.h"

#include <gtest/gtest.h>

#include <limits>

namespace quire::base {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(BackoffTest, DoublesUpToTheMost) {
  EXPECT_EQ(backoff(0, seconds(1), minutes(5)), seconds(1));
  EXPECT_EQ(backoff(1, seconds(1), minutes(5)), seconds(1));
  EXPECT_EQ(backoff(2, seconds(1), minutes(5)), seconds(2));
  EXPECT_EQ(backoff(9, seconds(1), minutes(5)), seconds(256));
  EXPECT_EQ(backoff(10, seconds(1), minutes(5)), minutes(5));
  EXPECT_EQ(backoff(std::numeric_limits<std::int64_t>::max(), seconds(1), minutes(5)), minutes(5));
}

}  // namespace
}  // namespace quire::base
