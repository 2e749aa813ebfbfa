#include "adapters/objects/watched_object_store.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "support/manual_clock.h"
#include "support/memory_object_store.h"

namespace quire::adapters::objects {
namespace {

using base::Error;
using base::ErrorKind;

using Fate = test_support::MemoryObjectStore::Fate;

/// A watched store that works or not, as it is told.
struct World {
  test_support::ManualClock clock;
  std::atomic<bool> works = true;
  std::atomic<int> gets = 0;
  std::unique_ptr<WatchedObjectStore> store;

  World() {
    auto inner = std::make_unique<test_support::MemoryObjectStore>(clock);
    inner->set_script([this](std::string_view call, std::string_view) {
      const auto fate = works ? Fate::works : Fate::fails;
      if (call == "get") ++gets;
      gets.notify_all();
      return fate;
    });
    store = std::make_unique<WatchedObjectStore>(std::move(inner), clock);
  }
};

TEST(WatchedObjectStore, KnowsHowTheLastCallEnded) {
  World world;
  EXPECT_FALSE(world.store->problem());
  world.works = false;
  EXPECT_FALSE(world.store->list("", ""));
  ASSERT_TRUE(world.store->problem());
  EXPECT_EQ(world.store->problem()->kind(), ErrorKind::service_unavailable);
  world.works = true;
  std::array<std::byte, 1> buffer{};
  EXPECT_FALSE(world.store->get("missing", 0, buffer)) << "an answer, although none that was hoped for";
  EXPECT_FALSE(world.store->problem());
  const std::vector<std::string> keys{"a"};
  for (const auto& fail : std::vector<std::function<void()>>{[&] { EXPECT_FALSE(world.store->put("a", {}, "")); },
                                                             [&] { EXPECT_FALSE(world.store->remove(keys)); }}) {
    world.works = false;
    fail();
    EXPECT_TRUE(world.store->problem());
    world.works = true;
    EXPECT_TRUE(world.store->list("", ""));
    EXPECT_FALSE(world.store->problem());
  }
  EXPECT_EQ(world.gets, 1) << "nobody asks a store that is in use";
}

TEST(WatchedObjectStore, AsksAStoreThatNobodyUses) {
  World world;
  world.works = false;
  world.clock.advance(std::chrono::seconds(2));
  EXPECT_FALSE(world.store->problem()) << "it does not wait";
  world.gets.wait(0);
  while (!world.store->problem()) std::this_thread::yield();
  world.works = true;
  world.clock.advance(std::chrono::seconds(2));
  while (world.store->problem()) std::this_thread::yield();
  EXPECT_EQ(world.gets, 2);
}

}  // namespace
}  // namespace quire::adapters::objects
