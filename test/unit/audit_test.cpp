#include "service/audit/audit.h"

#include <gmock/gmock.h>

#include <limits>

#include "service/access/catalog_authenticator.h"
#include "service/access/logins.h"
#include "service/access/users.h"
#include "service/transaction/refusals.h"
#include "support/service_world.h"

// The audit trail: who changed what, from where and by which call, and who was refused.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::Event;
using content::EventKind;
using service::AuditFilter;
using service::AuditOrder;
using test_support::administrator;
using test_support::Engine;
using test_support::kind;
using test_support::library_spec;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto carol = "carol@vsphere.local";
constexpr auto password = "long enough";

class AuditTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    audit_ = std::make_unique<service::Audit>(world_->context());
    authenticator_ = std::make_unique<service::CatalogAuthenticator>(world_->context());
    logins_ = std::make_unique<service::Logins>(world_->context(), *authenticator_, service::Logins::Settings());
    must(service::Users(world_->context(), logins_->throttle()).create(administrator(), {carol, ""}, password));
    start_ = list({}).entries.back().number;
  }

  /// Of an operation that is named by a literal.
  static content::CallOrigin origin(const char* operation) { return {operation, "192.0.2.7", "op-1"}; }
  static content::Caller from(content::Caller caller, const char* operation) {
    caller.origin = origin(operation);
    return caller;
  }
  service::AuditPage list(const AuditFilter& filter, AuditOrder order = AuditOrder::oldest_first,
                          std::optional<std::int64_t> after = {}, std::int64_t limit = 1000) {
    return must(audit_->list(administrator(), filter, order, after, limit));
  }
  /// What came since the test began.
  std::vector<Event> news(const AuditFilter& filter = {}) {
    return list(filter, AuditOrder::oldest_first, start_).entries;
  }
  static std::vector<EventKind> kinds(const std::vector<Event>& events) {
    std::vector<EventKind> all;
    for (const auto& event : events) all.push_back(event.kind);
    return all;
  }

  std::unique_ptr<service::Audit> audit_;
  std::unique_ptr<service::CatalogAuthenticator> authenticator_;
  std::unique_ptr<service::Logins> logins_;
  std::int64_t start_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, AuditTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, AuditTest, testing::Values(Engine::Postgresql));

TEST_P(AuditTest, AChangeTellsWhereItsCallCameFrom) {
  const auto made =
      must(world_->libraries().create_local(from(administrator(), "library.create"), library_spec("new"), {}));
  ASSERT_EQ(news().size(), 1U);
  const auto entry = news()[0];
  EXPECT_EQ(entry.kind, EventKind::library_created);
  EXPECT_EQ(entry.actor, administrator().user);
  EXPECT_EQ(entry.library_id, made);
  EXPECT_EQ(entry.operation, "library.create");
  EXPECT_EQ(entry.address, "192.0.2.7");
  EXPECT_EQ(entry.operation_id, "op-1");
}

TEST_P(AuditTest, LoginsAreTold) {
  const auto token = must(logins_->log_in(carol, password, origin("session.create")));
  const auto caller = must(logins_->authenticate(token));
  EXPECT_EQ(kind(logins_->log_in(carol, "a wrong one", origin("session.create"))), "unauthenticated");
  EXPECT_EQ(kind(logins_->log_in("nobody\n", password, origin("session.create"))), "unauthenticated");
  must(logins_->log_out(caller));
  const auto all = news();
  EXPECT_THAT(kinds(all), ElementsAre(EventKind::login_created, EventKind::login_refused, EventKind::login_refused,
                                      EventKind::login_ended));
  EXPECT_EQ(all[0].actor, carol);
  EXPECT_EQ(all[1].actor, carol);
  EXPECT_EQ(all[1].address, "192.0.2.7");
  EXPECT_EQ(all[2].actor, "nobody\\x0a");
  for (const auto& event : all) {
    EXPECT_THAT(event.details, testing::Not(testing::HasSubstr(token)));
    EXPECT_THAT(event.details, testing::Not(testing::HasSubstr("wrong")));
  }
}

