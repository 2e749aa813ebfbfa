#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "support/crash_checks.h"
#include "support/seed.h"
#include "support/service_world.h"

// Moves of a library's bytes to another storage, beside everything else that is done with the library.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::LibraryId;
using content::Task;
using content::TaskStatus;
using test_support::alice;
using test_support::Engine;
using test_support::file_spec;
using test_support::kind;
using test_support::ServiceWorld;
using test_support::why;
using testing::ElementsAre;
using testing::IsEmpty;

using Files = std::map<std::string, std::string>;
using Backings = std::vector<content::StorageBacking>;

Backings backing(const content::StorageId& storage) {
  return {{content::StorageBackingType::DATASTORE, storage.text(), std::nullopt}};
}
Backings other() { return backing(ServiceWorld::other_storage_id()); }
Backings first() { return backing(ServiceWorld::storage_id()); }

class LibraryMigrationTest : public test_support::ServiceTest {
 protected:
  base::Result<void> migrate(const Backings& to = other()) {
    return world_->libraries().migrate(alice(), library_, to);
  }
  /// Runs what is due, once.
  void run() { EXPECT_TRUE(must(world_->task_runner().run_next())); }
  void run_again() {
    advance(3s);
    run();
  }
  Task task() { return must(world_->tasks().list(alice(), {})).at(0); }
  content::Library library() { return must(world_->libraries().get(alice(), library_)); }
  std::string reads(const content::TransferToken& token, const std::string& name) {
    const auto open = world_->download_bytes().open(token, name);
    return open ? ServiceWorld::read_all(*open->bytes).value() : kind(open);
  }
  content::TransferToken prepare(const std::string& name, bool direct = false) {
    // Direct access needs ContentLibrary.ReadStorage.
    download_ = must(world_->downloads().create(test_support::administrator(), item_.text(), {}));
    return must(world_->downloads().prepare(test_support::administrator(), download_, name, direct)).token;
  }
  std::size_t in_first() const { return world_->files_in("store"); }
  std::size_t in_other() const { return world_->files_in("other store"); }
  void expect_moved() {
    EXPECT_EQ(task().status, TaskStatus::SUCCEEDED);
    EXPECT_EQ(library().storage, ServiceWorld::other_storage_id());
    EXPECT_FALSE(library().migration);
    EXPECT_EQ(in_first(), 0U);
    expect_bytes_accounted_for();
    for (const auto& blob :
         world_->look([](content::CatalogReader& in) { return in.blobs_after(ServiceWorld::storage_id(), {}, 1000); }))
      ADD_FAILURE() << "left behind: " << blob.id.text();
  }
  void expect_bytes_accounted_for() {
    EXPECT_EQ(world_->blobs_on_disk(), world_->blobs_in_catalog());
    EXPECT_EQ(files_on_disk(), world_->blobs_in_catalog().size());
  }

  const Files files_ = {{"a.iso", std::string(200'000, 'a')}, {"b.iso", std::string(100'000, 'b')}, {"c", "small"}};
  content::DownloadSessionId download_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, LibraryMigrationTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, LibraryMigrationTest, testing::Values(Engine::Postgresql));

