#include <gmock/gmock.h>

#include "support/service_world.h"

// What a descriptor says is stored with it. Where it is not, its bytes are read, and if that fails nothing goes on as
// if the descriptor said nothing: a package whose files are missing completed that way once.

namespace quire {
namespace {

using test_support::alice;
using test_support::Engine;
using test_support::FaultPoint;
using test_support::Faults;
using test_support::kind;
using test_support::why;

const std::string descriptor =
    "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\">"
    "<References><File ovf:id=\"d\" ovf:href=\"disk.vmdk\"/></References></Envelope>";

class PackageFactsTest : public test_support::ServiceTest {
 protected:
  /// An item that was no package when its files came.
  void fill_before_it_is_a_package() {
    fill(item_, {{"vm.ovf", descriptor}, {"disk.vmdk", "a disk"}});
    service::ItemSpec spec;
    spec.type = "ovf";
    must(world_->items().update(alice(), item_, spec));
  }
  content::ContentFile stored_descriptor() {
    return world_->look([&](content::CatalogReader& reader) {
      return reader.find<content::ContentFile>({reader.find<content::Item>(item_)->content, "vm.ovf"}).value();
    });
  }
  void lose_descriptor() { std::filesystem::remove(world_->blob_file(stored_descriptor().blob)); }
  std::string create() { return kind(sessions().create(alice(), item_.text(), std::nullopt, std::nullopt)); }
  /// Whether a session notices that the descriptor's disk is gone.
  void expect_missing_disk() {
    const auto id = open();
    must(sessions().remove_file(alice(), id, "disk.vmdk"));
    EXPECT_EQ(must(sessions().validate(alice(), id)).missing_files, std::vector<std::string>{"disk.vmdk"});
    EXPECT_EQ(why(sessions().complete(alice(), id)), "quire.package.files_missing");
    must(sessions().cancel(alice(), id));
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, PackageFactsTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, PackageFactsTest, testing::Values(Engine::Postgresql));

TEST_P(PackageFactsTest, AreStoredWhenTheDescriptorComes) {
  item_ = new_item("package", "ovf");
  fill(item_, {{"vm.ovf", descriptor}, {"disk.vmdk", "a disk"}});
  lose_descriptor();  // nobody needs to read it
  expect_missing_disk();
}

TEST_P(PackageFactsTest, AreReadOfAnItemThatBecameAPackage) {
  fill_before_it_is_a_package();
  expect_missing_disk();
  lose_descriptor();
  expect_missing_disk();
}

TEST_P(PackageFactsTest, AreReadInACatalogOfAnOlderVersion) {
  item_ = new_item("package", "ovf");
  fill(item_, {{"vm.ovf", descriptor}, {"disk.vmdk", "a disk"}});
  world_->change([&](content::CatalogWriter& writer) {
    auto file = stored_descriptor();
    file.facts.reset();
    writer.put(writer.find<content::Item>(item_)->content, file);
  });
  expect_missing_disk();
  EXPECT_TRUE(stored_descriptor().facts);
}

TEST_P(PackageFactsTest, ADescriptorThatCannotBeReadIsAnError) {
  fill_before_it_is_a_package();
  lose_descriptor();
  const auto refused = sessions().create(alice(), item_.text(), std::nullopt, std::nullopt);
  ASSERT_EQ(kind(refused), "resource_inaccessible");
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("vm.ovf of item item"));
  EXPECT_TRUE(must(sessions().list(alice(), item_)).empty());
}

TEST_P(PackageFactsTest, AFailingReadIsAnErrorAndTheNextCallGoesOn) {
  fill_before_it_is_a_package();
  for (std::size_t k = 1;; ++k) {
    Faults faults(Faults::Kind::error, k, {FaultPoint::before_blob_call});
    world_->wire_faults(&faults);
    const auto outcome = create();
    world_->wire_faults(nullptr);
    if (!faults.struck()) {
      EXPECT_EQ(outcome, "");
      EXPECT_GT(k, 1U);
      return;
    }
    EXPECT_EQ(outcome, "resource_inaccessible") << faults.where();
    EXPECT_TRUE(must(sessions().list(alice(), item_)).empty());
  }
}

TEST_P(PackageFactsTest, ADescriptorOfALiveSessionIsReadToo) {
  const auto id = open();
  push(id, "vm.ovf", descriptor);
  service::ItemSpec spec;
  spec.type = "ovf";
  must(world_->items().update(alice(), item_, spec));
  EXPECT_EQ(why(sessions().complete(alice(), id)), "quire.package.files_missing");
}

}  // namespace
}  // namespace quire
