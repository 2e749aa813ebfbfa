#include <gmock/gmock.h>

#include <algorithm>

#include "base/hex.h"
#include "support/service_world.h"

// Update sessions of plain items through the services: content-library-api.md §14, §15, §28.1. Packages have a file of
// their own.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::DownloadSessionId;
using content::SessionFile;
using content::SourceType;
using content::TransferStatus;
using content::UpdateSessionId;
using content::UpdateSessionState;
using content::WarningBehavior;
using content::WarningType;
using service::BodyEnd;
using service::PreviewState;
using test_support::administrator;
using test_support::alice;
using test_support::bob;
using test_support::bytes_of;
using test_support::Engine;
using test_support::file_spec;
using test_support::kind;
using test_support::send;
using test_support::ServiceTest;
using test_support::why;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

class UpdateSessionTest : public ServiceTest {
 protected:
  static constexpr base::Duration timeout = 5min;

  UpdateSessionState state(const UpdateSessionId& id) { return session(id).state; }
  bool exists(const UpdateSessionId& id) {
    return world_->look(
        [&](content::CatalogReader& reader) { return reader.find<content::UpdateSession>(id).has_value(); });
  }
  /// As the row says, without the activity that asking would be.
  base::Time expires(const UpdateSessionId& id) {
    return world_->look(
        [&](content::CatalogReader& reader) { return reader.find<content::UpdateSession>(id)->expires_at; });
  }
  base::Time now() { return world_->clock().now(); }

  struct Running {
    std::shared_ptr<service::Upload> upload;
    bool stopped = false;
  };
  /// An upload that has begun; `first` has been taken.
  std::unique_ptr<Running> begin(const content::TransferToken& token, std::string_view first = {}) {
    auto running = std::make_unique<Running>();
    auto begun = world_->uploads().begin(token, service::UploadRequest::whole(std::nullopt),
                                         [&stopped = running->stopped] { stopped = true; });
    if (!begun.upload) throw std::runtime_error(begun.refusal->error.text());
    running->upload = std::move(begun.upload);
    if (!first.empty()) must(running->upload->append(bytes_of(first)));
    return running;
  }
  service::UploadRefusal refusal(const content::TransferToken& token,
                                 std::optional<std::int64_t> content_length = std::nullopt) {
    auto begun = world_->uploads().begin(token, service::UploadRequest::whole(content_length), [] {});
    EXPECT_FALSE(begun.upload);
    return begun.refusal.value();
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, UpdateSessionTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, UpdateSessionTest, testing::Values(Engine::Postgresql));

// ---- the list of files and what complete makes of it (§14.4, §15.3, §28.1) ----

TEST_P(UpdateSessionTest, ANewSessionIsActiveWithASnapshotOfTheItemsFiles) {
  fill(item_, {{"a.iso", "content of a"}, {"b.iso", "content of b"}});
  const auto id = open();
  const auto view = must(sessions().get(alice(), id));
  EXPECT_EQ(view.session.state, UpdateSessionState::ACTIVE);
  EXPECT_EQ(view.session.item_id, item_);
  EXPECT_EQ(view.session.item_content_version, 2);
  EXPECT_EQ(view.session.client_progress, 0);
  EXPECT_EQ(view.session.error_message, std::nullopt);
  EXPECT_EQ(view.session.creator, alice().user);
  EXPECT_GE(view.session.expires_at, now() + timeout);
  ASSERT_TRUE(view.preview);
  EXPECT_EQ(view.preview->state, PreviewState::UNAVAILABLE);
  EXPECT_THAT(names(id), ElementsAre("a.iso", "b.iso"));
  const auto a = file(id, "a.iso");
  EXPECT_EQ(a.source_type, SourceType::NONE);
  EXPECT_EQ(a.status, TransferStatus::READY);
  EXPECT_EQ(a.size, 12);
  EXPECT_TRUE(a.upload_token.empty());
}

TEST_P(UpdateSessionTest, ASessionOfAnEmptyItemHasNoFiles) { EXPECT_THAT(names(open()), IsEmpty()); }

TEST_P(UpdateSessionTest, NothingIsVisibleBeforeComplete) {
  fill(item_, {{"a.iso", "old"}});
  const auto id = open();
  push(id, "a.iso", "new");
  push(id, "b.iso", "more");
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "old")));
  EXPECT_EQ(item().content_version, 2);
  EXPECT_EQ(item().size, 3);
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "new"), Pair("b.iso", "more")));
}

TEST_P(UpdateSessionTest, CompleteMovesVersionsSizeTimeAndWritesAChange) {
  const auto created = item();
  EXPECT_EQ(created.content_version, 1);
  advance(1min);
  const auto first = open();
  push(first, "a.iso", "12345");
  push(first, "b.iso", "123");
  advance(1min);
  must(sessions().complete(alice(), first));
  EXPECT_EQ(state(first), UpdateSessionState::DONE);
  EXPECT_EQ(item().content_version, 2);
  EXPECT_EQ(item().size, 8);
  EXPECT_EQ(item().last_modified_time, now());
  EXPECT_EQ(item().version, created.version);
  EXPECT_EQ(item().metadata_version, created.metadata_version);
  EXPECT_EQ(version_of("a.iso"), 1);

  const auto second = open();
  push(second, "a.iso", "1234567");
  must(sessions().complete(alice(), second));
  EXPECT_EQ(item().content_version, 3);
  EXPECT_EQ(item().size, 10);
  EXPECT_EQ(version_of("a.iso"), 2);
  EXPECT_EQ(version_of("b.iso"), 1);
  const auto changes =
      world_->look([&](content::CatalogReader& reader) { return reader.list<content::Change>(item_); });
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].content_version, 2);
  EXPECT_EQ(changes[1].content_version, 3);
  EXPECT_EQ(changes[1].user, alice().user);
}

TEST_P(UpdateSessionTest, ReplacedBytesAreGoneFromTheDisk) {
  fill(item_, {{"a.iso", "old"}});
  fill(item_, {{"a.iso", "new"}});
  EXPECT_EQ(files_on_disk(), 1U);
}

TEST_P(UpdateSessionTest, ARemovedFileIsUnlistedAtOnceAndGoneAtComplete) {
  fill(item_, {{"a.iso", "a"}, {"b.iso", "b"}});
  const auto id = open();
  must(sessions().remove_file(alice(), id, "a.iso"));
  EXPECT_THAT(names(id), ElementsAre("b.iso"));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "a"), Pair("b.iso", "b")));
  EXPECT_EQ(kind(sessions().file(alice(), id, "a.iso")), "invalid_argument");
  EXPECT_EQ(kind(sessions().remove_file(alice(), id, "a.iso")), "invalid_argument");
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("b.iso", "b")));
  EXPECT_EQ(version_of("b.iso"), 1);
  EXPECT_EQ(item().content_version, 3);
  EXPECT_EQ(item().size, 1);
}

TEST_P(UpdateSessionTest, RemoveThenAddOfOneNameIsAReplacement) {
  fill(item_, {{"a.iso", "a"}});
  const auto id = open();
  must(sessions().remove_file(alice(), id, "a.iso"));
  push(id, "a.iso", "other");
  must(sessions().complete(alice(), id));
  EXPECT_EQ(version_of("a.iso"), 2);
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "other")));
}

