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

void enter_often(SyncSlots& slots, const std::string& item, std::size_t items_max, Count& count) {
  const std::atomic<bool> stop = false;
  for (int i = 0; i < 200; ++i) {
    const auto slot = slots.enter(item, items_max, stop);
    ASSERT_TRUE(slot);
    count.enter();
    std::this_thread::yield();
    --count.now;
  }
}

TEST(SyncSlotsTest, OneItemIsFetchedByOneOnly) {
  SyncSlots slots;
  Count count;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { enter_often(slots, "item", 10, count); });
  }
  EXPECT_EQ(count.most, 1);
}

TEST(SyncSlotsTest, NoMoreItemsAreFetchedThanMayBe) {
  SyncSlots slots;
  Count count;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i)
      threads.emplace_back([&, i] { enter_often(slots, "item " + std::to_string(i), 2, count); });
  }
  EXPECT_LE(count.most, 2);
}

TEST(SyncSlotsTest, WhoIsToStopGetsNone) {
  SyncSlots slots;
  std::atomic<bool> stop = false;
  const auto first = slots.enter("item", 1, stop);
  ASSERT_TRUE(first);
  stop = true;
  EXPECT_FALSE(slots.enter("item", 1, stop));
  EXPECT_FALSE(slots.enter("other", 1, stop));
  EXPECT_FALSE(slots.enter("other", 2, stop));
}

TEST(SyncSlotsTest, AMovedSlotIsLeftOnce) {
  SyncSlots slots;
  const std::atomic<bool> stop = false;
  {
    auto slot = slots.enter("item", 1, stop);
    ASSERT_TRUE(slot);
    const auto moved = *std::move(slot);
  }
  EXPECT_TRUE(slots.enter("item", 1, stop));
}

}  // namespace
}  // namespace quire::service
