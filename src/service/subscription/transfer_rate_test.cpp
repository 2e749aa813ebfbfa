#include "service/subscription/transfer_rate.h"

#include <gtest/gtest.h>

namespace quire::service {
namespace {

using namespace std::chrono_literals;

TEST(TransferRateTest, WithoutABoundNothingWaits) {
  TransferRate rate(0);
  EXPECT_EQ(rate.after(1LL << 40U, 0s), 0s);
  EXPECT_EQ(rate.after(1LL << 40U, 0s), 0s);
}

TEST(TransferRateTest, BytesWaitForThoseBeforeThem) {
  TransferRate rate(1000);
  EXPECT_EQ(rate.after(500, 10s), 500ms);
  EXPECT_EQ(rate.after(500, 10s), 1s);
  EXPECT_EQ(rate.after(1000, 11s), 1s);
}

TEST(TransferRateTest, WhatWasNotUsedIsNotSaved) {
  TransferRate rate(1000);
  EXPECT_EQ(rate.after(1000, 0s), 1s);
  EXPECT_EQ(rate.after(1000, 1h), 1s);
}

TEST(TransferRateTest, ManySmallPiecesAreAsSlowAsOneLargeOne) {
  TransferRate rate(1'000'000'000);
  base::Duration wait(0);
  for (int i = 0; i < 1'000'000; ++i) wait = rate.after(1000, 0s);
  EXPECT_EQ(std::chrono::duration_cast<std::chrono::milliseconds>(wait), 1000ms);
}

TEST(TransferRateTest, AChangeCountsFromThenOn) {
  TransferRate rate(1000);
  EXPECT_EQ(rate.after(1000, 0s), 1s);
  rate.change(2000);
  EXPECT_EQ(rate.after(1000, 1s), 500ms);
  rate.change(0);
  EXPECT_EQ(rate.after(1000, 1s), 0s);
}

}  // namespace
}  // namespace quire::service
