#include "service/transfer/fetch_retry.h"

#include <gtest/gtest.h>

namespace quire::service {
namespace {

using namespace std::chrono_literals;

TEST(FetchRetryTest, WaitsTwiceAsLongEachTimeUpToABound) {
  const content::FetchOutcome outcome;
  EXPECT_EQ(delay_before_next_fetch(outcome, 0, 0), 1s);
  EXPECT_EQ(delay_before_next_fetch(outcome, 1, 0), 1s);
  EXPECT_EQ(delay_before_next_fetch(outcome, 2, 0), 2s);
  EXPECT_EQ(delay_before_next_fetch(outcome, 5, 0), 16s);
  EXPECT_EQ(delay_before_next_fetch(outcome, 6, 0), fetch_backoff_max);
  EXPECT_EQ(delay_before_next_fetch(outcome, 1'000'000, 0), fetch_backoff_max);
}

TEST(FetchRetryTest, WaitsUpToHalfOfItMoreByChance) {
  const content::FetchOutcome outcome;
  base::Duration most(0);
  for (std::uint64_t random = 0; random < 100'000; random += 7)
    most = std::max(most, delay_before_next_fetch(outcome, 2, random * 1'000'003));
  EXPECT_GT(most, 2900ms);
  EXPECT_LE(most, 3s);
}

TEST(FetchRetryTest, WaitsAsLongAsItIsAskedToWithinReason) {
  content::FetchOutcome outcome;
  outcome.retry_after = 7s;
  EXPECT_EQ(delay_before_next_fetch(outcome, 1, 12345), 7s);
  outcome.retry_after = 24h;
  EXPECT_EQ(delay_before_next_fetch(outcome, 1, 12345), 5min);
}

}  // namespace
}  // namespace quire::service
