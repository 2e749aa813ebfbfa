#include "service/event_feed/progress_feed.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "api/event_structures.h"
#include "support/follower_test.h"

// How far sessions and tasks are, for those who watch.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::Privilege;
using service::BodyEnd;
using service::FileProgress;
using service::ProgressBatch;
using service::ProgressFilter;
using service::ProgressFollower;
using service::UploadRequest;
using test_support::alice;
using test_support::bytes_of;
using test_support::Engine;
using test_support::file_spec;
using test_support::kind;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t mib = 1 << 20;

class ProgressFeedTest : public test_support::FollowerTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    make_logins();
    feed_ = std::make_unique<service::ProgressFeed>(world_->context(), *logins_);
  }

  std::unique_ptr<ProgressFollower> follow(const content::Caller& caller, ProgressFilter filter = {}) {
    return feed_->follow(caller, std::move(filter));
  }
  /// What the next look has for it.
  ProgressBatch after_look(ProgressFollower& follower) {
    advance(1s);
    must(feed_->look());
    return must(follower.next());
  }
  /// An upload of a file that goes on, to which the test appends.
  auto sending(const content::UpdateSessionId& id, const std::string& name, std::int64_t size) {
    const auto to = must(sessions().add_file(alice(), id, file_spec(name, size))).upload_token;
    auto begun = world_->uploads().begin(to, UploadRequest::whole(size), [] {});
    if (!begun.upload) throw std::runtime_error(begun.refusal->error.text());
    return std::move(begun.upload);
  }
  std::uint64_t reads() { return world_->context().catalog.measurements().catalog_reads.total(); }

  const std::string chunk_ = std::string(mib, 'x');
  std::unique_ptr<service::ProgressFeed> feed_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, ProgressFeedTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, ProgressFeedTest, testing::Values(Engine::Postgresql));

auto is_file(const std::string& name, std::int64_t bytes) {
  return testing::AllOf(Field(&FileProgress::name, name), Field(&FileProgress::bytes_transferred, bytes));
}

TEST_P(ProgressFeedTest, TellsWhatArrives) {
  const auto id = open();
  const auto upload = sending(id, "disk", 4 * mib);
  const auto follower = follow(admin());
  EXPECT_THAT(must(follower->next()).sessions, IsEmpty()) << "not before the first look";
  must(upload->append(bytes_of(chunk_)));
  const auto first = after_look(*follower);
  ASSERT_THAT(first.sessions, SizeIs(1));
  const auto& session = first.sessions[0];
  EXPECT_EQ(session.session, id);
  EXPECT_EQ(session.item, item_);
  EXPECT_EQ(session.library, library_);
  EXPECT_EQ(session.creator, alice().user);
  EXPECT_EQ(session.expires_at, this->session(id).expires_at);
  EXPECT_THAT(session.files, ElementsAre(FileProgress{"disk", content::TransferStatus::TRANSFERRING, mib, 4 * mib}));
  must(upload->append(bytes_of(chunk_)));
  EXPECT_THAT(after_look(*follower).sessions.at(0).files, ElementsAre(is_file("disk", 2 * mib)));
  must(upload->append(bytes_of(chunk_)));
  must(upload->append(bytes_of(chunk_)));
  must(upload->finish(BodyEnd::whole));
  EXPECT_THAT(after_look(*follower).sessions.at(0).files,
              ElementsAre(FileProgress{"disk", content::TransferStatus::READY, 4 * mib, 4 * mib}));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(after_look(*follower).sessions, IsEmpty()) << "its end is an event";
}

TEST_P(ProgressFeedTest, TellsOnlyWhatHasMoved) {
  const auto id = open();
  const auto one = sending(id, "one", 4 * mib);
  const auto two = sending(id, "two", 4 * mib);
  open(new_item("another", ""));
  const auto follower = follow(admin());
  EXPECT_THAT(after_look(*follower).sessions, SizeIs(2)) << "all at first";
  EXPECT_THAT(after_look(*follower).sessions, IsEmpty());
  must(one->append(bytes_of(chunk_)));
  const auto moved = after_look(*follower);
  ASSERT_THAT(moved.sessions, SizeIs(1));
  EXPECT_THAT(moved.sessions[0].files, ElementsAre(is_file("one", mib)));
  EXPECT_THAT(must(follower->next()).sessions, IsEmpty()) << "once";
}

