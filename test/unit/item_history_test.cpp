#include <gmock/gmock.h>

#include "support/service_world.h"

// The history of an item's content (content-library-api.md §19).

namespace quire {
namespace {

using namespace std::chrono_literals;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::why;
using testing::IsEmpty;

class ItemHistoryTest : public test_support::ServiceTest {
 protected:
  std::vector<content::Change> history(const content::ItemId& id) { return must(world_->items().changes(alice(), id)); }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, ItemHistoryTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, ItemHistoryTest, testing::Values(Engine::Postgresql));

TEST_P(ItemHistoryTest, HasOneChangeForEachContentVersion) {
  EXPECT_THAT(history(item_), IsEmpty());
  fill(item_, {{"a", "first"}});
  const auto first = world_->clock().now();
  advance(1h);
  fill(item_, {{"b", "second"}});
  const auto changes = history(item_);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0], (content::Change{2, first, alice().user}));
  EXPECT_EQ(changes[1], (content::Change{3, first + 1h, alice().user}));
  EXPECT_EQ(must(world_->items().change(alice(), item_, "3")), changes[1]);
}

TEST_P(ItemHistoryTest, KnowsNothingOfWhatChangedNoContent) {
  fill(item_, {{"a", "first"}});
  auto renamed = test_support::item_spec(library_, "renamed", "");
  must(world_->items().update(alice(), item_, renamed));
  const auto cancelled = open();
  push(cancelled, "b", "never");
  must(sessions().cancel(alice(), cancelled));
  must(sessions().complete(alice(), open()));
  EXPECT_EQ(history(item_).size(), 1U);
}

TEST_P(ItemHistoryTest, ACopyHasAHistoryOfItsOwn) {
  fill(item_, {{"a", "first"}});
  fill(item_, {{"a", "second"}});
  service::ItemSpec destination;
  destination.library_id = library_.text();
  destination.name = "copy";
  const auto copy = must(world_->items().copy(test_support::bob(), item_, destination, std::nullopt));
  const auto changes = history(copy);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].user, test_support::bob().user);
}

TEST_P(ItemHistoryTest, WhatIsNotThereIsNotFound) {
  fill(item_, {{"a", "first"}});
  for (const auto* version : {"1", "3", "", "02", "2 ", "two", "99999999999999999999"})
    EXPECT_EQ(why(world_->items().change(alice(), item_, version)), "quire.item.change_not_found") << version;
  const content::ItemId gone("gone");
  EXPECT_EQ(why(world_->items().changes(alice(), gone)), "quire.item.not_found");
  EXPECT_EQ(kind(world_->items().change(alice(), gone, "2")), "not_found");
  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(kind(world_->items().changes(alice(), item_)), "not_found");
}

}  // namespace
}  // namespace quire