/// To the client, an object that it may not see is like one that never was; the trail tells them apart.
TEST_P(AuditTest, WhatACallerMayNotReachIsTold) {
  const auto caller = from(must(logins_->authenticate(must(logins_->log_in(carol, password)))), "item.get");
  start_ = list({}).entries.back().number;
  const auto attempt = [&](const auto& result) {
    ASSERT_FALSE(result);
    audit_->record_if_refused(caller, result.error());
  };
  attempt(world_->items().get(caller, item_));
  attempt(world_->libraries().get(caller, library_));
  attempt(audit_->list(caller, {}, AuditOrder::oldest_first, {}, 10));
  attempt(world_->items().get(caller, content::ItemId("never was")));
  attempt(audit_->list(administrator(), {}, AuditOrder::oldest_first, {}, 0));
  const auto all = news();
  EXPECT_THAT(kinds(all), ElementsAre(EventKind::call_refused, EventKind::call_refused, EventKind::call_refused));
  EXPECT_EQ(all[0].item_id, item_);
  EXPECT_EQ(all[0].subject_id, item_.text());
  EXPECT_EQ(all[0].operation, "item.get");
  EXPECT_EQ(all[0].details, R"({"error":"not_found"})");
  EXPECT_EQ(all[1].library_id, library_);
  EXPECT_EQ(all[2].details, R"({"error":"unauthorized","privilege":"Global.Diagnostics"})");
}

/// Whoever has any login could fill the catalog's disk.
TEST_P(AuditTest, NobodyFillsTheTrailByBeingRefused) {
  const auto caller = from(must(logins_->authenticate(must(logins_->log_in(carol, password)))), "item.get");
  start_ = list({}).entries.back().number;
  const auto refused = world_->items().get(caller, item_).error();
  const auto most = service::RefusalRate::of_one_per_minute_max;
  for (std::size_t i = 0; i < most + 50; ++i) audit_->record_if_refused(caller, refused);
  EXPECT_EQ(news().size(), most);
  EXPECT_EQ(kind(logins_->log_in("nobody", password)), "unauthenticated");
  EXPECT_EQ(news().size(), most + 1) << "others are recorded";
  world_->clock().advance(1min);
  audit_->record_if_refused(caller, refused);
  EXPECT_EQ(news().size(), most + 2);
}

TEST_P(AuditTest, FiltersAreAllMet) {
  const auto moment = world_->clock().now();
  must(world_->libraries().create_local(from(administrator(), "library.create"), library_spec("one"), {}));
  world_->clock().advance(1min);
  const auto two = must(world_->libraries().create_local(from(administrator(), "other"), library_spec("two"), {}));
  EXPECT_EQ(kind(logins_->log_in(carol, "a wrong one", origin("session.create"))), "unauthenticated");
  const auto count = [&](const AuditFilter& filter) { return news(filter).size(); };
  EXPECT_EQ(count({}), 3U);
  EXPECT_EQ(count({.user = "CAROL@vsphere.local"}), 1U);
  EXPECT_EQ(count({.operation = "library.create"}), 1U);
  EXPECT_EQ(count({.address = "192.0.2.7"}), 3U);
  EXPECT_EQ(count({.address = "192.0.2.8"}), 0U);
  EXPECT_EQ(count({.event = EventKind::library_created}), 2U);
  EXPECT_EQ(count({.refused = true}), 1U);
  EXPECT_EQ(count({.refused = false}), 2U);
  EXPECT_EQ(count({.library = two}), 1U);
  EXPECT_EQ(count({.item = item_}), 0U);
  EXPECT_EQ(count({.since = moment + 1min}), 2U);
  EXPECT_EQ(count({.before = moment + 1min}), 1U);
  EXPECT_EQ(count({.event = EventKind::library_created, .library = two, .before = moment}), 0U);
}

TEST_P(AuditTest, PagesGoOnWhereTheLastEnded) {
  for (const auto* name : {"a", "b", "c"})
    must(world_->libraries().create_local(administrator(), library_spec(name), {}));
  const auto all = list({}).entries;
  for (const auto order : {AuditOrder::oldest_first, AuditOrder::newest_first}) {
    std::vector<std::int64_t> numbers;
    std::optional<std::int64_t> after;
    do {
      const auto page = list({}, order, after, 2);
      for (const auto& entry : page.entries) numbers.push_back(entry.number);
      after = page.next;
    } while (after);
    if (order == AuditOrder::newest_first) std::reverse(numbers.begin(), numbers.end());
    ASSERT_EQ(numbers.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(numbers[i], all[i].number);
  }
  for (const std::int64_t limit : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1001}})
    EXPECT_EQ(kind(audit_->list(administrator(), {}, AuditOrder::oldest_first, {}, limit)), "invalid_argument");
  EXPECT_THAT(list({.user = "nobody"}).entries, IsEmpty());
}

}  // namespace
}  // namespace quire