TEST_P(UpdateSessionTest, ANameAddedAndRemovedWithinTheSessionIsNoChange) {
  fill(item_, {{"a.iso", "a"}});
  const auto before = item();
  advance(1min);
  const auto id = open();
  push(id, "b.iso", "b");
  must(sessions().remove_file(alice(), id, "b.iso"));
  EXPECT_EQ(files_on_disk(), 1U);
  must(sessions().complete(alice(), id));
  EXPECT_EQ(state(id), UpdateSessionState::DONE);
  EXPECT_EQ(item(), before);
}

TEST_P(UpdateSessionTest, CompletingWithoutAnyChangeIsDoneAndMovesNothing) {
  fill(item_, {{"a.iso", "a"}});
  const auto before = item();
  advance(1min);
  const auto id = open();
  must(sessions().complete(alice(), id));
  EXPECT_EQ(state(id), UpdateSessionState::DONE);
  EXPECT_EQ(item(), before);
  EXPECT_EQ(world_->look([&](content::CatalogReader& reader) { return reader.list<content::Change>(item_).size(); }),
            1U);
}

TEST_P(UpdateSessionTest, IdenticalContentSentAgainIsAChange) {
  fill(item_, {{"a.iso", "same"}});
  fill(item_, {{"a.iso", "same"}});
  EXPECT_EQ(item().content_version, 3);
  EXPECT_EQ(version_of("a.iso"), 2);
  EXPECT_EQ(files_on_disk(), 1U);
}

TEST_P(UpdateSessionTest, AllFilesRemovedLeavesAnEmptyItem) {
  fill(item_, {{"a.iso", "a"}, {"b.iso", "b"}});
  const auto id = open();
  must(sessions().remove_file(alice(), id, "a.iso"));
  must(sessions().remove_file(alice(), id, "b.iso"));
  must(sessions().complete(alice(), id));
  EXPECT_EQ(state(id), UpdateSessionState::DONE);
  EXPECT_THAT(content(), IsEmpty());
  EXPECT_EQ(item().size, 0);
  EXPECT_EQ(item().content_version, 3);
  EXPECT_EQ(files_on_disk(), 0U);
  fill(item_, {{"a.iso", "again"}});
  EXPECT_EQ(version_of("a.iso"), 1);
}

TEST_P(UpdateSessionTest, TheSameBytesUnderSeveralNamesAreStoredOnce) {
  fill(item_, {{"a.iso", "same"}, {"b.iso", "same"}});
  EXPECT_EQ(files_on_disk(), 1U);
  EXPECT_EQ(item().size, 8);
  const auto other = new_item("other", "");
  fill(other, {{"c.iso", "same"}});
  EXPECT_EQ(files_on_disk(), 1U);
  must(world_->items().remove(alice(), item_));
  EXPECT_THAT(*world_->content_of(other), ElementsAre(Pair("c.iso", "same")));
  must(world_->items().remove(alice(), other));
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(UpdateSessionTest, TheSampleThatEmptiesAndRefillsASessionWorks) {
  fill(item_, {{"a.iso", "a"}, {"b.iso", "b"}});
  const auto id = open();
  for (const auto& name : names(id)) must(sessions().remove_file(alice(), id, name));
  push(id, "b.iso", "new b");
  push(id, "c.iso", "c");
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("b.iso", "new b"), Pair("c.iso", "c")));
  EXPECT_EQ(version_of("b.iso"), 2);
  EXPECT_EQ(version_of("c.iso"), 1);
}

TEST_P(UpdateSessionTest, ADownloadSessionServesTheContentOfItsCreationWhateverHappens) {
  fill(item_, {{"a.iso", "old"}});
  const auto download = must(world_->downloads().create(alice(), item_.text(), std::nullopt));
  const auto id = open();
  push(id, "a.iso", "new");
  push(id, "b.iso", "more");
  must(sessions().complete(alice(), id));
  EXPECT_EQ(must(world_->downloads().get(alice(), download)).item_content_version, 2);
  const auto files = must(world_->downloads().files(alice(), download));
  ASSERT_EQ(files.size(), 1U);
  const auto prepared = must(world_->downloads().prepare(alice(), download, "a.iso", false));
  const auto open_file = must(world_->download_bytes().open(prepared.token, "a.iso"));
  EXPECT_EQ(test_support::ServiceWorld::read_all(*open_file.bytes), "old");
  EXPECT_EQ(kind(world_->downloads().prepare(alice(), download, "b.iso", false)), "invalid_argument");
  EXPECT_EQ(files_on_disk(), 3U);
  must(world_->downloads().remove(alice(), download));
  EXPECT_EQ(files_on_disk(), 2U);
  // A download that has begun goes on.
  EXPECT_EQ(test_support::ServiceWorld::read_all(*open_file.bytes), "old");
}

TEST_P(UpdateSessionTest, ACancelledDownloadSessionLetsItsContentGo) {
  fill(item_, {{"a.iso", "old"}});
  const auto download = must(world_->downloads().create(alice(), item_.text(), std::nullopt));
  fill(item_, {{"a.iso", "new"}});
  EXPECT_EQ(files_on_disk(), 2U);
  must(world_->downloads().cancel(alice(), download));
  EXPECT_EQ(files_on_disk(), 1U);
  const auto expiring = must(world_->downloads().create(alice(), item_.text(), std::nullopt));
  fill(item_, {{"a.iso", "newest"}});
  EXPECT_EQ(files_on_disk(), 2U);
  advance(6min);
  must(world_->downloads().remove_expired());
  EXPECT_EQ(files_on_disk(), 1U);
  EXPECT_EQ(kind(world_->downloads().get(alice(), expiring)), "not_found");
}

// ---- one session per item, and who may use it ----

TEST_P(UpdateSessionTest, AnItemThatIsBeingUpdatedSaysByWhomAndSinceWhen) {
  const auto since = now();
  const auto id = open();
  advance(90s);
  const auto refused = sessions().create(bob(), item_.text(), std::nullopt, std::nullopt);
  ASSERT_EQ(kind(refused), "resource_busy");
  const auto& message = refused.error().messages().front();
  EXPECT_THAT(message.default_message, HasSubstr(alice().user));
  EXPECT_THAT(message.default_message, HasSubstr(base::to_text(since)));
  EXPECT_THAT(message.default_message, HasSubstr(id.text()));
}

TEST_P(UpdateSessionTest, EndedSessionsDoNotBlockANewOne) {
  const auto done = open();
  must(sessions().complete(alice(), done));
  const auto cancelled = open();
  must(sessions().cancel(alice(), cancelled));
  const auto failed = open();
  must(sessions().fail(alice(), failed, "no more"));
  const auto active = open();
  EXPECT_THAT(must(sessions().list(alice(), item_)), ElementsAre(done, cancelled, failed, active));
}