/// A client that does not read for some seconds.
TEST_P(ProgressFeedTest, WhoLagsGetsTheNewestOfEverything) {
  const auto id = open();
  const auto one = sending(id, "one", 4 * mib);
  const auto two = sending(id, "two", 4 * mib);
  const auto follower = follow(admin());
  after_look(*follower);
  must(one->append(bytes_of(chunk_)));
  must(feed_->look());
  must(two->append(bytes_of(chunk_)));
  must(feed_->look());
  must(two->append(bytes_of(chunk_)));
  EXPECT_THAT(after_look(*follower).sessions.at(0).files, ElementsAre(is_file("one", mib), is_file("two", 2 * mib)));
}

TEST_P(ProgressFeedTest, WakesOnceAndForWhatFits) {
  const auto other = new_item("another", "");
  const auto id = open();
  const auto upload = sending(id, "disk", 4 * mib);
  ProgressFilter filter;
  filter.item = other;
  const auto who = admin();
  const auto follower = follow(who);
  const auto filtered = follow(who, filter);
  int woken = 0;
  int filtered_woken = 0;
  follower->set_wake([&] { ++woken; });
  filtered->set_wake([&] { ++filtered_woken; });
  const auto look = [&] {
    must(feed_->look());
    if (woken > 0) must(follower->next());
    if (filtered_woken > 0) must(filtered->next());
    return std::pair(std::exchange(woken, 0), std::exchange(filtered_woken, 0));
  };
  must(follower->next());
  must(filtered->next());
  EXPECT_EQ(look(), std::pair(1, 1)) << "the first look has something for everybody";
  EXPECT_EQ(look(), std::pair(0, 0));
  must(upload->append(bytes_of(chunk_)));
  EXPECT_EQ(look(), std::pair(1, 0));
  open(other);
  EXPECT_EQ(look(), std::pair(1, 1));
}

TEST_P(ProgressFeedTest, TellsWhatTheClientSaysAndUntilWhenItIsPromised) {
  const auto id = open();
  const auto follower = follow(admin());
  after_look(*follower);
  advance(2min);
  must(sessions().keep_alive(alice(), id, 40));
  const auto told = after_look(*follower);
  ASSERT_THAT(told.sessions, SizeIs(1));
  EXPECT_EQ(told.sessions[0].client_progress, 40);
  EXPECT_EQ(told.sessions[0].expires_at, session(id).expires_at);
  EXPECT_THAT(told.sessions[0].files, IsEmpty());
}

/// Bytes that another server of the same catalog receives show as it records them.
TEST_P(ProgressFeedTest, WhatIsRecordedElsewhereShows) {
  const auto id = open();
  add(id, "disk");
  const auto follower = follow(admin());
  after_look(*follower);
  world_->change([&](content::CatalogWriter& writer) {
    auto file = *writer.find<content::SessionFile>({id, "disk"});
    file.status = content::TransferStatus::TRANSFERRING;
    file.bytes_transferred = 7 * mib;
    writer.put(id, file);
  });
  EXPECT_THAT(after_look(*follower).sessions.at(0).files, ElementsAre(is_file("disk", 7 * mib)));
}

TEST_P(ProgressFeedTest, TellsOnlyWhatTheCallerMaySee) {
  const auto stranger = follow(reader());
  const auto carol =
      logged_in("carol@vsphere.local", {Privilege::System_Anonymous, Privilege::System_View, Privilege::System_Read,
                                        Privilege::ContentLibrary_UpdateSession});
  const auto colleague = follow(carol);
  const auto creator = follow(logged_in(alice().user, {Privilege::System_Anonymous}));
  open();
  must(feed_->look());
  EXPECT_THAT(must(stranger->next()).sessions, IsEmpty());
  EXPECT_THAT(must(colleague->next()).sessions, SizeIs(1)) << "who may list it";
  EXPECT_THAT(must(creator->next()).sessions, SizeIs(1)) << "who may use it";
  must(logins_->log_out(carol));
  must(sessions().cancel(alice(), open(new_item("another", ""))));
  must(feed_->look());
  EXPECT_EQ(kind(colleague->next()), "unauthenticated");
}

