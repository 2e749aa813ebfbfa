#include <gmock/gmock.h>

#include <limits>
#include <optional>

#include "base/hmac.h"
#include "service/transaction/events.h"
#include "service/webhook/webhook_runner.h"
#include "service/webhook/webhooks.h"
#include "support/scripted_sender.h"
#include "support/service_world.h"

// Servers that are told of events: each event at least once, whatever happens to them and to this one.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::DeliveryState;
using content::EventKind;
using content::SendOutcome;
using content::WebhookId;
using service::WebhookSpec;
using test_support::administrator;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::library_spec;
using test_support::why;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string secret = "a secret of both sides";
const SendOutcome broken{500, "The server answered with status 500."};
const SendOutcome unreachable{std::nullopt, "No answer."};

class WebhookTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (!IsSkipped()) begin();
  }
  void begin(const content::Limits& limits = {}) {
    service::Settings settings;
    settings.webhook_attempts = 3;
    make_world(settings, limits);
    wire();
  }
  /// As a start does.
  void wire() {
    world_->context().message_sender = &server_;
    webhooks_.emplace(world_->context());
    runner_.emplace(world_->context());
  }

  static WebhookSpec spec(std::vector<EventKind> kinds = {}) {
    WebhookSpec spec;
    spec.url = "https://ci.example/hook";
    spec.secret = secret;
    spec.kinds = std::move(kinds);
    return spec;
  }
  WebhookId create(const WebhookSpec& spec) { return must(webhooks_->create(administrator(), spec)); }
  /// A webhook for libraries that are made, which has heard of those before.
  WebhookId of_libraries() { return create(spec({EventKind::library_created})); }
  std::int64_t new_library(const std::string& name) {
    must(world_->libraries().create_local(alice(), library_spec(name), std::nullopt));
    return world_->look([](content::CatalogReader& reader) {
      return reader.events_before(std::numeric_limits<std::int64_t>::max(), 1).at(0).number;
    });
  }
  /// Until nothing is left to do at this moment.
  void run() {
    for (int rounds = 0; must(runner_->run_round()); ++rounds) ASSERT_LT(rounds, 1000);
  }
  std::vector<std::string> told() {
    std::vector<std::string> numbers;
    for (const auto& message : server_.take()) numbers.push_back(header(message, "Quire-Event-Number"));
    return numbers;
  }
  static std::string header(const content::OutgoingMessage& message, std::string_view name) {
    for (const auto& [known, value] : message.headers)
      if (known == name) return value;
    return "";
  }
  std::vector<content::WebhookDelivery> deliveries(const WebhookId& id) {
    return must(webhooks_->deliveries(administrator(), id));
  }
  void answer(const SendOutcome& outcome) {
    server_.answer = [outcome](const content::OutgoingMessage&) { return outcome; };
  }

  test_support::ScriptedSender server_;
  std::optional<service::Webhooks> webhooks_;
  std::optional<service::WebhookRunner> runner_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, WebhookTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, WebhookTest, testing::Values(Engine::Postgresql));

TEST_P(WebhookTest, TellsWhatHappensAndSigns) {
  const auto id = create(spec());
  const auto number = new_library("new");
  run();
  const auto sent = server_.take();
  ASSERT_THAT(sent, SizeIs(2)) << "its own creation, and the library's";
  EXPECT_EQ(header(sent[0], "Quire-Event"), "webhook.created");
  const auto& message = sent[1];
  EXPECT_EQ(message.url.text(), "https://ci.example/hook");
  EXPECT_EQ(header(message, "Content-Type"), "application/json");
  EXPECT_EQ(header(message, "Quire-Event"), "library.created");
  EXPECT_EQ(header(message, "Quire-Event-Number"), std::to_string(number));
  EXPECT_EQ(header(message, "Quire-Webhook"), id.text());
  EXPECT_THAT(message.body, AllOf(HasSubstr(R"("kind":"library.created")"), HasSubstr(alice().user)));
  const auto seconds =
      std::to_string(std::chrono::floor<std::chrono::seconds>(world_->clock().now().time_since_epoch()).count());
  EXPECT_EQ(header(message, "Quire-Signature"),
            "t=" + seconds + ",v1=" + base::hmac_sha256(secret, seconds + "." + message.body));
  EXPECT_THAT(deliveries(id), IsEmpty()) << "what was delivered has no row";
  run();
  EXPECT_THAT(server_.take(), IsEmpty());
}

