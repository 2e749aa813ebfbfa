#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/service_world.h"

namespace quire {
namespace {

using test_support::alice;
using test_support::Engine;

/// Copies of an item to a library whose content lies on another storage.
class CopyBetweenStoragesTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    elsewhere_ =
        must(world_->libraries().create_local(alice(), test_support::other_library_spec("elsewhere"), std::nullopt));
    fill(item_, {{"disk.img", body_}});
  }

  auto copy() {
    return world_->items().copy(alice(), item_, test_support::item_spec(elsewhere_, "copy", ""), std::nullopt);
  }
  const std::string body_ = std::string(3 * 1024 * 1024, 'a') + "end";
  content::LibraryId elsewhere_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, CopyBetweenStoragesTest, testing::Values(Engine::Sqlite));

TEST_P(CopyBetweenStoragesTest, BringsTheBytes) {
  const auto id = must(copy());
  EXPECT_EQ(world_->files_in("other store"), 1U);
  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(world_->content_of(id).value().at("disk.img"), body_);
}

/// A blob whose bytes have changed in its storage was copied as if it were whole.
TEST_P(CopyBetweenStoragesTest, RefusesADamagedBlobAndLeavesNothing) {
  const auto path = world_->blob_file(world_->look([&](content::CatalogReader& reader) {
    return reader.list<content::ContentFile>(reader.find<content::Item>(item_)->content).front().blob;
  }));
  std::filesystem::permissions(path, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(2'000'000).put('b');
  EXPECT_EQ(test_support::why(copy()), "quire.blob.damaged");
  EXPECT_EQ(world_->files_in("other store"), 0U);
  content::ItemFilter in_it;
  in_it.library_id = elsewhere_;
  EXPECT_THAT(must(world_->items().find(alice(), in_it)), testing::IsEmpty());
}

}  // namespace
}  // namespace quire
