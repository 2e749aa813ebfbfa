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
  std::string fails;  ///< calls that do, whatever else works
  std::unique_ptr<WatchedObjectStore> store;

  World() {
    auto inner = std::make_unique<test_support::MemoryObjectStore>(clock);
    inner->set_script([this](std::string_view call, std::string_view) {
      const auto fate = works && call != fails ? Fate::works : Fate::fails;
      if (call == "get") ++gets;
      gets.notify_all();
      return fate;
    });
    store = std::make_unique<WatchedObjectStore>(std::move(inner), clock);
  }
};

void wait_for_problem(World& world, bool there) {
  while (world.store->problem().has_value() != there) std::this_thread::yield();
}

TEST(WatchedObjectStore, AFailureIsLookedInto) {
  World world;
  const std::vector<std::string> keys{"a"};
  std::array<std::byte, 1> buffer{};
  for (const auto& fail : std::vector<std::function<bool()>>{
           [&] { return bool(world.store->put("a", {}, "")); }, [&] { return bool(world.store->get("a", 0, buffer)); },
           [&] { return bool(world.store->remove(keys)); }, [&] { return bool(world.store->list("", "")); }}) {
    EXPECT_FALSE(world.store->problem());
    world.works = false;
    EXPECT_FALSE(fail());
    wait_for_problem(world, true);
    EXPECT_EQ(world.store->problem()->kind(), ErrorKind::service_unavailable);
    world.works = true;
    EXPECT_FALSE(fail()) << "nobody waits for a store that does not answer";
    world.clock.advance(std::chrono::seconds(2));
    wait_for_problem(world, false);
  }
}

/// A call may be refused for a reason of its own.
TEST(WatchedObjectStore, AStoreThatAnswersHasNoProblem) {
  World world;
  world.fails = "remove";
  const std::vector<std::string> keys{"a"};
  EXPECT_FALSE(world.store->remove(keys));
  world.gets.wait(0);
  std::array<std::byte, 1> buffer{};
  const auto missing = world.store->get("missing", 0, buffer);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::not_found);
  EXPECT_FALSE(world.store->problem());
  EXPECT_TRUE(world.store->list("", ""));
}

TEST(WatchedObjectStore, AsksAStoreThatNobodyUses) {
  World world;
  world.works = false;
  EXPECT_FALSE(world.store->problem());
  world.clock.advance(std::chrono::seconds(2));
  wait_for_problem(world, true);
  world.works = true;
  world.clock.advance(std::chrono::seconds(2));
  wait_for_problem(world, false);
}

}  // namespace
}  // namespace quire::adapters::objects
