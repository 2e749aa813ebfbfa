#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "service/publication/persisted_libraries.h"
#include "support/service_world.h"
#include "vcsp/reader.h"
#include "vcsp/tree.h"

// Published libraries as files on their storage: what readers of these files find, at any time.

namespace quire {
namespace {

using namespace std::chrono_literals;
using service::PublishSpec;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::ServiceWorld;
using test_support::why;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("no file " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The same file until it is replaced.
ino_t inode(const fs::path& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) throw std::runtime_error("no file " + path.string());
  return facts.st_ino;
}

class PersistedLibraryTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (!IsSkipped()) wire();
  }
  void wire() {
    persisted_.reset();
    publications_.emplace(world_->context(), world_->throttle());
    persisted_.emplace(world_->context(), *publications_, "this installation");
  }
  void restart() {
    persisted_.reset();
    publications_.reset();
    world_->restart();
    wire();
  }

  void update(const PublishSpec& publish) {
    service::LibrarySpec spec;
    spec.publish = publish;
    must(world_->libraries().update_local(alice(), library_, spec));
  }
  void persist(bool value = true) {
    PublishSpec spec;
    spec.published = true;
    spec.persist_json_enabled = value;
    update(spec);
  }
  void publish(bool value) {
    PublishSpec spec;
    spec.published = value;
    update(spec);
  }
  content::Library library() { return must(world_->libraries().get(alice(), library_)); }
  base::Result<void> round() { return persisted_->run_round(); }

  fs::path folder(const std::string& store = "store") const { return world_->library_folder(library_, store); }

  /// What a reader of the files finds, by nothing but `lib.json`: item name to its files.
  std::map<std::string, Files> shown(const std::string& store = "store") const {
    const auto root = folder(store);
    const auto descriptor = must(vcsp::read_library(text_of(root / "lib.json")));
    const auto index = must(vcsp::read_index(text_of(root / descriptor.items_href)));
    if (index.version != descriptor.version) throw std::runtime_error("index and descriptor are of two states");
    std::map<std::string, Files> found;
    for (const auto& item : index.items) {
      auto& files = found[item.name];
      if (must(vcsp::read_item(text_of(root / vcsp::path_of(item.self_href)))) != item)
        throw std::runtime_error("item.json is another than that of the index");
      for (const auto& file : item.files) files[file.name] = text_of(root / vcsp::path_of(file.hrefs.front()));
    }
    return found;
  }
  std::set<std::string> paths() const {
    std::set<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder()))
      if (entry.is_regular_file()) all.insert(entry.path().lexically_relative(folder()).string());
    return all;
  }

  std::optional<service::Publications> publications_;
  std::optional<service::PersistedLibraries> persisted_;
};

TEST_P(PersistedLibraryTest, TheFlagIsKeptWhetherPublishedOrNot) {
  EXPECT_FALSE(library().persist_json);
  PublishSpec alone;
  alone.persist_json_enabled = true;
  update(alone);
  EXPECT_TRUE(library().persist_json);
  EXPECT_FALSE(library().published);
  must(round());
  EXPECT_FALSE(fs::exists(folder())) << "nothing is published";
  publish(true);
  EXPECT_TRUE(library().persist_json);
  must(round());
  EXPECT_THAT(shown(), IsEmpty());
  persist(false);
  EXPECT_FALSE(library().persist_json);
  publish(true);
  EXPECT_FALSE(library().persist_json);
}

