#include <gmock/gmock.h>

#include "support/service_world.h"

// What uses a library keeps it, and if the library says so its items, from being deleted.

namespace quire {
namespace {

using content::LibraryUsage;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::why;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

constexpr auto urn = "urn:vmomi:vm:vm-12";

class LibraryUsageTest : public test_support::ServiceTest {
 protected:
  content::UsageId add(const std::string& resource = urn) { return must(usages().add(alice(), library_, resource)); }
  service::Usages& usages() { return world_->usages(); }
  void protect_items(bool protect) {
    service::LibrarySpec spec;
    spec.usage_protects_items = protect;
    must(world_->libraries().update(alice(), library_, spec));
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, LibraryUsageTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, LibraryUsageTest, testing::Values(Engine::Postgresql));

TEST_P(LibraryUsageTest, IsListedAndFoundUntilItIsRemoved) {
  EXPECT_THAT(must(usages().list(alice(), library_)), IsEmpty());
  const auto first = add();
  const auto second = add("urn:vmomi:vm:vm-13");
  EXPECT_THAT(must(usages().list(alice(), library_)),
              ElementsAre(Field(&LibraryUsage::id, first), Field(&LibraryUsage::id, second)));
  EXPECT_EQ(must(usages().get(alice(), library_, first)).resource_urn, urn);
  must(usages().remove(alice(), library_, first));
  EXPECT_EQ(kind(usages().get(alice(), library_, first)), "not_found");
  EXPECT_EQ(kind(usages().remove(alice(), library_, first)), "not_found");
  add();
}

TEST_P(LibraryUsageTest, OneResourceUsesALibraryOnce) {
  add();
  EXPECT_EQ(kind(usages().add(alice(), library_, urn)), "already_exists");
  const auto other = must(world_->libraries().create_local(alice(), test_support::library_spec("other"), {}));
  must(usages().add(alice(), other, urn));
}

TEST_P(LibraryUsageTest, AUsageBelongsToItsLibrary) {
  const auto id = add();
  const auto other = must(world_->libraries().create_local(alice(), test_support::library_spec("other"), {}));
  EXPECT_EQ(kind(usages().get(alice(), other, id)), "not_found");
  EXPECT_EQ(kind(usages().remove(alice(), other, id)), "not_found");
  EXPECT_EQ(kind(usages().add(alice(), content::LibraryId("nonsense"), urn)), "not_found");
}

TEST_P(LibraryUsageTest, KeepsTheLibraryFromBeingDeletedUnlessByForce) {
  const auto id = add();
  EXPECT_EQ(why(world_->libraries().remove_local(alice(), library_)), "quire.library.in_use");
  EXPECT_EQ(why(world_->libraries().remove(alice(), library_, service::Deletion::unless_used)), "quire.library.in_use");
  must(world_->items().remove(alice(), item_));
  must(usages().remove(alice(), library_, id));
  add();
  must(world_->libraries().remove(alice(), library_, service::Deletion::forced));
  EXPECT_EQ(kind(usages().list(alice(), library_)), "not_found");
}

TEST_P(LibraryUsageTest, KeepsItemsFromBeingDeletedIfTheLibrarySaysSo) {
  protect_items(true);
  must(world_->items().remove(alice(), new_item("not used yet", "")));
  add();
  EXPECT_EQ(why(world_->items().remove(alice(), item_)), "quire.library.in_use");
  protect_items(false);
  must(world_->items().remove(alice(), item_));
}

TEST_P(LibraryUsageTest, ThereAreOnlySoMany) {
  content::Limits limits;
  limits.library_usages_max = 1;
  make_world({}, limits);
  add();
  EXPECT_EQ(why(usages().add(alice(), library_, "urn:vmomi:vm:vm-13")), "quire.library.too_many_usages");
}

}  // namespace
}  // namespace quire