TEST_P(UpdateSessionTest, OnlyItsCreatorAndAdministratorsMayUseASession) {
  const auto id = open();
  const auto entry = add(id, "a.iso");
  EXPECT_EQ(kind(sessions().get(bob(), id)), "not_found");
  EXPECT_EQ(kind(sessions().keep_alive(bob(), id, {})), "not_found");
  EXPECT_EQ(kind(sessions().update(bob(), id, {})), "not_found");
  EXPECT_EQ(kind(sessions().complete(bob(), id)), "not_found");
  EXPECT_EQ(kind(sessions().cancel(bob(), id)), "not_found");
  EXPECT_EQ(kind(sessions().fail(bob(), id, "x")), "not_found");
  EXPECT_EQ(kind(sessions().remove(bob(), id)), "not_found");
  EXPECT_EQ(kind(sessions().add_file(bob(), id, file_spec("b"))), "not_found");
  EXPECT_EQ(kind(sessions().files(bob(), id)), "not_found");
  EXPECT_EQ(kind(sessions().file(bob(), id, "a.iso")), "not_found");
  EXPECT_EQ(kind(sessions().remove_file(bob(), id, "a.iso")), "not_found");
  EXPECT_EQ(kind(sessions().validate(bob(), id)), "not_found");
  EXPECT_THAT(must(sessions().list(bob(), item_)), IsEmpty());
  EXPECT_TRUE(sessions().get(administrator(), id));
  EXPECT_TRUE(sessions().cancel(administrator(), id));
}

TEST_P(UpdateSessionTest, ListShowsTheCallersOwnSessionsOfTheItem) {
  const auto other = new_item("other", "");
  const auto mine = open();
  const auto elsewhere = open(other);
  EXPECT_THAT(must(sessions().list(alice(), std::nullopt)), ElementsAre(mine, elsewhere));
  EXPECT_THAT(must(sessions().list(alice(), other)), ElementsAre(elsewhere));
  EXPECT_EQ(kind(sessions().list(alice(), content::ItemId("nowhere"))), "not_found");
}

TEST_P(UpdateSessionTest, ASessionNeedsAnItemThatExists) {
  EXPECT_EQ(kind(sessions().create(alice(), std::nullopt, std::nullopt, std::nullopt)), "invalid_argument");
  EXPECT_EQ(kind(sessions().create(alice(), "nowhere", std::nullopt, std::nullopt)), "not_found");
}

TEST_P(UpdateSessionTest, UnknownSessionsAreNotFound) {
  const UpdateSessionId none("none");
  EXPECT_EQ(kind(sessions().get(alice(), none)), "not_found");
  EXPECT_EQ(kind(sessions().complete(alice(), none)), "not_found");
  EXPECT_EQ(kind(sessions().remove(alice(), none)), "not_found");
  EXPECT_EQ(kind(sessions().files(alice(), none)), "not_found");
}

// ---- client_token (§1.10, §28.1) ----

constexpr auto token = "5d7c5f7c-9d8a-4a5c-8c4b-0d5f0c2f3b11";

TEST_P(UpdateSessionTest, AClientTokenMakesCreateOnce) {
  const auto first = must(sessions().create(alice(), item_.text(), std::nullopt, token));
  EXPECT_EQ(must(sessions().create(alice(), item_.text(), std::nullopt, token)), first);
  world_->restart();
  EXPECT_EQ(must(sessions().create(alice(), item_.text(), std::nullopt, token)), first);
  EXPECT_EQ(kind(sessions().create(alice(), item_.text(), std::vector<WarningBehavior>{{}}, token)),
            "invalid_argument");
  const auto other = new_item("other", "");
  EXPECT_EQ(why(sessions().create(alice(), other.text(), std::nullopt, token)), "quire.client_token.other_spec");
}

TEST_P(UpdateSessionTest, AClientTokenKeepsItsIdWhenTheSessionIsGone) {
  const auto first = must(sessions().create(alice(), item_.text(), std::nullopt, token));
  must(sessions().cancel(alice(), first));
  must(sessions().remove(alice(), first));
  EXPECT_EQ(must(sessions().create(alice(), item_.text(), std::nullopt, token)), first);
  EXPECT_EQ(kind(sessions().get(alice(), first)), "not_found");
  advance(24h);
  must(sessions().remove_expired());
  EXPECT_EQ(must(sessions().create(alice(), item_.text(), std::nullopt, token)), first);
}

TEST_P(UpdateSessionTest, AClientTokenBelongsToOneUserAndOneOperation) {
  const auto mine = must(sessions().create(alice(), item_.text(), std::nullopt, token));
  must(sessions().cancel(alice(), mine));
  EXPECT_NE(must(sessions().create(bob(), item_.text(), std::nullopt, token)), mine);
  EXPECT_NE(must(world_->downloads().create(alice(), item_.text(), token)).text(), mine.text());
}

TEST_P(UpdateSessionTest, ARefusedCreateDoesNotUseUpItsClientToken) {
  const auto holder = open();
  EXPECT_EQ(kind(sessions().create(bob(), item_.text(), std::nullopt, token)), "resource_busy");
  must(sessions().cancel(alice(), holder));
  EXPECT_TRUE(sessions().create(bob(), item_.text(), std::nullopt, token));
}

TEST_P(UpdateSessionTest, AClientTokenMustBeAUuid) {
  EXPECT_EQ(why(sessions().create(alice(), item_.text(), std::nullopt, "today")), "quire.client_token.malformed");
}

// ---- expiry (§14.5, §28.1) ----

TEST_P(UpdateSessionTest, ASessionNeverExpiresEarly) {
  const auto id = open();
  const auto shown = session(id).expires_at;
  EXPECT_GE(shown, now() + timeout);
  advance(shown - now());
  must(sessions().remove_expired());
  EXPECT_TRUE(exists(id));
  EXPECT_EQ(kind(sessions().create(bob(), item_.text(), std::nullopt, std::nullopt)), "resource_busy");
  EXPECT_TRUE(sessions().keep_alive(alice(), id, {}));
}

TEST_P(UpdateSessionTest, AnExpiredSessionIsGoneWithItsContentAndTheItemStays) {
  fill(item_, {{"a.iso", "a"}});
  const auto id = open();
  push(id, "b.iso", "b");
  advance(expires(id) - now() + 1ms);
  EXPECT_EQ(kind(sessions().get(alice(), id)), "not_found");
  EXPECT_EQ(kind(sessions().keep_alive(alice(), id, {})), "not_found");
  EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_found");
  EXPECT_THAT(must(sessions().list(alice(), item_)), IsEmpty());
  must(sessions().remove_expired());
  EXPECT_FALSE(exists(id));
  EXPECT_EQ(files_on_disk(), 1U);
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "a")));
}

TEST_P(UpdateSessionTest, AnExpiredSessionThatNobodyRemovedYetBlocksNoOther) {
  const auto id = open();
  push(id, "a.iso", "a");
  advance(expires(id) - now() + 1ms);
  const auto next = must(sessions().create(bob(), item_.text(), std::nullopt, std::nullopt));
  EXPECT_FALSE(exists(id));
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_TRUE(sessions().get(bob(), next));
}

