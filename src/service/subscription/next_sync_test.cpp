#include <gtest/gtest.h>

#include "service/subscription/synchronizations.h"

namespace quire::service {
namespace {

using namespace std::chrono_literals;

const auto now = *base::parse_time("2026-01-01T00:00:00.000Z");

TEST(NextSyncTest, ComesAfterTheIntervalWithUpToATenthMore) {
  EXPECT_EQ(next_automatic_sync(now, 100min, 0, 0), now + 100min);
  for (const std::uint64_t random : {1ULL, 1000ULL, 123'456'789ULL, 0xFEDC'BA98'7654'3210ULL, ~0ULL}) {
    const auto next = next_automatic_sync(now, 100min, 0, random);
    EXPECT_GE(next, now + 100min);
    EXPECT_LE(next, now + 110min);
  }
}

TEST(NextSyncTest, ComesSoonerAfterFailuresButNeverLaterThanTheInterval) {
  EXPECT_EQ(next_automatic_sync(now, 100min, 1, 0), now + 5min);
  EXPECT_EQ(next_automatic_sync(now, 100min, 2, 0), now + 10min);
  EXPECT_EQ(next_automatic_sync(now, 100min, 5, 0), now + 80min);
  EXPECT_EQ(next_automatic_sync(now, 100min, 6, 0), now + 100min);
  EXPECT_EQ(next_automatic_sync(now, 100min, 1'000'000, 0), now + 100min);
  EXPECT_EQ(next_automatic_sync(now, 2min, 1, 0), now + 2min);
}

}  // namespace
}  // namespace quire::service