TEST_P(LibraryMigrationTest, MovesAllBytesAndChangesNothingElse) {
  fill(item_, files_);
  const auto second = new_item("second", "");
  fill(second, {{"same", std::string(200'000, 'a')}});
  const auto item_before = item();
  const auto library_before = library();
  must(migrate());
  EXPECT_EQ(library().storage, ServiceWorld::storage_id()) << "until all of it is there";
  run();
  expect_moved();
  EXPECT_EQ(content(), files_);
  EXPECT_EQ(world_->content_of(second), (Files{{"same", std::string(200'000, 'a')}}));
  EXPECT_EQ(in_other(), 2U) << "the same bytes lie there once";
  EXPECT_EQ(item(), item_before);
  EXPECT_EQ(library().backing, other().front());
  EXPECT_EQ(library().version, library_before.version + 1);
  const auto done = task();
  EXPECT_EQ(done.service + "." + done.operation, "com.vmware.content.library.migrate");
  EXPECT_EQ(done.target, library_.text());
  EXPECT_EQ(done.completed, done.total);
  EXPECT_GE(done.completed, 300'005);
}

TEST_P(LibraryMigrationTest, AnEmptyLibraryIsThereAtOnce) {
  must(migrate());
  run();
  expect_moved();
  fill(item_, files_);
  EXPECT_EQ(in_first(), 0U);
  EXPECT_EQ(content(), files_);
}

TEST_P(LibraryMigrationTest, ReadersGoOn) {
  fill(item_, files_);
  const auto token = prepare("a.iso");
  const auto running = must(world_->download_bytes().open(token, "a.iso"));
  must(migrate());
  EXPECT_EQ(reads(token, "a.iso"), files_.at("a.iso"));
  run();
  EXPECT_EQ(task().status, TaskStatus::SUCCEEDED);
  EXPECT_EQ(ServiceWorld::read_all(*running.bytes), files_.at("a.iso")) << "a download that was running";
  EXPECT_EQ(reads(token, "a.iso"), files_.at("a.iso"));
}

TEST_P(LibraryMigrationTest, ContentThatOnlyADownloadSessionHasMovesToo) {
  fill(item_, files_);
  const auto token = prepare("a.iso");
  fill(item_, {{"a.iso", "other bytes"}});
  must(migrate());
  run();
  expect_moved();
  EXPECT_EQ(reads(token, "a.iso"), files_.at("a.iso"));
}

TEST_P(LibraryMigrationTest, WhatIsReadFromItsPlaceStaysUntilTheSessionEnds) {
  fill(item_, files_);
  prepare("a.iso", true);
  must(migrate());
  run();
  EXPECT_EQ(task().status, TaskStatus::BLOCKED);
  EXPECT_EQ(in_first(), 1U);
  EXPECT_EQ(content(), files_);
  run_again();
  EXPECT_EQ(task().status, TaskStatus::BLOCKED);
  must(world_->downloads().remove(test_support::administrator(), download_));
  run_again();
  expect_moved();
  EXPECT_EQ(content(), files_);
}

TEST_P(LibraryMigrationTest, AnOpenUpdateSessionGoesOn) {
  fill(item_, files_);
  const auto session = open();
  push(session, "d.iso", std::string(50'000, 'd'));
  const auto waiting = add(session, "e.iso");
  must(migrate());
  run();
  EXPECT_EQ(task().status, TaskStatus::BLOCKED) << "bytes may be on their way to where they were to go";
  EXPECT_EQ(in_first(), 0U) << "of what is there, everything has moved";
  must(test_support::send(*world_, waiting.upload_token, std::string(60'000, 'e')));
  EXPECT_EQ(in_first(), 0U) << "and what is new goes to the new storage";
  run_again();
  expect_moved();
  must(sessions().complete(alice(), session));
  auto all = files_;
  all["d.iso"] = std::string(50'000, 'd');
  all["e.iso"] = std::string(60'000, 'e');
  EXPECT_EQ(content(), all);
  must(sessions().remove(alice(), session));
  expect_moved();
}

TEST_P(LibraryMigrationTest, AnUploadThatIsRunningEndsWhereItBegan) {
  const auto session = open();
  const auto entry = add(session, "a.iso");
  auto begun = world_->uploads().begin(entry.upload_token, service::UploadRequest::whole(std::nullopt), [] {});
  ASSERT_TRUE(begun.upload);
  const std::string body(50'000, 'a');
  must(begun.upload->append(test_support::bytes_of(body)));
  must(migrate());
  run();
  EXPECT_EQ(task().status, TaskStatus::BLOCKED);
  must(begun.upload->append(test_support::bytes_of(body)));
  ASSERT_TRUE(begun.upload->finish(service::BodyEnd::whole));
  EXPECT_EQ(in_first(), 1U);
  run_again();
  expect_moved();
  must(sessions().complete(alice(), session));
  EXPECT_EQ(content(), (Files{{"a.iso", body + body}}));
}

TEST_P(LibraryMigrationTest, AFileThatComesInPartsGoesOnWhereItsPartsLie) {
  const auto session = open();
  const auto entry = add(session, "a.iso");
  const auto part = [&](std::int64_t first, const std::string& body) {
    service::UploadRequest request;
    request.place = service::UploadRequest::Place::at_offset;
    request.offset = first;
    request.part_length = static_cast<std::int64_t>(body.size());
    request.file_length = 100'000;
    auto begun = world_->uploads().begin(entry.upload_token, request, [] {});
    ASSERT_TRUE(begun.upload);
    must(begun.upload->append(test_support::bytes_of(body)));
    ASSERT_TRUE(begun.upload->finish(service::BodyEnd::whole));
  };
  part(0, std::string(40'000, 'x'));
  must(migrate());
  run();
  EXPECT_EQ(task().status, TaskStatus::BLOCKED);
  world_->restart();
  part(40'000, std::string(60'000, 'y'));
  run_again();
  expect_moved();
  must(sessions().complete(alice(), session));
  EXPECT_EQ(content(), (Files{{"a.iso", std::string(40'000, 'x') + std::string(60'000, 'y')}}));
}

TEST_P(LibraryMigrationTest, BytesThatAnotherLibraryHasTooStayThere) {
  fill(item_, files_);
  const auto second = must(world_->libraries().create_local(alice(), test_support::library_spec("second"), {}));
  const auto copy = must(world_->items().copy(alice(), item_, test_support::item_spec(second, "copy", ""), {}));
  must(migrate());
  run();
  EXPECT_EQ(task().status, TaskStatus::SUCCEEDED);
  EXPECT_EQ(in_first(), 3U);
  EXPECT_EQ(in_other(), 2U);
  expect_bytes_accounted_for();
  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(in_other(), 0U);
  EXPECT_EQ(world_->content_of(copy), files_);
}

TEST_P(LibraryMigrationTest, ACopyThatReadsFromTheLibraryEndsToo) {
  service::Settings settings;
  settings.copy_in_call_bytes_max = 1000;
  make_world(settings);
  fill(item_, files_);
  const auto far = must(world_->libraries().create_local(alice(), test_support::other_library_spec("far"), {}));
  const auto copy = must(world_->items().copy(alice(), item_, test_support::item_spec(far, "copy", ""), {}));
  must(migrate());
  world_->change([&](content::CatalogWriter& writer) {  // the copy comes later
    for (const auto& id : writer.tasks("", 10)) {
      auto task = writer.find<Task>(id).value();
      if (task.operation != "copy") continue;
      task.due += 2s;
      writer.update(task);
    }
  });
  run();
  run_again();
  EXPECT_EQ(world_->content_of(copy), files_);
  EXPECT_EQ(content(), files_);
  EXPECT_EQ(in_first(), 0U);
  EXPECT_EQ(in_other(), 2U);
}

TEST_P(LibraryMigrationTest, WhatIsCanceledStaysReadableAndCanGoOnOrBack) {
  fill(item_, files_);
  prepare("a.iso", true);
  must(migrate());
  run();
  EXPECT_EQ(in_other(), 1U);
  must(world_->tasks().cancel(alice(), task().id));
  run();
  EXPECT_EQ(task().status, TaskStatus::FAILED);
  EXPECT_EQ(library().storage, ServiceWorld::storage_id());
  EXPECT_FALSE(library().migration);
  EXPECT_EQ(content(), files_);
  fill(item_, {{"d", std::string(10'000, 'd')}});
  EXPECT_EQ(in_first(), 2U) << "new bytes go to the library's storage again";
  advance(1s);
  must(migrate(first()));  // all of it where the library is
  run();
  EXPECT_EQ(task().status, TaskStatus::SUCCEEDED);
  EXPECT_EQ(in_other(), 0U);
  must(world_->downloads().remove(test_support::administrator(), download_));
  advance(1s);
  must(migrate());
  run();
  expect_moved();
}

TEST_P(LibraryMigrationTest, SurvivesARestart) {
  fill(item_, files_);
  must(migrate());
  world_->restart();
  run();
  expect_moved();
  EXPECT_EQ(content(), files_);
}

TEST_P(LibraryMigrationTest, ADamagedFileEndsItAndStaysWhereItIs) {
  fill(item_, files_);
  const auto blob = must(world_->items().file(alice(), item_, "b.iso")).blob;
  std::filesystem::permissions(world_->blob_file(blob), std::filesystem::perms::owner_all);
  std::fstream(world_->blob_file(blob), std::ios::in | std::ios::out | std::ios::binary).seekp(2'000).put('x');
  must(migrate());
  run();
  EXPECT_EQ(task().status, TaskStatus::FAILED);
  EXPECT_EQ(task().error->messages.at(0).id, "quire.blob.damaged");
  EXPECT_FALSE(library().migration);
  expect_bytes_accounted_for();
}

TEST_P(LibraryMigrationTest, AFileThatIsLostEndsIt) {
  fill(item_, files_);
  std::filesystem::remove(world_->blob_file(must(world_->items().file(alice(), item_, "b.iso")).blob));
  must(migrate());
  run();
  EXPECT_EQ(task().status, TaskStatus::FAILED);
  EXPECT_EQ(task().error->messages.at(0).id, "quire.blob.damaged");
}

TEST_P(LibraryMigrationTest, ALibraryThatIsDeletedEndsIt) {
  fill(item_, files_);
  must(migrate());
  must(world_->libraries().remove_local(alice(), library_));
  run();
  EXPECT_EQ(task().status, TaskStatus::FAILED);
  EXPECT_EQ(task().error->kind, base::ErrorKind::not_found);
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(LibraryMigrationTest, RefusesWhatItCannotDo) {
  EXPECT_EQ(kind(world_->libraries().migrate(alice(), LibraryId("nonsense"), other())), "not_found");
  EXPECT_EQ(kind(migrate({})), "invalid_argument");
  EXPECT_EQ(kind(migrate(backing(content::StorageId("datastore-99")))), "invalid_argument");
  EXPECT_EQ(kind(migrate({other().front(), first().front()})), "unsupported");
  EXPECT_EQ(kind(migrate(first())), "already_in_desired_state");
  EXPECT_THAT(must(world_->tasks().list(alice(), {})), IsEmpty());
  must(migrate());
  EXPECT_EQ(why(migrate()), "quire.library.being_migrated");
  EXPECT_EQ(kind(migrate(first())), "not_allowed_in_current_state");
  EXPECT_EQ(kind(world_->libraries().enter_maintenance(alice(), library_)), "not_allowed_in_current_state");
  run();
  EXPECT_EQ(kind(migrate()), "already_in_desired_state");
}

// ---- beside everything else, killed anywhere ----

/// A client of a library that moves to and fro, and what it knows to be true.
class MovingLibrary {
 public:
  MovingLibrary(ServiceWorld& world, std::mt19937& random) : world_(world), random_(random) {
    library_ = *world_.libraries().create_local(alice(), test_support::library_spec("moving"), {});
  }

  /// Does one thing. Throws test_support::Crash when the process dies in it.
  void step() {
    maybe_.clear();
    sending_.reset();
    switch (pick(7)) {
      case 0:
        return add_item();
      case 1:
        return remove_item();
      case 2:
        return open_session();
      case 3:
        return push();
      case 4:
        return complete();
      case 5:
        [[maybe_unused]] const auto asked =
            world_.libraries().migrate(alice(), library_, pick(2) == 0 ? other() : first());
        return;
    }
    [[maybe_unused]] const auto ran = world_.task_runner().run_next();
    world_.clock().advance(3s);
  }

  /// Every item is as it was left, or as what was asked for last would make it.
  void check() {
    for (auto entry = items_.begin(); entry != items_.end();) {
      const auto found = world_.content_of(entry->first);
      if (!found) {
        EXPECT_EQ(maybe_.count(entry->first), 1U);
        entry = items_.erase(entry);
        continue;
      }
      if (*found != entry->second) {
        const auto asked = maybe_.find(entry->first);
        ASSERT_NE(asked, maybe_.end());
        EXPECT_EQ(found, asked->second);
        entry->second = *found;
      }
      ++entry;
    }
    // What became of a file that was being sent is not known.
    if (sending_) {
      const auto session = sessions_.find(*sending_);
      if (session != sessions_.end()) {
        EXPECT_TRUE(world_.sessions().cancel(alice(), session->second.id));
      }
    }
    // A session ends when its item's set of files has changed by it, or its item has gone.
    std::erase_if(sessions_, [&](const auto& one) {
      const auto session = world_.sessions().get(alice(), one.second.id);
      return !session || session->session.state != content::UpdateSessionState::ACTIVE;
    });
    maybe_.clear();
  }

  /// Ends all that is open and lets the last migration come to its end.
  void settle() {
    for (const auto& [item, session] : sessions_) EXPECT_TRUE(world_.sessions().cancel(alice(), session.id));
    sessions_.clear();
    for (int round = 0; round < 20; ++round) {
      if (world_.look([](content::CatalogReader& in) { return in.active_task_count(); }) == 0) break;
      ASSERT_TRUE(world_.task_runner().run_next());
      world_.clock().advance(3s);
    }
    EXPECT_FALSE(world_.libraries().get(alice(), library_)->migration);
    check();
  }
  const LibraryId& id() const { return library_; }

 private:
  struct Session {
    content::UpdateSessionId id;
    Files pushed;
  };
  std::size_t pick(std::size_t count) { return random_() % count; }
  auto any_item() { return std::next(items_.begin(), static_cast<std::ptrdiff_t>(pick(items_.size()))); }

  void add_item() {
    const auto made = world_.items().create(
        alice(), test_support::item_spec(library_, "item " + std::to_string(++made_), ""), std::nullopt);
    ASSERT_TRUE(made);
    items_.emplace(*made, Files());
  }
  void remove_item() {
    if (items_.size() < 3) return;
    const auto id = any_item()->first;
    maybe_[id] = std::nullopt;
    ASSERT_TRUE(world_.items().remove(alice(), id));
    items_.erase(id);
    sessions_.erase(id);
  }
  void open_session() {
    if (items_.empty()) return;
    const auto id = any_item()->first;
    if (sessions_.contains(id)) return;
    if (const auto session = world_.sessions().create(alice(), id.text(), {}, {})) sessions_[id] = {*session, {}};
  }
  void push() {
    if (sessions_.empty()) return;
    auto& session = sessions_.begin()->second;
    sending_ = sessions_.begin()->first;
    const std::string name = "file " + std::to_string(pick(3));
    const std::string body(pick(2) == 0 ? 20 : 10'000 + pick(5), static_cast<char>('a' + pick(5)));
    const auto entry = world_.sessions().add_file(alice(), session.id, file_spec(name));
    if (has_expired(entry)) return;
    ASSERT_TRUE(entry) << entry.error().text();
    ASSERT_TRUE(test_support::transmit(world_, entry->upload_token, body));
    session.pushed[name] = body;
    sending_.reset();
  }
  /// Then it is forgotten.
  template <class T>
  bool has_expired(const base::Result<T>& answer) {
    if (answer || answer.error().kind() != base::ErrorKind::not_found) return false;
    sessions_.erase(sessions_.begin());
    return true;
  }
  void complete() {
    if (sessions_.empty()) return;
    const auto [item, session] = *sessions_.begin();
    auto files = items_.at(item);
    for (const auto& [name, body] : session.pushed) files[name] = body;
    maybe_[item] = files;
    const auto completed = world_.sessions().complete(alice(), session.id);
    if (has_expired(completed)) return;
    ASSERT_TRUE(completed) << completed.error().text();
    items_[item] = files;
    sessions_.erase(item);
  }

  ServiceWorld& world_;
  std::mt19937& random_;
  LibraryId library_;
  int made_ = 0;
  std::map<content::ItemId, Files> items_;
  std::map<content::ItemId, Session> sessions_;
  std::map<content::ItemId, std::optional<Files>> maybe_;  ///< what the last step would make of an item; nullopt: gone
  std::optional<content::ItemId> sending_;                 ///< to whose session a file is being sent
};

TEST_P(LibraryMigrationTest, NothingIsLostWhateverHappensAndWhereverItDies) {
  constexpr int rounds = 60;
  constexpr int settled_every = 6;
  constexpr int steps_of_a_round = 30;
  std::mt19937 random(static_cast<std::mt19937::result_type>(test_support::test_seed()));
  MovingLibrary moving(*world_, random);
  int crashes = 0;
  for (int round = 1; round <= rounds; ++round) {
    test_support::Faults faults(test_support::Faults::Kind::crash, 1 + random() % 600);
    world_->wire_faults(&faults);
    try {
      for (int i = 0; i < steps_of_a_round; ++i) moving.step();
    } catch (const test_support::Crash&) {
      ++crashes;
    }
    if (faults.struck())
      world_->restart();
    else
      world_->wire_faults(nullptr);
    SCOPED_TRACE(faults.where());
    moving.check();
    test_support::check_bytes(*world_);
    if (round % settled_every == 0) moving.settle();
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GT(crashes, rounds / 4);
  library_ = moving.id();
  if (library().storage != ServiceWorld::other_storage_id()) must(migrate());
  moving.settle();
  must(world_->libraries().remove_local(alice(), item().library_id));
  expect_moved();
}

}  // namespace
}  // namespace quire