TEST_P(UpdateSessionTest, EveryCallThatNamesTheSessionKeepsItAlive) {
  const auto id = open();
  push(id, "a.iso", "a");
  const std::vector<std::pair<std::string, std::function<bool()>>> calls = {
      {"get", [&] { return bool(sessions().get(alice(), id)); }},
      {"update", [&] { return bool(sessions().update(alice(), id, std::nullopt)); }},
      {"keep_alive", [&] { return bool(sessions().keep_alive(alice(), id, {})); }},
      {"files", [&] { return bool(sessions().files(alice(), id)); }},
      {"file", [&] { return bool(sessions().file(alice(), id, "a.iso")); }},
      {"validate", [&] { return bool(sessions().validate(alice(), id)); }},
      {"add_file", [&] { return bool(sessions().add_file(alice(), id, file_spec("b.iso"))); }},
      {"remove_file", [&] { return bool(sessions().remove_file(alice(), id, "b.iso")); }},
  };
  for (const auto& [name, call] : calls) {
    SCOPED_TRACE(name);
    advance(timeout);
    EXPECT_TRUE(call());
    EXPECT_GE(expires(id), now() + timeout);
  }
}

TEST_P(UpdateSessionTest, ReceivedBytesKeepTheSessionAliveAndAnOpenUploadWithoutBytesDoesNot) {
  const auto id = open();
  const auto running = begin(add(id, "a.iso").upload_token);
  for (int minute = 0; minute < 30; ++minute) {
    advance(1min);
    must(running->upload->append(bytes_of("x")));
    EXPECT_GE(expires(id), now() + timeout - 5s) << minute;
    must(sessions().remove_expired());
  }
  EXPECT_TRUE(exists(id));
  advance(expires(id) - now() + 1ms);
  must(sessions().remove_expired());
  EXPECT_FALSE(exists(id));
  EXPECT_TRUE(running->stopped);
  EXPECT_EQ(kind(running->upload->append(bytes_of("x"))), "not_found");
  running->upload.reset();
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(UpdateSessionTest, AnUploadKeepsTheLoginAliveThatCarriesIt) {
  world_->change([&](content::CatalogWriter& writer) {
    writer.insert(content::LoginSession{alice().login, alice().user, now(), now()});
  });
  const auto accessed = [&] {
    return world_->look([&](content::CatalogReader& reader) {
      return reader.find<content::LoginSession>(alice().login)->last_accessed;
    });
  };
  const auto id = open();
  const auto running = begin(add(id, "a.iso").upload_token);
  advance(4min);
  must(running->upload->append(bytes_of("x")));
  EXPECT_EQ(accessed(), now());
  advance(content::login_access_granularity);
  must(running->upload->finish(BodyEnd::whole));
  EXPECT_EQ(accessed(), now());
}

TEST_P(UpdateSessionTest, AfterDownTimeEverySessionHasAWholeTimeOut) {
  const auto id = open();
  advance(timeout - 1s);
  world_->restart();
  EXPECT_GE(expires(id), now() + timeout);
  advance(timeout);
  must(sessions().remove_expired());
  EXPECT_TRUE(sessions().get(alice(), id));
}

/// Every session got the longest of all time-outs: an update session of 6 s lived on for the 5 min of a download.
TEST_P(UpdateSessionTest, AfterDownTimeASessionHasTheTimeOutOfItsKind) {
  service::Settings settings;
  settings.update_session_timeout = 6s;
  make_world(settings);
  const auto item = new_item("short", "");
  const auto id = must(sessions().create(alice(), item.text(), std::nullopt, std::nullopt));
  world_->restart();
  EXPECT_GE(expires(id), now() + 6s);
  EXPECT_LE(expires(id), now() + 7s);
  advance(7s);
  must(sessions().remove_expired());
  EXPECT_FALSE(exists(id));
}

TEST_P(UpdateSessionTest, ARestartKeepsActiveSessionsAndTheirReceivedContent) {
  const auto id = open();
  push(id, "a.iso", "a");
  const auto waiting = add(id, "b.iso");
  world_->restart();
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::READY);
  must(send(*world_, waiting.upload_token, "b"));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "a"), Pair("b.iso", "b")));
}

TEST_P(UpdateSessionTest, EndedSessionsKeepTheirExpirationAndStayForTheirRetention) {
  const auto id = open();
  must(sessions().cancel(alice(), id));
  const auto last = expires(id);
  advance(24h);
  must(sessions().remove_expired());
  EXPECT_EQ(session(id).expires_at, last);
  advance(1ms);
  must(sessions().remove_expired());
  EXPECT_EQ(kind(sessions().get(alice(), id)), "not_found");
}

// ---- keep_alive, update ----

TEST_P(UpdateSessionTest, ProgressOnlyGrowsAndStaysWithinBounds) {
  const auto id = open();
  const auto progress = [&] { return session(id).client_progress; };
  must(sessions().keep_alive(alice(), id, 40));
  EXPECT_EQ(progress(), 40);
  must(sessions().keep_alive(alice(), id, 30));
  EXPECT_EQ(progress(), 40);
  must(sessions().keep_alive(alice(), id, std::nullopt));
  EXPECT_EQ(progress(), 40);
  EXPECT_EQ(kind(sessions().keep_alive(alice(), id, -1)), "invalid_argument");
  EXPECT_EQ(kind(sessions().keep_alive(alice(), id, 101)), "invalid_argument");
  must(sessions().keep_alive(alice(), id, 100));
  EXPECT_EQ(progress(), 100);
  EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
}

TEST_P(UpdateSessionTest, UpdateReplacesTheWholeWarningBehavior) {
  const std::vector<WarningBehavior> first = {{WarningType::EXPIRED_CERTIFICATE, true},
                                              {WarningType::UNTRUSTED_CERTIFICATE, false}};
  const std::vector<WarningBehavior> second = {{WarningType::SELF_SIGNED_CERTIFICATE, true}};
  const auto id = must(sessions().create(alice(), item_.text(), first, std::nullopt));
  EXPECT_EQ(session(id).warning_behavior, first);
  must(sessions().update(alice(), id, std::nullopt));
  EXPECT_EQ(session(id).warning_behavior, first);
  must(sessions().update(alice(), id, second));
  EXPECT_EQ(session(id).warning_behavior, second);
  EXPECT_EQ(kind(sessions().update(alice(), id, std::vector<WarningBehavior>{second[0], second[0]})),
            "invalid_argument");
}

TEST_P(UpdateSessionTest, ThePreviewOfAPlainItemDoesNotApplyOnceAFileIsAdded) {
  const auto id = open();
  EXPECT_EQ(must(sessions().get(alice(), id)).preview->state, PreviewState::UNAVAILABLE);
  add(id, "a.iso");
  EXPECT_EQ(must(sessions().get(alice(), id)).preview->state, PreviewState::NOT_APPLICABLE);
  must(sessions().cancel(alice(), id));
  EXPECT_FALSE(must(sessions().get(alice(), id)).preview);
}

// ---- add (§15.1, §15.2) ----

