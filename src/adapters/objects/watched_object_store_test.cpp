#include "adapters/objects/watched_object_store.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/manual_clock.h"

namespace quire::adapters::objects {
namespace {

using base::Error;
using base::ErrorKind;

/// Answers as it is told to.
class ToldObjectStore final : public content::ObjectStore {
 public:
  base::Result<void> put(std::string_view, std::span<const std::byte>, std::string_view) override { return answer(); }
  base::Result<std::size_t> get(std::string_view, std::int64_t, std::span<std::byte>) override {
    ++gets;
    gets.notify_all();
    if (!works) return away();
    return Error(ErrorKind::not_found, "test.missing", "No such object.");
  }
  base::Result<void> remove(std::span<const std::string>) override { return answer(); }
  base::Result<Page> list(std::string_view, std::string_view) override {
    if (!works) return away();
    return Page{};
  }

  static Error away() { return {ErrorKind::service_unavailable, "test.away", "The store is away."}; }

  std::atomic<bool> works = true;
  std::atomic<int> gets = 0;

 private:
  base::Result<void> answer() const { return works ? base::Result<void>() : away(); }
};

struct World {
  test_support::ManualClock clock;
  ToldObjectStore* told = nullptr;
  std::unique_ptr<WatchedObjectStore> store;

  World() {
    auto inner = std::make_unique<ToldObjectStore>();
    told = inner.get();
    store = std::make_unique<WatchedObjectStore>(std::move(inner), clock);
  }
};

TEST(WatchedObjectStore, KnowsHowTheLastCallEnded) {
  World world;
  EXPECT_FALSE(world.store->problem());
  world.told->works = false;
  EXPECT_FALSE(world.store->list("", ""));
  ASSERT_TRUE(world.store->problem());
  EXPECT_EQ(world.store->problem()->kind(), ErrorKind::service_unavailable);
  world.told->works = true;
  std::array<std::byte, 1> buffer{};
  EXPECT_FALSE(world.store->get("missing", 0, buffer)) << "an answer, although none that was hoped for";
  EXPECT_FALSE(world.store->problem());
  for (const auto& fail : std::vector<std::function<void()>>{[&] { EXPECT_FALSE(world.store->put("a", {}, "")); },
                                                             [&] { EXPECT_FALSE(world.store->remove({})); }}) {
    world.told->works = false;
    fail();
    EXPECT_TRUE(world.store->problem());
    world.told->works = true;
    EXPECT_TRUE(world.store->list("", ""));
    EXPECT_FALSE(world.store->problem());
  }
  EXPECT_EQ(world.told->gets, 1) << "nobody asks a store that is in use";
}

TEST(WatchedObjectStore, AsksAStoreThatNobodyUses) {
  World world;
  world.told->works = false;
  world.clock.advance(std::chrono::seconds(2));
  EXPECT_FALSE(world.store->problem()) << "it does not wait";
  world.told->gets.wait(0);
  while (!world.store->problem()) std::this_thread::yield();
  world.told->works = true;
  world.clock.advance(std::chrono::seconds(2));
  while (world.store->problem()) std::this_thread::yield();
  EXPECT_EQ(world.told->gets, 2);
}

}  // namespace
}  // namespace quire::adapters::objects