TEST_P(ProgressFeedTest, TellsHowFarTasksAre) {
  const auto mine = follow(logged_in("carol@vsphere.local", {Privilege::System_Anonymous}));
  const auto others = follow(reader());
  content::Task task;
  task.id = content::TaskId("task");
  task.user = "carol@vsphere.local";
  task.status = content::TaskStatus::RUNNING;
  task.total = 100;
  task.completed = 10;
  world_->change([&](content::CatalogWriter& writer) { writer.insert(task); });
  const auto first = after_look(*mine);
  ASSERT_THAT(first.tasks, SizeIs(1));
  EXPECT_EQ(first.tasks[0].completed, 10);
  EXPECT_EQ(first.tasks[0].total, 100);
  EXPECT_THAT(after_look(*mine).tasks, IsEmpty());
  task.completed = 60;
  world_->change([&](content::CatalogWriter& writer) { writer.update(task); });
  EXPECT_EQ(after_look(*mine).tasks.at(0).completed, 60);
  EXPECT_THAT(must(others->next()).tasks, IsEmpty());
  task.status = content::TaskStatus::SUCCEEDED;
  task.ended = world_->clock().now();
  world_->change([&](content::CatalogWriter& writer) { writer.update(task); });
  EXPECT_THAT(after_look(*mine).tasks, IsEmpty()) << "its end is an event";
}

TEST_P(ProgressFeedTest, CostsNothingWhileNobodyFollows) {
  open();
  const auto who = admin();
  auto before = reads();
  must(feed_->look());
  EXPECT_EQ(reads(), before);
  auto one = follow(who);
  auto two = follow(who);
  before = reads();
  must(feed_->look());
  EXPECT_EQ(reads(), before + 1) << "one for all";
  one.reset();
  two.reset();
  before = reads();
  must(feed_->look());
  EXPECT_EQ(reads(), before);
  EXPECT_THAT(after_look(*follow(who)).sessions, SizeIs(1)) << "who comes later gets all of it again";
}

/// The members of an object as a type describes them, down to those of its members.
void expect_described(const boost::json::value& value, const api::Type& type) {
  if (type.kind == api::TypeKind::optional) return expect_described(value, *type.element);
  if (type.kind == api::TypeKind::list) {
    for (const auto& element : value.as_array()) expect_described(element, *type.element);
  }
  if (type.kind != api::TypeKind::structure) return;
  std::vector<std::string> described;
  for (const auto& field : type.fields) {
    described.push_back(field.name);
    const auto* member = value.as_object().if_contains(field.name);
    EXPECT_TRUE(member != nullptr || field.type->kind == api::TypeKind::optional) << field.name;
    if (member != nullptr) expect_described(*member, *field.type);
  }
  for (const auto& member : value.as_object()) EXPECT_THAT(described, testing::Contains(std::string(member.key())));
}

/// What clients read in the OpenAPI document is what they get.
TEST(ProgressJson, HasTheMembersThatTheApiDescribes) {
  const service::SessionProgress session{content::UpdateSessionId("s"),
                                         content::ItemId("i"),
                                         content::LibraryId("l"),
                                         "alice",
                                         7,
                                         base::Time(),
                                         {{"a", content::TransferStatus::TRANSFERRING, 5, 9},
                                          {"b", content::TransferStatus::WAITING_FOR_TRANSFER, 0, std::nullopt}}};
  expect_described(boost::json::parse(service::progress_json(session, base::Time())), api::session_progress_type());
  const service::TaskProgress task{content::TaskId("t"), "i", "alice", 3, 0};
  expect_described(boost::json::parse(service::progress_json(task, base::Time())), api::task_progress_type());
}

TEST(ProgressJson, SaysAllInOneLine) {
  const service::SessionProgress session{content::UpdateSessionId("s"),
                                         content::ItemId("i"),
                                         content::LibraryId("l"),
                                         "alice",
                                         7,
                                         *base::parse_time("2026-02-11T08:10:33.120Z"),
                                         {{"a\nb", content::TransferStatus::TRANSFERRING, 5, 9},
                                          {"c", content::TransferStatus::WAITING_FOR_TRANSFER, 0, std::nullopt}}};
  const auto time = *base::parse_time("2026-02-11T08:04:18.007Z");
  EXPECT_EQ(
      service::progress_json(session, time),
      R"({"time":"2026-02-11T08:04:18.007Z","kind":"update_session.progress","library":"l","item":"i","subject":"s",)"
      R"("details":{"client_progress":7,"expiration_time":"2026-02-11T08:10:33.120Z","files":[)"
      R"({"name":"a\nb","status":"TRANSFERRING","bytes_transferred":5,"size":9},)"
      R"({"name":"c","status":"WAITING_FOR_TRANSFER","bytes_transferred":0}]}})");
  EXPECT_EQ(
      service::progress_json(service::TaskProgress{content::TaskId("t"), "i", "alice", 3, 0}, time),
      R"({"time":"2026-02-11T08:04:18.007Z","kind":"task.progress","subject":"t","details":{"completed":3,"total":0}})");
}

}  // namespace
}  // namespace quire