TEST_P(UpdateSessionTest, AddAnswersWithAnEntryThatWaits) {
  const auto id = open();
  const auto entry = add(id, "a.iso");
  EXPECT_EQ(entry.source_type, SourceType::PUSH);
  EXPECT_EQ(entry.status, TransferStatus::WAITING_FOR_TRANSFER);
  EXPECT_EQ(entry.bytes_transferred, 0);
  EXPECT_EQ(entry.size, std::nullopt);
  EXPECT_FALSE(entry.upload_token.empty());
  EXPECT_EQ(file(id, "a.iso"), entry);
}

TEST_P(UpdateSessionTest, AddRefusesABadSpec) {
  const auto id = open();
  for (const std::string name : {"", "/a", "a/", "../a", "a//b", ".", "a\\b", "a\nb"})
    EXPECT_EQ(kind(sessions().add_file(alice(), id, file_spec(name))), "invalid_argument") << name;
  EXPECT_EQ(kind(sessions().add_file(alice(), id, file_spec("a", -2))), "invalid_argument");
  EXPECT_EQ(kind(sessions().add_file(alice(), id, file_spec("a", {}, base::Checksum{{}, "12ab"}))), "invalid_argument");
  EXPECT_EQ(kind(sessions().add_file(alice(), id, file_spec("a", {}, base::Checksum{{}, std::string(64, 'g')}))),
            "invalid_argument");
  auto none = file_spec("a");
  none.source_type = SourceType::NONE;
  EXPECT_EQ(kind(sessions().add_file(alice(), id, none)), "invalid_argument");
  auto no_source = file_spec("a");
  no_source.source_type = SourceType::PULL;
  EXPECT_EQ(kind(sessions().add_file(alice(), id, no_source)), "invalid_argument");
  EXPECT_THAT(names(id), IsEmpty());
}

TEST_P(UpdateSessionTest, AddingAPendingFileAgainGivesANewEndpointAndKillsTheOld) {
  const auto id = open();
  const auto first = add(id, "a.iso");
  const auto running = begin(first.upload_token, "half");
  const auto second = add(id, "a.iso");
  EXPECT_NE(first.upload_token, second.upload_token);
  EXPECT_TRUE(running->stopped);
  EXPECT_EQ(kind(running->upload->finish(BodyEnd::whole)), "not_found");
  running->upload.reset();
  EXPECT_EQ(kind(send(*world_, first.upload_token, "old")), "not_found");
  must(send(*world_, second.upload_token, "new"));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "new")));
  EXPECT_EQ(files_on_disk(), 1U);
}

TEST_P(UpdateSessionTest, AddingAReadyFileAgainReleasesWhatHadArrived) {
  const auto id = open();
  push(id, "a.iso", "first");
  EXPECT_EQ(files_on_disk(), 1U);
  add(id, "a.iso");
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_allowed_in_current_state");
}

TEST_P(UpdateSessionTest, ASessionHoldsNoMoreFilesThanTheLimit) {
  content::Limits limits;
  limits.files_per_item_max = 2;
  make_world({}, limits);
  const auto id = open();
  add(id, "a");
  add(id, "b");
  EXPECT_EQ(why(sessions().add_file(alice(), id, file_spec("c"))), "quire.update_session.too_many_files");
  add(id, "b");
}

// ---- uploads (§23.5, §28.1) ----

TEST_P(UpdateSessionTest, AnUploadedFileIsReadyWithItsSize) {
  const auto id = open();
  const auto entry = push(id, "a.iso", "12345");
  const auto ready = file(id, "a.iso");
  EXPECT_EQ(ready.status, TransferStatus::READY);
  EXPECT_EQ(ready.size, 5);
  EXPECT_EQ(ready.bytes_transferred, 5);
  EXPECT_EQ(ready.upload_token, entry.upload_token);
}

TEST_P(UpdateSessionTest, AnEmptyFileIsReadyWithSizeZero) {
  const auto id = open();
  for (const std::int64_t size : {0, -1}) {
    const auto name = "empty" + std::to_string(size);
    const auto entry = must(sessions().add_file(alice(), id, file_spec(name, size)));
    must(send(*world_, entry.upload_token, "", BodyEnd::whole,
              size == 0 ? std::optional<std::int64_t>(0) : std::nullopt));
    EXPECT_EQ(file(id, name).status, TransferStatus::READY);
    EXPECT_EQ(file(id, name).size, 0);
  }
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("empty-1", ""), Pair("empty0", "")));
}

TEST_P(UpdateSessionTest, ADeclaredSizeOfZeroOrMinusOneIsNotDeclared) {
  const auto id = open();
  for (const std::int64_t size : {0, -1}) {
    const auto name = "a" + std::to_string(size);
    const auto entry = must(sessions().add_file(alice(), id, file_spec(name, size)));
    EXPECT_TRUE(send(*world_, entry.upload_token, "some bytes"));
    EXPECT_EQ(file(id, name).status, TransferStatus::READY);
  }
}

TEST_P(UpdateSessionTest, ChecksumsOfAllAlgorithmsAreCheckedInEitherCase) {
  const std::string body(200'000, 'b');
  const auto id = open();
  for (const auto algorithm : base::all_digest_algorithms) {
    const std::string name(base::name_of(algorithm));
    auto checksum = base::digest_of(algorithm, bytes_of(body));
    checksum.hex = upper(checksum.hex);
    const auto entry = must(sessions().add_file(alice(), id, file_spec(name, body.size(), checksum)));
    EXPECT_EQ(entry.declared_checksum->hex, base::to_lower(checksum.hex));
    EXPECT_TRUE(send(*world_, entry.upload_token, body)) << name;
    EXPECT_EQ(file(id, name).status, TransferStatus::READY) << name;
  }
  must(sessions().complete(alice(), id));
  for (const auto algorithm : base::all_digest_algorithms)
    EXPECT_EQ(must(world_->items().file(alice(), item_, std::string(base::name_of(algorithm)))).checksum.algorithm,
              algorithm);
}

TEST_P(UpdateSessionTest, AWrongChecksumOfAnyAlgorithmEndsFileAndSessionInError) {
  for (const auto algorithm : base::all_digest_algorithms) {
    const std::string name(base::name_of(algorithm));
    SCOPED_TRACE(name);
    const auto id = open();
    push(id, "good", "good");
    const auto wrong = base::digest_of(algorithm, bytes_of("other bytes"));
    const auto entry = must(sessions().add_file(alice(), id, file_spec(name, {}, wrong)));
    const auto sent = send(*world_, entry.upload_token, "these bytes");
    EXPECT_EQ(kind(sent), "invalid_argument");
    EXPECT_EQ(why(sent), "quire.upload.checksum_differs");
    EXPECT_EQ(file(id, name).status, TransferStatus::ERROR);
    EXPECT_EQ(file(id, name).error_message->id, "quire.upload.checksum_differs");
    EXPECT_EQ(state(id), UpdateSessionState::ERROR);
    ASSERT_TRUE(session(id).error_message);
    EXPECT_EQ(session(id).error_message->id, "quire.upload.checksum_differs");
    EXPECT_EQ(files_on_disk(), 0U);
    const auto refused = sessions().complete(alice(), id);
    EXPECT_EQ(kind(refused), "not_allowed_in_current_state");
    EXPECT_EQ(refused.error().messages().back().id, "quire.upload.checksum_differs");
  }
}

TEST_P(UpdateSessionTest, MoreBytesThanDeclaredEndFileAndSessionInErrorBeforeTheRestIsRead) {
  const auto id = open();
  const auto entry = must(sessions().add_file(alice(), id, file_spec("a.iso", 5)));
  const auto running = begin(entry.upload_token, "12345");
  EXPECT_EQ(why(running->upload->append(bytes_of("6"))), "quire.upload.size_differs");
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::ERROR);
  EXPECT_EQ(state(id), UpdateSessionState::ERROR);
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_TRUE(sessions().create(bob(), item_.text(), std::nullopt, std::nullopt));
}

