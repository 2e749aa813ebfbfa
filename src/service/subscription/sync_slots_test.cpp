#include "service/subscription/sync_slots.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace quire::service {
namespace {

/// How many are inside at once, and the most there ever were.
struct Count {
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  void enter() {
    const int inside = ++now;
    for (int before = most; before < inside && !most.compare_exchange_weak(before, inside);) {
    }
  }
};

constexpr int often = 200;
constexpr std::size_t many = 10;

void work_often(SyncSlots& slots, const std::string& item, Count& count) {
  const std::atomic<bool> stop = false;
  for (int i = 0; i < often; ++i) {
    const auto slot = slots.enter(item, stop);
    ASSERT_TRUE(slot);
    count.enter();
    std::this_thread::yield();
    --count.now;
  }
}

void fetch_often(SyncSlots& slots, std::size_t items_max, Count& count) {
  const std::atomic<bool> stop = false;
  for (int i = 0; i < often; ++i) {
    const auto slot = slots.begin_fetching(items_max, stop);
    ASSERT_TRUE(slot);
    count.enter();
    std::this_thread::yield();
    --count.now;
  }
}

TEST(SyncSlotsTest, OneItemIsWorkedOnByOneOnly) {
  SyncSlots slots;
  Count count;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { work_often(slots, "item", count); });
  }
  EXPECT_EQ(count.most, 1);
}

TEST(SyncSlotsTest, NoMoreItemsAreFetchedThanMayBe) {
  SyncSlots slots;
  Count count;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) threads.emplace_back([&] { fetch_often(slots, 2, count); });
  }
  EXPECT_LE(count.most, 2);
}

TEST(SyncSlotsTest, WhoHasFetchedMakesRoomBeforeItsItemIsDone) {
  SyncSlots slots;
  const std::atomic<bool> stop = false;
  const auto first = slots.enter("first", stop);
  {
    EXPECT_TRUE(slots.begin_fetching(1, stop));
  }
  const auto second = slots.enter("second", stop);
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_TRUE(slots.begin_fetching(1, stop));
}

TEST(SyncSlotsTest, WhoIsToStopGetsNone) {
  SyncSlots slots;
  std::atomic<bool> stop = false;
  const auto item = slots.enter("item", stop);
  const auto fetch = slots.begin_fetching(1, stop);
  ASSERT_TRUE(item);
  ASSERT_TRUE(fetch);
  stop = true;
  EXPECT_FALSE(slots.enter("item", stop));
  EXPECT_FALSE(slots.enter("other", stop));
  EXPECT_FALSE(slots.begin_fetching(1, stop));
  EXPECT_FALSE(slots.begin_fetching(many, stop));
}

TEST(SyncSlotsTest, MovedSlotsAreLeftOnce) {
  SyncSlots slots;
  const std::atomic<bool> stop = false;
  {
    auto item = slots.enter("item", stop);
    auto fetch = slots.begin_fetching(1, stop);
    ASSERT_TRUE(item);
    ASSERT_TRUE(fetch);
    const auto moved_item = *std::move(item);
    const auto moved_fetch = *std::move(fetch);
  }
  EXPECT_TRUE(slots.enter("item", stop));
  EXPECT_TRUE(slots.begin_fetching(1, stop));
}

}  // namespace
}  // namespace quire::service
