#include <gmock/gmock.h>

#include "service/transaction/events.h"
#include "support/service_world.h"

// Who follows the events learns what was changed, by whom, and nothing else.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::Event;
using content::EventKind;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using testing::ElementsAre;

class EventTest : public test_support::ServiceTest {
 protected:
  std::vector<Event> events() {
    return world_->look([&](content::CatalogReader& reader) { return reader.events_after(0, 1000); });
  }
  /// Those since the last call of it.
  std::vector<EventKind> news() {
    std::vector<EventKind> kinds;
    for (const auto& event : events())
      if (event.number > seen_) {
        kinds.push_back(event.kind);
        seen_ = event.number;
      }
    return kinds;
  }

 private:
  std::int64_t seen_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, EventTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, EventTest, testing::Values(Engine::Postgresql));

TEST_P(EventTest, TheLifeOfAnItem) {
  EXPECT_THAT(news(), ElementsAre(EventKind::library_created, EventKind::item_created));
  fill(item_, {{"a", "bytes"}});
  EXPECT_THAT(news(), ElementsAre(EventKind::update_session_created, EventKind::update_session_file_added,
                                  EventKind::update_session_file_ready, EventKind::update_session_ended,
                                  EventKind::item_content_changed));
  const auto changed = events().back();
  EXPECT_EQ(changed.actor, alice().user);
  EXPECT_EQ(changed.library_id, library_);
  EXPECT_EQ(changed.item_id, item_);
  EXPECT_EQ(changed.subject_id, item_.text());
  EXPECT_EQ(changed.time, world_->clock().now());
  EXPECT_EQ(changed.details, R"({"content_version":2,"files":1})");
  must(world_->items().remove(alice(), item_));
  must(world_->libraries().remove_local(alice(), library_));
  EXPECT_THAT(news(), ElementsAre(EventKind::item_deleted, EventKind::library_deleted));
}

TEST_P(EventTest, AnUpdateTellsWhatItChanged) {
  service::ItemSpec spec;
  spec.name = "renamed";
  spec.type = "iso";
  must(world_->items().update(alice(), item_, spec));
  EXPECT_EQ(events().back().details, R"({"name":"renamed","previous_name":"item","type":"iso"})");
  service::LibrarySpec description;
  description.description = "of the team";
  must(world_->libraries().update_local(alice(), library_, description));
  EXPECT_EQ(events().back().kind, EventKind::library_updated);
  EXPECT_EQ(events().back().details, R"({"name":"library","description":"of the team"})");
}

TEST_P(EventTest, ACopyHasAHistoryOfItsOwn) {
  fill(item_, {{"a", "bytes"}});
  news();
  auto spec = test_support::item_spec(library_, "copy", "");
  const auto copy = must(world_->items().copy(alice(), item_, spec, std::nullopt));
  EXPECT_THAT(news(), ElementsAre(EventKind::item_created, EventKind::item_content_changed));
  const auto history = world_->look([&](content::CatalogReader& reader) { return reader.list<content::Change>(copy); });
  ASSERT_EQ(history.size(), 1U);
  EXPECT_EQ(history.front().user, alice().user);
  EXPECT_EQ(history.front().content_version, 2);
}

TEST_P(EventTest, WhatChangesNothingTellsNothing) {
  const auto id = open();
  news();
  must(sessions().keep_alive(alice(), id, 50));
  must(sessions().get(alice(), id));
  must(world_->items().update(alice(), item_, {}));
  EXPECT_NE(kind(sessions().remove(alice(), id)), "");
  EXPECT_NE(kind(world_->items().create(alice(), test_support::item_spec(library_, "item", ""), {})), "");
  EXPECT_THAT(news(), ElementsAre());
}

TEST_P(EventTest, AnExpiryIsTheServersOwnDoing) {
  open();
  advance(10min);
  must(sessions().remove_expired());
  const auto ended = events().back();
  EXPECT_EQ(ended.kind, EventKind::update_session_ended);
  EXPECT_EQ(ended.actor, "system:update session expiry");
  EXPECT_EQ(ended.details, R"({"outcome":"expired","creator":"alice@vsphere.local"})");
}

TEST_P(EventTest, OldEventsGo) {
  advance(31 * 24h);
  new_item("another", "");
  must(service::remove_old_events(world_->context()));
  EXPECT_THAT(news(), ElementsAre(EventKind::item_created));
}

}  // namespace
}  // namespace quire