TEST_P(UpdateSessionTest, AWholeBodyShorterThanDeclaredEndsFileAndSessionInError) {
  const auto id = open();
  const auto entry = must(sessions().add_file(alice(), id, file_spec("a.iso", 5)));
  EXPECT_EQ(why(send(*world_, entry.upload_token, "1234")), "quire.upload.size_differs");
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::ERROR);
  EXPECT_EQ(state(id), UpdateSessionState::ERROR);
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(UpdateSessionTest, AnAnnouncedLengthThatContradictsTheDeclaredSizeIsRefusedAtOnce) {
  for (const std::int64_t announced : {4, 6}) {
    const auto id = open();
    push(id, "good", "good");
    const auto entry = must(sessions().add_file(alice(), id, file_spec("a.iso", 5)));
    const auto refused = refusal(entry.upload_token, announced);
    EXPECT_EQ(refused.error.messages().front().id, "quire.upload.size_differs");
    EXPECT_FALSE(refused.gone);
    EXPECT_EQ(file(id, "a.iso").status, TransferStatus::ERROR);
    EXPECT_EQ(state(id), UpdateSessionState::ERROR);
    EXPECT_EQ(files_on_disk(), 0U);
  }
}

TEST_P(UpdateSessionTest, AConnectionThatBreaksIsNoFailure) {
  const auto id = open();
  const auto entry = must(sessions().add_file(alice(), id, file_spec("a.iso", 10)));
  must(send(*world_, entry.upload_token, "12345", BodyEnd::broken));
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::TRANSFERRING);
  EXPECT_EQ(file(id, "a.iso").bytes_transferred, 5);
  EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
  const auto refused = sessions().complete(alice(), id);
  EXPECT_EQ(kind(refused), "not_allowed_in_current_state");
  EXPECT_THAT(refused.error().text(), HasSubstr("a.iso"));
  EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
  must(send(*world_, entry.upload_token, "1234567890"));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "1234567890")));
}

TEST_P(UpdateSessionTest, CompleteNamesAPushThatHasNotArrivedAndTheSessionStaysActive) {
  const auto id = open();
  push(id, "a.iso", "a");
  const auto waiting = add(id, "b.iso");
  const auto refused = sessions().complete(alice(), id);
  EXPECT_EQ(kind(refused), "not_allowed_in_current_state");
  EXPECT_THAT(refused.error().text(), HasSubstr("b.iso"));
  EXPECT_THAT(refused.error().text(), HasSubstr("WAITING"));
  EXPECT_EQ(kind(sessions().validate(alice(), id)), "not_allowed_in_current_state");
  EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
  EXPECT_EQ(item().content_version, 1);
  must(send(*world_, waiting.upload_token, "b"));
  EXPECT_FALSE(must(sessions().validate(alice(), id)).has_errors());
  must(sessions().complete(alice(), id));
}

TEST_P(UpdateSessionTest, ASecondPutStartsTheFileOverAndItIsNotReadyUntilWholeAgain) {
  const auto id = open();
  const auto entry = push(id, "a.iso", "first content");
  const auto running = begin(entry.upload_token, "sec");
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::TRANSFERRING);
  EXPECT_EQ(file(id, "a.iso").bytes_transferred, 3);
  EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_allowed_in_current_state");
  must(running->upload->append(bytes_of("ond")));
  must(running->upload->finish(BodyEnd::whole));
  running->upload.reset();
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::READY);
  EXPECT_EQ(file(id, "a.iso").size, 6);
  EXPECT_EQ(files_on_disk(), 1U);
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "second")));
}

TEST_P(UpdateSessionTest, ASecondPutThatBreaksLeavesTheFileUnreadyWithWhatCame) {
  const auto id = open();
  const auto entry = push(id, "a.iso", "first content");
  must(send(*world_, entry.upload_token, "sec", BodyEnd::broken));
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::TRANSFERRING);
  EXPECT_EQ(file(id, "a.iso").bytes_transferred, 3);
  EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_allowed_in_current_state");
  EXPECT_EQ(files_on_disk(), 1U);
  must(sessions().cancel(alice(), id));
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(UpdateSessionTest, OfTwoUploadsAtOnceTheLaterWins) {
  const auto id = open();
  const auto entry = add(id, "a.iso");
  const auto earlier = begin(entry.upload_token, "earlier");
  const auto later = begin(entry.upload_token, "la");
  EXPECT_TRUE(earlier->stopped);
  EXPECT_EQ(kind(earlier->upload->append(bytes_of("x"))), "concurrent_change");
  EXPECT_EQ(kind(earlier->upload->finish(BodyEnd::whole)), "concurrent_change");
  earlier->upload.reset();
  must(later->upload->append(bytes_of("ter")));
  must(later->upload->finish(BodyEnd::whole));
  later->upload.reset();
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "later")));
  EXPECT_EQ(files_on_disk(), 1U);
}

TEST_P(UpdateSessionTest, AnEarlierUploadCannotEndAfterTheLaterHasFinished) {
  const auto id = open();
  const auto entry = add(id, "a.iso");
  const auto earlier = begin(entry.upload_token, "earlier");
  must(send(*world_, entry.upload_token, "later"));
  EXPECT_EQ(kind(earlier->upload->finish(BodyEnd::whole)), "concurrent_change");
  earlier->upload.reset();
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::READY);
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "later")));
}

TEST_P(UpdateSessionTest, TwoServersThatFillOneFileLeakNothing) {
  service::TransferBoard board;
  auto context = world_->context();
  service::Context elsewhere{context.catalog, context.storages, context.clock, context.leases, context.identities,
                             board,           context.settings, context.limits};
  service::Uploads others(elsewhere);
  const auto id = open();
  const auto entry = add(id, "a.iso");
  auto later = others.begin(entry.upload_token, service::UploadRequest::whole(std::nullopt), [] {});
  must(later.upload->append(bytes_of("later")));
  must(send(*world_, entry.upload_token, "earlier"));
  must(later.upload->finish(BodyEnd::whole));
  later.upload.reset();
  EXPECT_EQ(files_on_disk(), 1U);
  EXPECT_EQ(world_->blobs_in_catalog().size(), 1U);
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "later")));
}

TEST_P(UpdateSessionTest, BytesTransferredAreLive) {
  const auto id = open();
  const auto running = begin(add(id, "a.iso").upload_token, "12345");
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::TRANSFERRING);
  EXPECT_EQ(file(id, "a.iso").bytes_transferred, 5);
  must(running->upload->append(bytes_of("678")));
  EXPECT_EQ(must(sessions().files(alice(), id)).front().bytes_transferred, 8);
}

