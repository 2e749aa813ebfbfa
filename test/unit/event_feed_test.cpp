#include "service/event_feed/event_feed.h"

#include <gmock/gmock.h>

#include <boost/json/parse.hpp>
#include <limits>

#include "api/event_structures.h"
#include "service/transaction/events.h"
#include "support/follower_test.h"

// Clients that follow the events while they happen.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::EventKind;
using service::EventBatch;
using service::EventFilter;
using service::EventFollower;
using test_support::administrator;
using test_support::alice;
using test_support::Engine;
using test_support::item_spec;
using test_support::kind;
using test_support::library_spec;
using testing::ElementsAre;
using testing::IsEmpty;

class EventFeedTest : public test_support::FollowerTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (!IsSkipped()) make_feed();
  }
  void make_feed(const content::Limits& limits = {}) {
    service::Settings settings;
    settings.event_retention = 24h;
    make_world(settings, limits);
    make_logins();
    feed_ = std::make_unique<service::EventFeed>(world_->context(), *logins_);
    world_->context().on_events = [this] { feed_->announce(); };
  }

  std::unique_ptr<EventFollower> follow(const content::Caller& caller, EventFilter filter = {},
                                        std::optional<std::int64_t> after = {}) {
    return must(feed_->follow(caller, std::move(filter), after));
  }
  /// All that is there for it now, read as a stream does.
  std::vector<EventKind> all_of(EventFollower& follower) {
    std::vector<EventKind> kinds;
    for (bool more = true; more;) {
      const auto batch = must(follower.next());
      for (const auto& event : batch.events) kinds.push_back(event->kind);
      more = batch.more;
    }
    return kinds;
  }
  std::int64_t newest() {
    return world_->look([](content::CatalogReader& reader) {
      return reader.events_before(std::numeric_limits<std::int64_t>::max(), 1).at(0).number;
    });
  }
  void new_library(const std::string& name) {
    must(world_->libraries().create_local(alice(), library_spec(name), std::nullopt));
  }

  std::unique_ptr<service::EventFeed> feed_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, EventFeedTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, EventFeedTest, testing::Values(Engine::Postgresql));

TEST_P(EventFeedTest, ACommitWakesWhoWaitsForIt) {
  const auto follower = follow(admin());
  int woken = 0;
  follower->set_wake([&] { ++woken; });
  EXPECT_THAT(all_of(*follower), IsEmpty());
  new_library("new");
  EXPECT_TRUE(feed_->wait(0ms));
  must(feed_->hand_out());
  EXPECT_EQ(woken, 1);
  must(feed_->hand_out());
  EXPECT_EQ(woken, 1) << "once, until it has looked";
  EXPECT_THAT(all_of(*follower), ElementsAre(EventKind::library_created));
  EXPECT_THAT(all_of(*follower), IsEmpty());
}

TEST_P(EventFeedTest, WakesNobodyForWhatDoesNotFit) {
  EventFilter filter;
  filter.library = library_;
  filter.kinds = {EventKind::item_created, EventKind::item_deleted};
  const auto follower = follow(admin(), filter);
  int woken = 0;
  follower->set_wake([&] { ++woken; });
  EXPECT_THAT(all_of(*follower), IsEmpty());
  new_library("another");
  must(world_->items().update(alice(), item_, {}));
  must(feed_->hand_out());
  EXPECT_EQ(woken, 0);
  EXPECT_EQ(must(follower->next()).seen, newest()) << "what does not fit is not looked at again";
  new_item("second", "");
  must(feed_->hand_out());
  EXPECT_EQ(woken, 1);
  EXPECT_THAT(all_of(*follower), ElementsAre(EventKind::item_created));
}

TEST_P(EventFeedTest, GoesOnBehindANumber) {
  const auto before = newest();
  for (int i = 0; i < 3; ++i) new_library("library " + std::to_string(i));
  EventFilter filter;
  filter.kinds = {EventKind::library_created};
  const auto who = admin();
  EXPECT_EQ(all_of(*follow(who, filter, before)).size(), 3U);
  EXPECT_EQ(all_of(*follow(who, filter, before + 1)).size(), 2U);
  EXPECT_EQ(all_of(*follow(who, filter, 0)).size(), 4U) << "all there is";
}

TEST_P(EventFeedTest, AFollowerThatLagsReadsTheTable) {
  const auto follower = follow(admin());
  for (int i = 0; i < 1500; ++i)  // more than are kept for those who keep up
    world_->change([&](content::CatalogWriter& writer) {
      content::Event event;
      event.kind = EventKind::library_updated;
      event.library_id = library_;
      writer.append_event(event);
    });
  must(feed_->hand_out());
  EXPECT_EQ(all_of(*follower).size(), 1500U);
  new_library("new");
  must(feed_->hand_out());
  EXPECT_THAT(all_of(*follower), ElementsAre(EventKind::library_created));
}