TEST_P(PersistedLibraryTest, ShowsWhatSubscribersSee) {
  const Files content{{"ä b.txt", "small"}, {"large.bin", std::string(100'000, 'x')}, {"empty", ""}};
  fill(item_, content);
  new_item("without content", "");
  persist();
  must(round());
  EXPECT_THAT(shown(), ElementsAre(Pair("item", content)));
  EXPECT_EQ(text_of(folder() / "items.json"), *must(publications_->index(library_, {})).text);
  const auto descriptor = must(vcsp::read_library(text_of(folder() / "lib.json")));
  EXPECT_EQ(descriptor.version, library().generation);
  EXPECT_EQ(descriptor.name, "library");
  for (const auto& entry : fs::recursive_directory_iterator(folder()))
    EXPECT_EQ(entry.status().permissions() & fs::perms::others_all, fs::perms::none) << entry.path();
}

TEST_P(PersistedLibraryTest, FilesDoNotTakeTheRoomOfBlobsAgain) {
  fill(item_, {{"large.bin", std::string(100'000, 'x')}});
  persist();
  must(round());
  // The file system of these tests has hard links and no reflinks.
  const auto file = folder() / item_.text() / "g2" / "large.bin";
  EXPECT_EQ(fs::hard_link_count(file), 2U);
  EXPECT_EQ(fs::status(file).permissions() & (fs::perms::owner_write | fs::perms::group_write), fs::perms::none);
  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(text_of(file), std::string(100'000, 'x')) << "until the folder's next state, and a while longer";
}

TEST_P(PersistedLibraryTest, EveryChangeIsShownAndNothingElseIsWritten) {
  fill(item_, {{"a", "one"}});
  const auto other = new_item("other", "");
  fill(other, {{"b", "two"}});
  persist();
  must(round());
  const auto untouched = inode(folder() / other.text() / "item.json");
  const auto file = inode(folder() / item_.text() / "g2" / "a");
  const auto descriptor = inode(folder() / "lib.json");
  must(round());
  EXPECT_EQ(inode(folder() / "lib.json"), descriptor) << "nothing changed";

  service::ItemSpec renamed;
  renamed.name = "renamed";
  must(world_->items().update(alice(), item_, renamed));
  must(round());
  EXPECT_THAT(shown(), UnorderedElementsAre(Pair("renamed", Files{{"a", "one"}}), Pair("other", Files{{"b", "two"}})));
  EXPECT_EQ(inode(folder() / item_.text() / "g2" / "a"), file);
  EXPECT_EQ(inode(folder() / other.text() / "item.json"), untouched);

  fill(item_, {{"a", "another one"}});
  must(round());
  EXPECT_THAT(shown().at("renamed"), ElementsAre(Pair("a", "another one")));
  must(world_->items().remove(alice(), item_));
  must(round());
  EXPECT_THAT(shown(), ElementsAre(Pair("other", Files{{"b", "two"}})));
  service::LibrarySpec described;
  described.description = "described";
  must(world_->libraries().update_local(alice(), library_, described));
  must(round());
  EXPECT_EQ(must(vcsp::read_library(text_of(folder() / "lib.json"))).description, "described");
  EXPECT_EQ(inode(folder() / other.text() / "item.json"), untouched);
}

TEST_P(PersistedLibraryTest, WhoReadsAnOlderStateGoesOnForAWhile) {
  fill(item_, {{"a", "one"}});
  persist();
  must(round());
  const auto before = paths();
  fill(item_, {{"a", "two"}});
  must(round());
  advance(59min);
  must(round());
  for (const auto& path : before) EXPECT_TRUE(fs::exists(folder() / path)) << path;
  EXPECT_EQ(text_of(folder() / item_.text() / "g2" / "a"), "one");
  advance(1min);
  must(round());
  const auto item = item_.text();
  EXPECT_THAT(paths(), UnorderedElementsAre(".quire", "lib.json", "items.json", vcsp::index_name(library().generation),
                                            item + "/item.json", item + "/g3/a"));
}

TEST_P(PersistedLibraryTest, ALibraryThatChangesAllTheTimeKeepsABoundedNumberOfIndexes) {
  fill(item_, {{"a", "one"}});
  persist();
  for (int i = 0; i < 130; ++i) {
    service::ItemSpec renamed;
    renamed.name = "name " + std::to_string(i);
    must(world_->items().update(alice(), item_, renamed));
    must(round());
  }
  std::size_t indexes = 0;
  for (const auto& path : paths()) indexes += vcsp::version_of_index(path) ? 1 : 0;
  EXPECT_EQ(indexes, 101U) << "the one that is shown and those before it";
  EXPECT_EQ(shown().begin()->first, "name 129");
}

TEST_P(PersistedLibraryTest, TheFolderGoesWithThePublication) {
  fill(item_, {{"a", "one"}});
  persist();
  must(round());
  ASSERT_TRUE(fs::exists(folder()));
  persist(false);
  must(round());
  EXPECT_FALSE(fs::exists(folder()));
  persist();
  must(round());
  EXPECT_THAT(shown(), ElementsAre(Pair("item", Files{{"a", "one"}})));
  publish(false);
  must(round());
  EXPECT_FALSE(fs::exists(folder()));
  publish(true);
  must(round());
  ASSERT_TRUE(fs::exists(folder()));
  must(world_->libraries().remove_local(alice(), library_));
  must(round());
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_P(PersistedLibraryTest, AStartRemovesFoldersThatNobodyWantsAndNoOthers) {
  fill(item_, {{"a", "one"}});
  persist();
  must(round());
  std::ofstream(folder() / "notes.txt") << "somebody's own";
  const auto stranger = world_->library_folder(content::LibraryId("5f0c2f1e-5d0b-4c43-9a55-6f1f0e9a7b10"));
  const auto other_server = world_->library_folder(content::LibraryId("6f0c2f1e-5d0b-4c43-9a55-6f1f0e9a7b10"));
  for (const auto& each : {stranger, other_server}) {
    fs::create_directory(each);
    std::ofstream(each / "lib.json") << "{}";
  }
  std::ofstream(other_server / ".quire") << "another installation";
  must(world_->libraries().remove_local(alice(), library_));
  restart();
  must(round());
  EXPECT_THAT(paths(), ElementsAre(".quire", "notes.txt"));
  EXPECT_TRUE(fs::exists(stranger / "lib.json"));
  EXPECT_TRUE(fs::exists(other_server / "lib.json"));
}

TEST_P(PersistedLibraryTest, AFolderOfSomebodyElseIsLeftAlone) {
  fs::create_directory(folder());
  std::ofstream(folder() / "lib.json") << "of another program";
  fill(item_, {{"a", "one"}});
  persist();
  EXPECT_EQ(why(round()), "quire.library_folder.foreign");
  persist(false);
  advance(1s);
  must(round());
  EXPECT_THAT(paths(), ElementsAre("lib.json"));
  EXPECT_EQ(text_of(folder() / "lib.json"), "of another program");
  persist();
  advance(5min);
  EXPECT_EQ(why(round()), "quire.library_folder.foreign");
  fs::remove_all(folder());
  advance(5min);
  must(round());
  EXPECT_THAT(shown(), ElementsAre(Pair("item", Files{{"a", "one"}})));
}

TEST_P(PersistedLibraryTest, WhatCannotBeWrittenLeavesTheStateBeforeAndIsTriedAgain) {
  fill(item_, {{"a", "one"}});
  persist();
  must(round());
  const auto before = shown();
  const auto second = new_item("second", "");
  fill(second, {{"b", "two"}});
  const auto in_the_way = folder() / second.text();
  std::ofstream(in_the_way) << "a file where the item's folder should be";
  EXPECT_EQ(why(round()), "quire.library_folder.inaccessible");
  EXPECT_EQ(shown(), before);
  fs::remove(in_the_way);
  EXPECT_EQ(why(round()), "quire.library_folder.inaccessible") << "not tried again at once";
  advance(1s);
  must(round());
  EXPECT_EQ(shown().size(), 2U);
}

TEST_P(PersistedLibraryTest, AStartMendsWhatWasTakenAway) {
  fill(item_, {{"a", "one"}, {"b", std::string(5000, 'b')}});
  const auto other = new_item("other", "");
  fill(other, {{"c", "two"}});
  persist();
  must(round());
  const auto whole = shown();
  const std::vector<std::string> documents{"lib.json", "items.json", vcsp::index_name(library().generation),
                                           item_.text() + "/item.json", item_.text() + "/g2/b"};
  for (const auto& path : documents) {
    SCOPED_TRACE(path);
    fs::remove(folder() / path);
    restart();
    must(round());
    EXPECT_EQ(shown(), whole);
    EXPECT_TRUE(fs::exists(folder() / path));
  }
  for (const auto& path : documents) {
    SCOPED_TRACE(path);
    fs::remove(folder() / path);
    std::ofstream(folder() / path) << "{";
    restart();
    must(round());
    EXPECT_EQ(shown(), whole);
  }
  // What a crash leaves of items that were being written.
  fs::create_directories(folder() / "7f0c2f1e-5d0b-4c43-9a55-6f1f0e9a7b10" / "g5");
  std::ofstream(folder() / "7f0c2f1e-5d0b-4c43-9a55-6f1f0e9a7b10" / "g5" / "left") << "left";
  std::ofstream(folder() / ".quire-new") << "half";
  restart();
  must(round());
  EXPECT_TRUE(fs::exists(folder() / "7f0c2f1e-5d0b-4c43-9a55-6f1f0e9a7b10")) << "somebody may be reading it";
  advance(1h);
  must(round());
  EXPECT_FALSE(fs::exists(folder() / "7f0c2f1e-5d0b-4c43-9a55-6f1f0e9a7b10"));
  EXPECT_EQ(shown(), whole);
  persist(false);
  must(round());
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_P(PersistedLibraryTest, TheFolderMovesWithTheLibrary) {
  const Files content{{"a", "one"}, {"large.bin", std::string(100'000, 'x')}};
  fill(item_, content);
  persist();
  must(round());
  must(world_->libraries().migrate(
      alice(), library_,
      {{content::StorageBackingType::DATASTORE, ServiceWorld::other_storage_id().text(), std::nullopt}}));
  must(round());
  EXPECT_TRUE(fs::exists(folder()));
  EXPECT_FALSE(fs::exists(folder("other store")));
  EXPECT_TRUE(must(world_->task_runner().run_next()));
  ASSERT_EQ(library().storage, ServiceWorld::other_storage_id());
  must(round());
  EXPECT_FALSE(fs::exists(folder()));
  EXPECT_THAT(shown("other store"), ElementsAre(Pair("item", content)));
  EXPECT_EQ(fs::hard_link_count(folder("other store") / item_.text() / "g2" / "large.bin"), 2U);
}

TEST_P(PersistedLibraryTest, OneServerAtATimeWrites) {
  fill(item_, {{"a", "one"}});
  persist();
  const auto& folders = world_->context().storages.default_storage().folders;
  {
    const auto open = must(folders->open(library_, "this installation"));
    must(round());
    EXPECT_FALSE(fs::exists(folder() / "lib.json"));
    EXPECT_EQ(kind(folders->remove(library_, "this installation")), "resource_busy");
  }
  must(round());
  EXPECT_THAT(shown(), ElementsAre(Pair("item", Files{{"a", "one"}})));
}

TEST_P(PersistedLibraryTest, PathsLeadNowhereElse) {
  const auto& folders = world_->context().storages.default_storage().folders;
  const auto open = must(folders->open(library_, "this installation"));
  fs::create_directory_symlink(folder().parent_path(), folder() / "link");
  for (const std::string path : {"../out", "a/../../out", "/etc/out", "", ".", "link/out"}) {
    SCOPED_TRACE(path);
    EXPECT_FALSE(open->write(path, "text"));
  }
  EXPECT_FALSE(fs::exists(folder().parent_path() / "out"));
}

INSTANTIATE_TEST_SUITE_P(Sqlite, PersistedLibraryTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, PersistedLibraryTest, testing::Values(Engine::Postgresql));

}  // namespace
}  // namespace quire