TEST_P(UpdateSessionTest, FilesOfOneSessionAreUploadedInParallel) {
  const auto id = open();
  const auto a = begin(add(id, "a").upload_token, "a1");
  const auto b = begin(add(id, "b").upload_token, "b1");
  must(a->upload->append(bytes_of("a2")));
  must(b->upload->append(bytes_of("b2")));
  must(b->upload->finish(BodyEnd::whole));
  must(a->upload->finish(BodyEnd::whole));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a", "a1a2"), Pair("b", "b1b2")));
}

TEST_P(UpdateSessionTest, EndpointsOfEndedSessionsAreGoneAndOthersUnknown) {
  const auto refused = refusal(content::TransferToken("never there"));
  EXPECT_FALSE(refused.gone);
  EXPECT_EQ(refused.error.kind(), base::ErrorKind::not_found);
  EXPECT_FALSE(must(world_->uploads().is_upload_endpoint(content::TransferToken("never there"))));

  const auto done = open();
  const auto in_done = push(done, "a.iso", "a");
  must(sessions().complete(alice(), done));
  const auto cancelled = open();
  const auto in_cancelled = add(cancelled, "a.iso");
  must(sessions().cancel(alice(), cancelled));
  const auto failed = open();
  const auto in_failed = add(failed, "a.iso");
  must(sessions().fail(alice(), failed, "x"));
  const auto expired = open();
  const auto in_expired = add(expired, "a.iso");
  advance(expires(expired) - now() + 1ms);
  for (const auto& entry : {in_done, in_cancelled, in_failed, in_expired}) {
    EXPECT_TRUE(refusal(entry.upload_token).gone);
    EXPECT_TRUE(must(world_->uploads().is_upload_endpoint(entry.upload_token)));
  }
  EXPECT_EQ(state(done), UpdateSessionState::DONE);
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "a")));
}

TEST_P(UpdateSessionTest, EndpointsOfRemovedFilesAreUnknown) {
  const auto id = open();
  const auto entry = add(id, "a.iso");
  const auto running = begin(entry.upload_token, "half");
  must(sessions().remove_file(alice(), id, "a.iso"));
  EXPECT_TRUE(running->stopped);
  EXPECT_EQ(kind(running->upload->append(bytes_of("x"))), "not_found");
  running->upload.reset();
  EXPECT_EQ(refusal(entry.upload_token).error.kind(), base::ErrorKind::not_found);
  EXPECT_EQ(files_on_disk(), 0U);
}

// ---- how sessions end ----

TEST_P(UpdateSessionTest, CancelReleasesTheBytesAtOnceAndStopsTransfers) {
  fill(item_, {{"old.iso", "old"}});
  const auto id = open();
  push(id, "a.iso", "a");
  const auto running = begin(add(id, "b.iso").upload_token, "half");
  EXPECT_EQ(files_on_disk(), 3U);
  must(sessions().cancel(alice(), id));
  EXPECT_TRUE(running->stopped);
  EXPECT_EQ(kind(running->upload->finish(BodyEnd::whole)), "not_found");
  running->upload.reset();
  EXPECT_EQ(state(id), UpdateSessionState::CANCELED);
  EXPECT_EQ(session(id).error_message, std::nullopt);
  EXPECT_EQ(files_on_disk(), 1U);
  EXPECT_THAT(content(), ElementsAre(Pair("old.iso", "old")));
}

TEST_P(UpdateSessionTest, FailKeepsTheClientsTextAndReleasesTheBytesAtOnce) {
  const auto id = open();
  push(id, "a.iso", "a");
  must(sessions().fail(alice(), id, "my disk {broke} 100%"));
  EXPECT_EQ(state(id), UpdateSessionState::ERROR);
  EXPECT_THAT(session(id).error_message->default_message, HasSubstr("my disk {broke} 100"));
  EXPECT_EQ(files_on_disk(), 0U);

  const auto other = open();
  must(sessions().fail(alice(), other, std::nullopt));
  EXPECT_TRUE(session(other).error_message);
}

