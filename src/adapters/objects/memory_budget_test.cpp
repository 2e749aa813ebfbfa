#include "adapters/objects/memory_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace quire::adapters::objects {
namespace {

TEST(MemoryBudget, GivesNoMoreThanThereIs) {
  MemoryBudget memory(100);
  EXPECT_TRUE(memory.try_take(60));
  EXPECT_FALSE(memory.try_take(41));
  EXPECT_TRUE(memory.try_take(40));
  memory.give(60);
  EXPECT_EQ(memory.used_bytes(), 40U);
  EXPECT_EQ(memory.most_used_bytes(), 100U);
}

TEST(MemoryBudget, WhoeverWaitsIsHelpedAndGoesFirst) {
  MemoryBudget memory(100);
  std::atomic<int> asked{0};
  std::atomic<bool> took{false};
  memory.set_relieve([&] {
    ++asked;
    asked.notify_all();
  });
  ASSERT_TRUE(memory.try_take(80));
  std::jthread waiting([&] {
    memory.take(50);
    took = true;
  });
  asked.wait(0);
  EXPECT_EQ(memory.lack().now, 30U);
  EXPECT_FALSE(memory.try_take(1)) << "there are 20, but somebody else waits for them";
  memory.leaving(20);
  EXPECT_EQ(memory.lack().now, 30U);
  EXPECT_EQ(memory.lack().still, 10U);
  memory.give_leaving(20);
  EXPECT_FALSE(took);
  memory.give(10);
  waiting.join();
  EXPECT_EQ(memory.lack().now, 0U);
  EXPECT_EQ(memory.used_bytes(), 100U);
}

TEST(MemoryBudget, MoreThanThereCanEverBeIsForOneAlone) {
  MemoryBudget memory(100);
  memory.take(150);
  EXPECT_FALSE(memory.try_take(1));
  memory.give(150);
  EXPECT_TRUE(memory.try_take(1));
}

TEST(MemoryBudget, ManyThreadsGetTheirTurns) {
  MemoryBudget memory(100);
  memory.set_relieve([] {});
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < 8; ++i)
      threads.emplace_back([&memory, i] {
        for (int round = 0; round < 500; ++round) {
          memory.take(10 + 13 * i);
          memory.give(10 + 13 * i);
        }
      });
  }
  EXPECT_EQ(memory.used_bytes(), 0U);
  EXPECT_LE(memory.most_used_bytes(), 101U) << "the largest asks for 101, alone";
}

}  // namespace
}  // namespace quire::adapters::objects