TEST_P(WebhookTest, TellsOnlyWhatIsWanted) {
  auto wanted = spec({EventKind::item_created});
  wanted.library = library_.text();
  create(wanted);
  const auto other = must(world_->libraries().create_local(alice(), library_spec("other"), std::nullopt));
  must(world_->items().create(alice(), test_support::item_spec(other, "elsewhere", ""), std::nullopt));
  const auto item = new_item("here", "");
  must(world_->items().remove(alice(), item));
  run();
  const auto sent = server_.take();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_THAT(sent[0].body, HasSubstr(item.text()));
}

TEST_P(WebhookTest, TriesAgainWithGrowingPausesWhileOthersGoOn) {
  const auto id = of_libraries();
  const auto first = new_library("first");
  server_.answer = [&](const content::OutgoingMessage& message) {
    return header(message, "Quire-Event-Number") == std::to_string(first) ? broken : SendOutcome{204, ""};
  };
  run();
  EXPECT_THAT(told(), ElementsAre(std::to_string(first)));
  const auto second = new_library("second");
  run();
  EXPECT_THAT(told(), ElementsAre(std::to_string(second))) << "the first one is not due";
  ASSERT_THAT(deliveries(id), SizeIs(1));
  EXPECT_EQ(deliveries(id)[0].attempts, 1);
  EXPECT_EQ(deliveries(id)[0].problem, broken.problem);
  advance(2s);
  run();
  EXPECT_THAT(told(), ElementsAre(std::to_string(first)));
  advance(1900ms);
  run();
  EXPECT_THAT(told(), IsEmpty()) << "the second pause is at least two seconds";
  server_.answer = nullptr;
  advance(2s);
  run();
  EXPECT_THAT(told(), ElementsAre(std::to_string(first)));
  EXPECT_THAT(deliveries(id), IsEmpty());
}

TEST_P(WebhookTest, ADeadDeliveryWaitsForSomebody) {
  const auto id = of_libraries();
  answer(broken);
  const auto number = new_library("new");
  for (int i = 0; i < 5; ++i) {
    run();
    advance(1h);
  }
  EXPECT_THAT(told(), SizeIs(3)) << "as often as the settings say";
  ASSERT_THAT(deliveries(id), SizeIs(1));
  EXPECT_EQ(deliveries(id)[0].state, DeliveryState::DEAD);
  server_.answer = nullptr;
  run();
  EXPECT_THAT(told(), IsEmpty());
  must(webhooks_->redeliver(administrator(), id, number));
  run();
  EXPECT_THAT(told(), ElementsAre(std::to_string(number)));
  EXPECT_EQ(why(webhooks_->redeliver(administrator(), id, number)), "quire.webhook.no_delivery");
}

TEST_P(WebhookTest, WhatBecomesOfDeliveriesIsCounted) {
  const auto& measured = world_->context().catalog.measurements().webhooks;
  const auto count = [&](DeliveryState state) {
    return world_->look([&](content::CatalogReader& reader) { return reader.webhook_delivery_count(state); });
  };
  of_libraries();
  new_library("delivered");
  run();
  EXPECT_EQ(measured.delivered.value(), 1U);
  answer(broken);
  new_library("refused");
  run();
  EXPECT_EQ(measured.refused.value(), 1U);
  EXPECT_EQ(count(DeliveryState::PENDING), 1U);
  EXPECT_EQ(count(DeliveryState::DEAD), 0U);
  answer(unreachable);
  for (int i = 0; i < 3; ++i) {
    advance(1h);
    run();
  }
  EXPECT_EQ(measured.unreached.value(), 2U);
  EXPECT_EQ(measured.died.value(), 1U) << "once, and not again with each look";
  EXPECT_EQ(count(DeliveryState::PENDING), 0U);
  EXPECT_EQ(count(DeliveryState::DEAD), 1U);
}

TEST_P(WebhookTest, OneThatCannotBeReachedIsAskedOnceForAllThatWaits) {
  const auto id = of_libraries();
  answer(unreachable);
  for (const auto* name : {"one", "two", "three"}) new_library(name);
  run();
  EXPECT_THAT(told(), SizeIs(1));
  ASSERT_THAT(deliveries(id), SizeIs(3));
  for (const auto& delivery : deliveries(id)) EXPECT_EQ(delivery.attempts, 1);
  server_.answer = nullptr;
  advance(1h);
  run();
  EXPECT_THAT(told(), SizeIs(3));
}