TEST_P(UpdateSessionTest, AnErrorInOneUploadStopsTheOthersOfTheSession) {
  const auto id = open();
  const auto entry = must(sessions().add_file(alice(), id, file_spec("a.iso", 1)));
  const auto running = begin(add(id, "b.iso").upload_token, "half");
  EXPECT_EQ(kind(send(*world_, entry.upload_token, "too much")), "invalid_argument");
  EXPECT_TRUE(running->stopped);
  EXPECT_EQ(kind(running->upload->append(bytes_of("x"))), "not_found");
  running->upload.reset();
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(UpdateSessionTest, TheFileListOfAnEndedSessionIsAsItWasAtTheEnd) {
  fill(item_, {{"old.iso", "old"}});
  const auto id = open();
  const auto entry = push(id, "a.iso", "abc");
  add(id, "b.iso");
  must(sessions().cancel(alice(), id));
  EXPECT_THAT(names(id), ElementsAre("old.iso", "a.iso", "b.iso"));
  EXPECT_EQ(file(id, "a.iso").status, TransferStatus::READY);
  EXPECT_EQ(file(id, "a.iso").size, 3);
  EXPECT_EQ(file(id, "a.iso").upload_token, entry.upload_token);
  EXPECT_EQ(file(id, "b.iso").status, TransferStatus::WAITING_FOR_TRANSFER);
}

TEST_P(UpdateSessionTest, AnActiveSessionCannotBeDeletedAndAnEndedOneCan) {
  const auto id = open();
  EXPECT_EQ(kind(sessions().remove(alice(), id)), "not_allowed_in_current_state");
  must(sessions().complete(alice(), id));
  must(sessions().remove(alice(), id));
  EXPECT_EQ(kind(sessions().get(alice(), id)), "not_found");
  EXPECT_EQ(kind(sessions().remove(alice(), id)), "not_found");
}

TEST_P(UpdateSessionTest, ASecondCompleteIsRefused) {
  const auto id = open();
  push(id, "a.iso", "a");
  must(sessions().complete(alice(), id));
  EXPECT_EQ(kind(sessions().complete(alice(), id)), "not_allowed_in_current_state");
  EXPECT_EQ(item().content_version, 2);
}

TEST_P(UpdateSessionTest, DeletingTheItemEndsItsSessionsAndTheyGoWithIt) {
  fill(item_, {{"old.iso", "old"}});
  const auto download = must(world_->downloads().create(bob(), item_.text(), std::nullopt));
  const auto ended = open();
  must(sessions().cancel(alice(), ended));
  const auto id = open();
  push(id, "a.iso", "a");
  const auto entry = add(id, "b.iso");
  const auto running = begin(entry.upload_token, "half");
  must(world_->items().remove(bob(), item_));
  EXPECT_EQ(kind(sessions().get(alice(), id)), "not_found");
  EXPECT_EQ(kind(sessions().get(alice(), ended)), "not_found");
  EXPECT_EQ(kind(world_->downloads().get(bob(), download)), "not_found");
  EXPECT_TRUE(running->stopped);
  EXPECT_EQ(kind(running->upload->finish(BodyEnd::whole)), "not_found");
  running->upload.reset();
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_THAT(world_->blobs_in_catalog(), IsEmpty());
}

TEST_P(UpdateSessionTest, DeletingTheLibraryEndsTheSessionsOfItsItems) {
  fill(item_, {{"old.iso", "old"}});
  const auto id = open();
  push(id, "a.iso", "a");
  must(world_->libraries().remove_local(alice(), library_));
  EXPECT_EQ(kind(sessions().get(alice(), id)), "not_found");
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_THAT(world_->blobs_in_catalog(), IsEmpty());
}

TEST_P(UpdateSessionTest, ACopiedItemSharesItsBytesAndOutlivesTheSource) {
  fill(item_, {{"a.iso", "a"}});
  const auto copy = must(world_->items().copy(alice(), item_, test_support::item_spec(library_, "copy", ""), {}));
  fill(item_, {{"a.iso", "new"}});
  must(world_->items().remove(alice(), item_));
  EXPECT_THAT(*world_->content_of(copy), ElementsAre(Pair("a.iso", "a")));
  EXPECT_EQ(files_on_disk(), 1U);
}

// ---- a full storage (§28.1) ----

/// A blob store that is full on demand.
class FullStore final : public content::BlobStore {
 public:
  explicit FullStore(content::BlobStore& inner) : inner_(inner) {}
  enum class Full { never, at_create, at_append, at_commit };
  Full full = Full::never;
  std::optional<std::int64_t> free_bytes;

  base::Result<std::unique_ptr<content::BlobWriter>> create(const content::BlobId& id,
                                                            std::optional<std::int64_t> expected) override {
    if (full == Full::at_create) return no_room();
    auto writer = inner_.create(id, expected);
    if (!writer) return writer.error();
    return std::unique_ptr<content::BlobWriter>(std::make_unique<Writer>(*this, *std::move(writer)));
  }
  base::Result<std::unique_ptr<content::BlobWriter>> resume(const content::BlobId& id, std::int64_t position) override {
    auto writer = inner_.resume(id, position);
    if (!writer) return writer.error();
    return std::unique_ptr<content::BlobWriter>(std::make_unique<Writer>(*this, *std::move(writer)));
  }
  base::Result<void> reopen(const content::BlobId& id) override { return inner_.reopen(id); }
  base::Result<std::unique_ptr<content::BlobReader>> open_unfinished(const content::BlobId& id) override {
    return inner_.open_unfinished(id);
  }
  base::Result<std::unique_ptr<content::BlobReader>> open(const content::BlobId& id) override {
    return inner_.open(id);
  }
  base::Result<void> remove(const content::BlobId& id) override { return inner_.remove(id); }
  base::Result<void> list(const std::function<void(const content::BlobId&)>& visit) override {
    return inner_.list(visit);
  }
  base::Result<void> remove_unfinished(const std::function<bool(const content::BlobId&)>& keeps) override {
    return inner_.remove_unfinished(keeps);
  }
  base::Result<Space> space() override {
    auto space = inner_.space();
    if (space && free_bytes) space->free_bytes = *free_bytes;
    return space;
  }
  std::string uri(const content::BlobId& id) const override { return inner_.uri(id); }

 private:
  static base::Error no_room() {
    return {base::ErrorKind::unable_to_allocate_resource, "quire.storage.full", "The storage is full."};
  }
  struct Writer final : content::BlobWriter {
    Writer(FullStore& owner, std::unique_ptr<content::BlobWriter> wrapped) : store(owner), inner(std::move(wrapped)) {}
    base::Result<void> append(std::span<const std::byte> bytes) override {
      if (store.full == Full::at_append) return no_room();
      return inner->append(bytes);
    }
    base::Result<std::int64_t> sync() override { return inner->sync(); }
    base::Result<void> flush() override { return inner->flush(); }
    void detach() override { inner->detach(); }
    base::Result<void> commit() override {
      if (store.full == Full::at_commit) return no_room();
      return inner->commit();
    }
    FullStore& store;
    std::unique_ptr<content::BlobWriter> inner;
  };
  content::BlobStore& inner_;
};

class FullStorageTest : public UpdateSessionTest {
 protected:
  void SetUp() override {
    UpdateSessionTest::SetUp();
    if (!world_) return;
    auto storage = world_->context().storages.all().front();
    real_ = storage.blobs;
    store_ = std::make_shared<FullStore>(*real_);
    storage.blobs = store_;
    world_->context().storages = content::Storages({storage});
  }

  std::shared_ptr<content::BlobStore> real_;
  std::shared_ptr<FullStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, FullStorageTest, testing::Values(Engine::Sqlite));

TEST_P(FullStorageTest, AddRefusesADeclaredSizeThatHasNoRoom) {
  const auto id = open();
  store_->free_bytes = 99;
  EXPECT_EQ(kind(sessions().add_file(alice(), id, file_spec("a.iso", 100))), "unable_to_allocate_resource");
  EXPECT_THAT(names(id), IsEmpty());
  EXPECT_TRUE(sessions().add_file(alice(), id, file_spec("a.iso", 99)));
}

TEST_P(FullStorageTest, AnUploadThatFindsNoRoomLetsTheFileWaitAgain) {
  for (const auto full : {FullStore::Full::at_create, FullStore::Full::at_append, FullStore::Full::at_commit}) {
    SCOPED_TRACE(static_cast<int>(full));
    const auto id = open();
    const auto entry = must(sessions().add_file(alice(), id, file_spec("a.iso", 10)));
    store_->full = full;
    EXPECT_EQ(kind(send(*world_, entry.upload_token, "1234567890")), "unable_to_allocate_resource");
    store_->full = FullStore::Full::never;
    EXPECT_EQ(file(id, "a.iso").status, TransferStatus::WAITING_FOR_TRANSFER);
    EXPECT_EQ(file(id, "a.iso").bytes_transferred, 0);
    EXPECT_EQ(state(id), UpdateSessionState::ACTIVE);
    EXPECT_EQ(files_on_disk(), 0U);
    must(sessions().cancel(alice(), id));
  }
}

TEST_P(FullStorageTest, AFileSentAgainThatFindsNoRoomWaitsAgainToo) {
  const auto id = open();
  const auto entry = must(sessions().add_file(alice(), id, file_spec("a.iso")));
  for (const auto full : {FullStore::Full::at_create, FullStore::Full::at_append, FullStore::Full::at_commit}) {
    SCOPED_TRACE(static_cast<int>(full));
    must(send(*world_, entry.upload_token, "before"));
    store_->full = full;
    EXPECT_EQ(kind(send(*world_, entry.upload_token, "after")), "unable_to_allocate_resource");
    store_->full = FullStore::Full::never;
    EXPECT_EQ(file(id, "a.iso").status, TransferStatus::WAITING_FOR_TRANSFER);
    EXPECT_EQ(file(id, "a.iso").size, std::nullopt);
    EXPECT_EQ(files_on_disk(), 0U);
  }
  must(send(*world_, entry.upload_token, "at last"));
  must(sessions().complete(alice(), id));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "at last")));
}

}  // namespace
}  // namespace quire
