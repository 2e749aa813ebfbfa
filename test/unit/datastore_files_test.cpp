#include "service/datastore_files.h"

#include <gmock/gmock.h>

#include "support/service_world.h"

// Libraries as folders and files of datastores.

namespace quire {
namespace {

using service::DatastoreEntry;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::ServiceWorld;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class DatastoreFilesTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    fill(item_, {{"vm.ovf", "descriptor"}, {"docs/a.txt", "a"}, {"docs/more/b.txt", "bb"}});
    reader_ = test_support::caller_with("reader", content::PrivilegeSet::all());
    library_folder_ = "contentlib-" + library_.text();
    item_folder_ = library_folder_ + "/" + item_.text();
  }
  service::DatastoreFiles files() { return {world_->context(), world_->downloads()}; }
  /// Names, those of folders with a slash.
  std::vector<std::string> names(const std::string& folder,
                                 const content::StorageId& datastore = ServiceWorld::storage_id()) {
    std::vector<std::string> all;
    for (const auto& entry : must(files().list(reader_, datastore, folder)))
      all.push_back(entry.name + (entry.is_folder ? "/" : ""));
    return all;
  }

  content::Caller reader_;
  std::string library_folder_;
  std::string item_folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, DatastoreFilesTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, DatastoreFilesTest, testing::Values(Engine::Postgresql));

TEST_P(DatastoreFilesTest, ListsLibrariesItemsAndFiles) {
  EXPECT_THAT(names(""), ElementsAre(library_folder_ + "/"));
  EXPECT_THAT(names(library_folder_), ElementsAre(item_.text() + "/"));
  EXPECT_THAT(names(item_folder_), UnorderedElementsAre("vm.ovf", "docs/"));
  EXPECT_THAT(names(item_folder_ + "//docs/"), UnorderedElementsAre("a.txt", "more/"));
  EXPECT_THAT(names(item_folder_ + "/docs/more"), ElementsAre("b.txt"));
  const auto entry = must(files().list(reader_, ServiceWorld::storage_id(), item_folder_ + "/docs/more")).front();
  EXPECT_EQ(entry.size, 2);
  EXPECT_EQ(entry.modified, item().last_modified_time);
}

TEST_P(DatastoreFilesTest, IsOnTheDatastoreOfItsLibrary) {
  EXPECT_THAT(names("", ServiceWorld::other_storage_id()), IsEmpty());
  EXPECT_EQ(kind(files().list(reader_, ServiceWorld::other_storage_id(), library_folder_)), "not_found");
  EXPECT_EQ(kind(files().list(reader_, content::StorageId("datastore-99"), "")), "not_found");
}

TEST_P(DatastoreFilesTest, WhatIsNotThereIsNotFound) {
  const auto other = must(world_->libraries().create_local(alice(), test_support::library_spec("other"), {}));
  for (const std::string& path : {std::string("nonsense"), "contentlib-" + std::string("nonsense"),
                                  library_folder_ + "/nonsense", "contentlib-" + other.text() + "/" + item_.text(),
                                  item_folder_ + "/nonsense", item_folder_ + "/vm.ovf", item_folder_ + "/doc"})
    EXPECT_EQ(kind(files().list(reader_, ServiceWorld::storage_id(), path)), "not_found") << path;
  for (const std::string& path : {std::string(), library_folder_, item_folder_, item_folder_ + "/docs"})
    EXPECT_EQ(kind(files().prepare(reader_, ServiceWorld::storage_id(), path)), "not_found") << path;
  EXPECT_THAT(must(world_->downloads().list(reader_, item_)), IsEmpty());
}

TEST_P(DatastoreFilesTest, AFileIsReadByADownloadSession) {
  const auto file = must(files().prepare(reader_, ServiceWorld::storage_id(), item_folder_ + "/docs/more/b.txt"));
  const auto open = must(world_->download_bytes().open(file.token, "docs/more/b.txt"));
  EXPECT_EQ(ServiceWorld::read_all(*open.bytes), "bb");
}

TEST_P(DatastoreFilesTest, NeedsThePrivileges) {
  auto privileges = content::PrivilegeSet::all();
  privileges.remove(content::Privilege::ContentLibrary_ReadStorage);
  reader_ = test_support::caller_with("reader", privileges);
  EXPECT_THAT(names(library_folder_), ElementsAre(item_.text() + "/"));
  EXPECT_EQ(kind(files().list(reader_, ServiceWorld::storage_id(), item_folder_)), "unauthorized");
  EXPECT_EQ(kind(files().prepare(reader_, ServiceWorld::storage_id(), item_folder_ + "/vm.ovf")), "unauthorized");
  reader_ = test_support::caller_with("reader", {});
  EXPECT_THAT(names(""), IsEmpty());
  EXPECT_EQ(kind(files().list(reader_, ServiceWorld::storage_id(), item_folder_)), "not_found");
  EXPECT_EQ(kind(files().prepare(reader_, ServiceWorld::storage_id(), item_folder_ + "/vm.ovf")), "not_found");
}

}  // namespace
}  // namespace quire