TEST_P(EventFeedTest, SaysWhatIsLost) {
  const auto who = admin();
  const auto first = newest();
  advance(48h);
  new_library("new");
  must(service::remove_old_events(world_->context()));
  const auto again = must(logins_->authenticate(must(logins_->log_in(who.user, "long enough"))));
  const auto oldest =
      world_->look([](content::CatalogReader& reader) { return reader.events_after(0, 1).at(0).number; });
  ASSERT_GT(oldest, first);

  const auto late = follow(again, {}, first - 1);
  const auto batch = must(late->next());
  ASSERT_TRUE(batch.lost);
  EXPECT_EQ(batch.lost->after, first - 1);
  EXPECT_EQ(batch.lost->oldest, oldest);
  EXPECT_EQ(batch.events.at(0)->number, oldest);
  EXPECT_FALSE(must(late->next()).lost) << "once";

  EXPECT_FALSE(must(follow(again, {}, oldest - 1)->next()).lost);
  EXPECT_FALSE(must(follow(again, {}, 0)->next()).lost) << "who asks for all there is misses nothing";
  const auto ahead = must(follow(again, {}, newest() + 100)->next());
  EXPECT_TRUE(ahead.lost) << "a number of another catalog";
  EXPECT_THAT(ahead.events, IsEmpty());
}

TEST_P(EventFeedTest, TellsOnlyWhatTheCallerMayFind) {
  const auto carol = reader();
  const auto before = newest();
  fill(item_, {{"a", "bytes"}});  // by a session of another, of an item that carol can find
  must(service::Users(world_->context(), logins_->throttle())
           .create(administrator(), {"dave@vsphere.local", ""}, "long enough"));
  const auto follower = follow(carol, {}, before);
  EXPECT_THAT(all_of(*follower), ElementsAre(EventKind::item_content_changed));
  EXPECT_GT(all_of(*follow(admin(), {}, before)).size(), 5U);
}

TEST_P(EventFeedTest, TellsOfSessionsThatTheCallerMayList) {
  using content::Privilege;
  const auto carol =
      logged_in("carol@vsphere.local", {Privilege::System_Anonymous, Privilege::System_View, Privilege::System_Read,
                                        Privilege::ContentLibrary_UpdateSession});
  const auto follower = follow(carol);
  const auto id = open();  // alice's
  must(sessions().cancel(alice(), id));
  must(world_->downloads().create(alice(), item_.text(), std::nullopt));
  must(feed_->hand_out());
  EXPECT_THAT(all_of(*follower), ElementsAre(EventKind::update_session_created, EventKind::update_session_ended));
}

TEST_P(EventFeedTest, ItsCreatorLearnsThatASessionExpired) {
  const auto carol = logged_in("carol@vsphere.local", alice().grants->on_root());
  const auto id = must(sessions().create(carol, item_.text(), std::nullopt, std::nullopt));
  const auto follower = follow(carol);
  advance(1h);
  must(sessions().remove_expired());
  must(feed_->hand_out());
  EXPECT_THAT(all_of(*follower), ElementsAre(EventKind::update_session_ended));
}

TEST_P(EventFeedTest, EndsWithItsLogin) {
  const auto who = reader();
  const auto follower = follow(who);
  EXPECT_THAT(all_of(*follower), IsEmpty());
  must(logins_->log_out(who));
  EXPECT_EQ(kind(follower->next()), "unauthenticated");
}

TEST_P(EventFeedTest, FollowingIsNoUseOfTheLogin) {
  const auto who = reader();
  const auto follower = follow(who);
  for (int hours = 0; hours < 2; ++hours) {  // use within two hours would keep it alive
    must(follower->next());
    advance(1h);
  }
  must(follower->next());
  advance(1h);
  EXPECT_EQ(kind(follower->next()), "unauthenticated");
}

TEST_P(EventFeedTest, LosesSightWithThePermission) {
  const auto who = reader();
  const auto follower = follow(who);
  new_library("one");
  world_->change([&](content::CatalogWriter& writer) {
    content::PermissionFilter all;
    all.principal = who.user;
    writer.remove_permissions(all);
  });
  must(feed_->hand_out());
  EXPECT_THAT(all_of(*follower), IsEmpty());
}

/// What clients read in the OpenAPI document is what they get.
TEST(EventJson, HasTheMembersThatTheApiDescribes) {
  content::Event event;
  event.number = 7;
  event.kind = EventKind::item_updated;
  event.actor = "alice";
  const auto names_of = [](const content::Event& one) {
    std::vector<std::string> names;
    const auto value = boost::json::parse(service::event_json(one));
    for (const auto& member : value.as_object()) names.emplace_back(member.key());
    return names;
  };
  std::vector<std::string> all;
  std::vector<std::string> required;
  for (const auto& field : api::event_message_type().fields) {
    all.push_back(field.name);
    if (field.type->kind != api::TypeKind::optional) required.push_back(field.name);
  }
  EXPECT_EQ(names_of(event), required);
  event.library_id = content::LibraryId("library");
  event.item_id = content::ItemId("item");
  event.subject_id = "subject";
  EXPECT_EQ(names_of(event), all);
  event.details = R"({"a":1})";
  all.emplace_back("details");
  EXPECT_EQ(names_of(event), all);
}

TEST_P(EventFeedTest, Bounds) {
  content::Limits limits;
  limits.event_streams_max = 3;
  limits.event_streams_of_user_max = 2;
  make_feed(limits);
  const auto first = reader();
  const auto second = admin();
  auto one = follow(first);
  const auto two = follow(first);
  EXPECT_EQ(kind(feed_->follow(first, {}, {})), "service_unavailable");
  const auto three = follow(second);
  EXPECT_EQ(kind(feed_->follow(second, {}, {})), "service_unavailable");
  EXPECT_EQ(feed_->followers(), 3U);
  one.reset();
  EXPECT_EQ(feed_->followers(), 2U);
  follow(second);
}

}  // namespace
}  // namespace quire
