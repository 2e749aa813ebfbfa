#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "adapters/files/file_blob_store.h"
#include "support/service_world.h"

namespace quire {
namespace {

using test_support::alice;
using test_support::Engine;
using test_support::kind;

/// Copies of an item to a library whose content lies on another storage.
class CopyBetweenStoragesTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    std::vector<content::Storage> all = world_->context().storages.all();
    const content::StorageId other("datastore-12");
    all.push_back({other, "other", "uuid-12", adapters::files::file_uri(folder_.path()),
                   must(adapters::files::open_file_blob_store(folder_.path() / "store", {"other", false}))});
    world_->context().storages = content::Storages(std::move(all));
    auto spec = test_support::library_spec("elsewhere");
    spec.storage_backings = {{content::StorageBackingType::DATASTORE, other.text(), std::nullopt}};
    elsewhere_ = must(world_->libraries().create_local(alice(), spec, std::nullopt));
    fill(item_, {{"disk.img", body_}});
  }

  auto copy() {
    return world_->items().copy(alice(), item_, test_support::item_spec(elsewhere_, "copy", ""), std::nullopt);
  }
  std::vector<std::string> files_elsewhere() const {
    std::vector<std::string> bodies;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path() / "store")) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      bodies.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return bodies;
  }

  const std::string body_ = std::string(3 * 1024 * 1024, 'a') + "end";
  test_support::TemporaryFolder folder_;
  content::LibraryId elsewhere_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, CopyBetweenStoragesTest, testing::Values(Engine::Sqlite));

TEST_P(CopyBetweenStoragesTest, BringsTheBytes) {
  must(copy());
  EXPECT_THAT(files_elsewhere(), testing::ElementsAre(body_));
}

/// A blob whose bytes have changed in its storage was copied as if it were whole.
TEST_P(CopyBetweenStoragesTest, RefusesADamagedBlobAndLeavesNothing) {
  const auto path = world_->blob_file(world_->look([&](content::CatalogReader& reader) {
    return reader.list<content::ContentFile>(reader.find<content::Item>(item_)->content).front().blob;
  }));
  std::filesystem::permissions(path, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(2'000'000).put('b');
  EXPECT_EQ(kind(copy()), "internal_server_error");
  EXPECT_THAT(files_elsewhere(), testing::IsEmpty());
  content::ItemFilter in_it;
  in_it.library_id = elsewhere_;
  EXPECT_THAT(must(world_->items().find(alice(), in_it)), testing::IsEmpty());
}

}  // namespace
}  // namespace quire
