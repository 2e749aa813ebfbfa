#include <gmock/gmock.h>

#include <algorithm>

#include "service/server_state.h"
#include "support/service_world.h"

// Lists for people: many things in one call, each with what stands in it, and no session the longer for it.

namespace quire {
namespace {

using content::Privilege;
using content::PrivilegeSet;
using test_support::administrator;
using test_support::alice;
using test_support::bob;
using test_support::caller_with;
using test_support::Engine;
using test_support::kind;
using test_support::library_spec;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto stranger_name = "stranger@vsphere.local";

class SummaryTest : public test_support::ServiceTest {
 protected:
  static content::Caller stranger() { return caller_with(stranger_name, {}); }
  static content::Caller reader() {
    PrivilegeSet privileges;
    privileges.add(Privilege::System_Read);
    return caller_with("reader@vsphere.local", privileges);
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SummaryTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SummaryTest, testing::Values(Engine::Postgresql));

TEST_P(SummaryTest, ALibraryComesToWhatItsItemsHold) {
  fill(item_, {{"a.txt", "12345"}});
  fill(new_item("second", ""), {{"b.txt", "123"}, {"c.txt", "1"}});
  must(world_->libraries().create_local(alice(), library_spec("empty"), std::nullopt));
  const auto all = must(world_->libraries().summaries(alice(), std::nullopt));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].library.id, library_);
  EXPECT_EQ(all[0].items, 2);
  EXPECT_EQ(all[0].bytes, 9);
  EXPECT_EQ(all[1].items, 0);
  EXPECT_EQ(all[1].bytes, 0);
  EXPECT_THAT(must(world_->libraries().summaries(alice(), library_)), SizeIs(1));
  EXPECT_EQ(kind(world_->libraries().summaries(alice(), content::LibraryId("nonsense"))), "not_found");
}

TEST_P(SummaryTest, WhatOneMayNotReadIsInNoList) {
  EXPECT_THAT(must(world_->libraries().summaries(stranger(), std::nullopt)), IsEmpty());
  EXPECT_EQ(kind(world_->libraries().summaries(stranger(), library_)), "not_found");
  EXPECT_EQ(kind(world_->items().summaries(stranger(), library_)), "not_found");
  open();
  EXPECT_THAT(must(sessions().summaries(stranger(), std::nullopt)), IsEmpty());
  EXPECT_EQ(kind(sessions().summaries(stranger(), item_)), "not_found");
  // Who may read, and not open a session, sees that the item is held and nothing of the session.
  EXPECT_THAT(must(sessions().summaries(reader(), std::nullopt)), IsEmpty());
  EXPECT_EQ(kind(sessions().summaries(reader(), item_)), "unauthorized");
  EXPECT_TRUE(must(world_->items().summaries(reader(), library_))[0].held_by);
}

TEST_P(SummaryTest, AnItemTellsWhoChangesIt) {
  EXPECT_FALSE(must(world_->items().summaries(alice(), library_))[0].held_by);
  const auto id = open();
  const auto held = must(world_->items().summaries(bob(), library_));
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_EQ(held[0].item.id, item_);
  ASSERT_TRUE(held[0].held_by);
  EXPECT_EQ(held[0].held_by->id, id);
  EXPECT_EQ(held[0].held_by->creator, alice().user);
  advance(std::chrono::minutes(6));  // expired, and no worker has noticed
  EXPECT_FALSE(must(world_->items().summaries(bob(), library_))[0].held_by);
}

TEST_P(SummaryTest, SessionsOfOthersShowAndAreNotUsable) {
  const auto id = open();
  push(id, "a.txt", "12345");
  const auto own = must(sessions().summaries(alice(), std::nullopt));
  ASSERT_THAT(own, SizeIs(1));
  EXPECT_TRUE(own[0].usable);
  const auto of_another = must(sessions().summaries(bob(), item_));
  ASSERT_THAT(of_another, SizeIs(1));
  EXPECT_FALSE(of_another[0].usable);
  EXPECT_EQ(of_another[0].session.id, id);
  EXPECT_EQ(of_another[0].item.name, "item");
  ASSERT_THAT(of_another[0].files, SizeIs(1));
  EXPECT_EQ(of_another[0].files[0].bytes_transferred, 5);
  EXPECT_TRUE(must(sessions().summaries(administrator(), item_))[0].usable);
  must(sessions().cancel(alice(), id));
  const auto ended = must(sessions().summaries(bob(), item_));
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(ended[0].session.state, content::UpdateSessionState::CANCELED);
  EXPECT_THAT(ended[0].files, IsEmpty());
}

TEST_P(SummaryTest, LookingKeepsNoSessionAlive) {
  open();
  for (int minute = 0; minute < 6; ++minute) {
    must(sessions().summaries(alice(), std::nullopt));
    must(world_->items().summaries(alice(), library_));
    advance(std::chrono::minutes(1));
  }
  EXPECT_THAT(must(sessions().summaries(alice(), std::nullopt)), IsEmpty());
}

TEST_P(SummaryTest, TheServersStateIsForOperators) {
  const auto started = world_->clock().now();
  const service::ServerState state(world_->context(), {"1.2.3", "sqlite", started});
  EXPECT_EQ(kind(state.get(alice())), "unauthorized");
  open();
  advance(std::chrono::seconds(5));
  const auto now = must(state.get(administrator()));
  EXPECT_EQ(now.facts.version, "1.2.3");
  EXPECT_EQ(now.now - now.facts.started, std::chrono::seconds(5));
  EXPECT_EQ(now.update_sessions, 1U);
  EXPECT_EQ(now.download_sessions, 0U);
  EXPECT_EQ(now.pulls, 0U);
  EXPECT_EQ(now.tasks, 0U);
  EXPECT_FALSE(now.storages.empty());
}

}  // namespace
}  // namespace quire