TEST_P(WebhookTest, SurvivesARestart) {
  const auto id = of_libraries();
  answer(broken);
  const auto first = new_library("first");
  run();
  told();
  const auto second = new_library("second");
  world_->restart();
  wire();
  server_.answer = nullptr;
  advance(1h);
  run();
  EXPECT_THAT(told(), ElementsAre(std::to_string(first), std::to_string(second)));
  EXPECT_THAT(deliveries(id), IsEmpty());
}

TEST_P(WebhookTest, WhatWaitsIsBounded) {
  content::Limits limits;
  limits.webhook_deliveries_max = 2;
  begin(limits);
  const auto id = of_libraries();
  answer(broken);
  for (const auto* name : {"one", "two", "three", "four"}) new_library(name);
  run();
  told();
  EXPECT_THAT(deliveries(id), SizeIs(2));
  server_.answer = nullptr;
  advance(1h);
  run();
  EXPECT_THAT(told(), SizeIs(4)) << "the others waited in the table of events";
}

TEST_P(WebhookTest, ADisabledOneHearsNothing) {
  const auto id = of_libraries();
  WebhookSpec change;
  change.enabled = false;
  must(webhooks_->update(administrator(), id, change));
  new_library("unheard");
  run();
  EXPECT_THAT(told(), IsEmpty());
  change.enabled = true;
  must(webhooks_->update(administrator(), id, change));
  const auto heard = new_library("heard");
  run();
  EXPECT_THAT(told(), ElementsAre(std::to_string(heard)));
}

TEST_P(WebhookTest, ADeletedOneIsGoneWithWhatWaits) {
  const auto id = of_libraries();
  answer(broken);
  new_library("new");
  run();
  must(webhooks_->remove(administrator(), id));
  advance(1h);
  told();
  run();
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_EQ(kind(webhooks_->get(administrator(), id)), "not_found");
}

TEST_P(WebhookTest, DeadDeliveriesGoWithTheirEvents) {
  const auto id = of_libraries();
  answer(broken);
  new_library("new");
  for (int i = 0; i < 5; ++i) {
    run();
    advance(1h);
  }
  must(runner_->remove_old());
  EXPECT_THAT(deliveries(id), SizeIs(1));
  advance(40 * 24h);
  new_library("newest");
  must(service::remove_old_events(world_->context()));
  must(runner_->remove_old());
  EXPECT_THAT(deliveries(id), IsEmpty());
}

TEST_P(WebhookTest, Refusals) {
  const auto refused = [&](const WebhookSpec& given) { return why(webhooks_->create(administrator(), given)); };
  auto given = spec();
  given.url = "ftp://ci.example/";
  EXPECT_EQ(refused(given), "quire.webhook.unusable_url");
  given.url = "https://ci.example/" + std::string(2048, 'x');
  EXPECT_EQ(refused(given), "quire.webhook.url_too_long");
  given = spec();
  given.secret = "too short";
  EXPECT_EQ(refused(given), "quire.webhook.bad_secret");
  given = spec();
  given.library = "nowhere";
  EXPECT_EQ(refused(given), "quire.library.not_found");
  EXPECT_EQ(kind(webhooks_->create(alice(), spec())), "unauthorized");
  EXPECT_EQ(kind(webhooks_->list(alice())), "unauthorized");
  EXPECT_THAT(must(webhooks_->list(administrator())), IsEmpty()) << "nothing was made";
  content::Limits limits;
  limits.webhooks_max = 1;
  begin(limits);
  create(spec());
  EXPECT_EQ(refused(spec()), "quire.webhook.too_many");
}

TEST_P(WebhookTest, TheTrailTellsOfChangesWithoutTheSecret) {
  const auto id = create(spec());
  WebhookSpec change;
  change.secret = "another secret of both sides";
  must(webhooks_->update(administrator(), id, change));
  must(webhooks_->update(administrator(), id, change));
  must(webhooks_->remove(administrator(), id));
  std::vector<EventKind> kinds;
  for (const auto& event : world_->look([](content::CatalogReader& reader) { return reader.events_after(0, 1000); })) {
    if (event.subject_id != id.text()) continue;
    kinds.push_back(event.kind);
    EXPECT_THAT(event.details, Not(HasSubstr("of both sides")));
  }
  EXPECT_THAT(kinds, ElementsAre(EventKind::webhook_created, EventKind::webhook_updated, EventKind::webhook_deleted))
      << "the second update changed nothing";
}

}  // namespace
}  // namespace quire
