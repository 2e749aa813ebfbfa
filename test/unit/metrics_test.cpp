#include <gmock/gmock.h>

#include "metrics/metrics_text.h"
#include "service/access/catalog_authenticator.h"
#include "service/readiness.h"
#include "support/service_world.h"

// What those who watch the server see.

namespace quire {
namespace {

using namespace std::chrono_literals;
using service::WorkerStatus;
using test_support::Engine;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class MetricsTest : public test_support::ServiceTest {
 protected:
  std::string text() {
    auto& context = world_->context();
    service::CatalogAuthenticator authenticator(context);
    service::Logins logins(context, authenticator, {});
    service::EventFeed feed(context, logins);
    return metrics::metrics_text(
        {context, feed, [this] { return workers_; }, "1.2.3", *base::parse_time("2026-01-01T00:00:00.500Z")});
  }
  service::Measurements& measurements() { return world_->context().catalog.measurements(); }

  std::vector<WorkerStatus> workers_ = {
      {"pull 1", 12, 3, "No such host.", base::parse_time("2026-01-01T00:00:01.000Z")},
      {"expiry", 7, 0, std::nullopt, std::nullopt}};
};

INSTANTIATE_TEST_SUITE_P(Sqlite, MetricsTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, MetricsTest, testing::Values(Engine::Postgresql));

TEST_P(MetricsTest, CallsByOperationAndResult) {
  auto& operation = measurements().operation("com.vmware.content.library.get");
  measurements().operation("com.vmware.content.library.list");  // never called
  operation.durations.add(3ms);
  operation.durations.add(3s);
  operation.succeeded.add();
  operation.count_failure(base::ErrorKind::not_found);
  EXPECT_THAT(
      text(),
      AllOf(
          HasSubstr(R"(quire_requests_total{operation="com.vmware.content.library.get",result="ok"} 1)"),
          HasSubstr(R"(quire_requests_total{operation="com.vmware.content.library.get",result="not_found"} 1)"),
          Not(HasSubstr("library.list")), Not(HasSubstr(R"(result="unauthorized")")),
          HasSubstr(
              R"(quire_request_duration_seconds_bucket{operation="com.vmware.content.library.get",le="0.005"} 1)"),
          HasSubstr(R"(quire_request_duration_seconds_bucket{operation="com.vmware.content.library.get",le="10"} 2)"),
          HasSubstr(R"(quire_request_duration_seconds_bucket{operation="com.vmware.content.library.get",le="+Inf"} 2)"),
          HasSubstr(R"(quire_request_duration_seconds_count{operation="com.vmware.content.library.get"} 2)"),
          HasSubstr(R"(quire_errors_total{kind="not_found"} 1)"),
          HasSubstr(R"(quire_errors_total{kind="timed_out"} 0)")));
}

TEST_P(MetricsTest, WhatThereIs) {
  open();
  fill(new_item("second", ""), {{"a", "bytes"}});
  const auto page = text();
  EXPECT_THAT(
      page,
      AllOf(HasSubstr(R"(quire_build_info{version="1.2.3"} 1)"), HasSubstr("quire_catalog_up 1"),
            HasSubstr("quire_catalog_has_room 1"), HasSubstr(R"(quire_update_sessions{state="ACTIVE"} 1)"),
            HasSubstr(R"(quire_update_sessions{state="DONE"} 0)"), HasSubstr("quire_tasks_unfinished 0"),
            HasSubstr(R"(quire_storage_up{storage="LocalDS_0"} 1)"),
            HasSubstr(R"(quire_storage_capacity_bytes{storage="LocalDS_1"} )"), HasSubstr("quire_event_streams 0")));
  EXPECT_THAT(page, Not(HasSubstr(R"(quire_catalog_transaction_duration_seconds_count{kind="write"} 0)")));
}

TEST_P(MetricsTest, Webhooks) {
  measurements().webhooks.delivered.add(5);
  measurements().webhooks.unreached.add();
  measurements().webhooks.died.add(2);
  world_->change([](content::CatalogWriter& writer) {
    content::Webhook webhook;
    webhook.id = content::WebhookId("hook");
    writer.insert(webhook);
    for (const std::int64_t event : {1, 2, 3}) {
      content::WebhookDelivery delivery;
      delivery.event = event;
      delivery.state = event == 2 ? content::DeliveryState::PENDING : content::DeliveryState::DEAD;
      writer.insert(webhook.id, delivery);
    }
  });
  EXPECT_THAT(text(), AllOf(HasSubstr(R"(quire_webhook_attempts_total{result="delivered"} 5)"),
                            HasSubstr(R"(quire_webhook_attempts_total{result="refused"} 0)"),
                            HasSubstr(R"(quire_webhook_attempts_total{result="unreached"} 1)"),
                            HasSubstr("quire_webhook_deliveries_died_total 2"),
                            HasSubstr(R"(quire_webhook_deliveries{state="waiting"} 1)"),
                            HasSubstr(R"(quire_webhook_deliveries{state="dead"} 2)")));
}

TEST_P(MetricsTest, Transfers) {
  {
    service::CountedTransfer whole(measurements().uploads);
    whole.passed(100);
    whole.is_whole();
    const service::CountedTransfer broken(measurements().uploads);
    EXPECT_THAT(text(), HasSubstr(R"(quire_transfers_running{kind="upload"} 2)"));
  }
  EXPECT_THAT(text(), AllOf(HasSubstr(R"(quire_transfers_running{kind="upload"} 0)"),
                            HasSubstr(R"(quire_transfers_total{kind="upload",result="whole"} 1)"),
                            HasSubstr(R"(quire_transfers_total{kind="upload",result="broken"} 1)"),
                            HasSubstr(R"(quire_transfer_bytes_total{kind="upload"} 100)")));
}

TEST_P(MetricsTest, Workers) {
  EXPECT_THAT(text(), AllOf(HasSubstr(R"(quire_worker_runs_total{worker="pull 1"} 12)"),
                            HasSubstr(R"(quire_worker_failures_in_a_row{worker="pull 1"} 3)"),
                            HasSubstr(R"(quire_worker_failures_in_a_row{worker="expiry"} 0)"),
                            HasSubstr(R"(quire_worker_last_failure_timestamp_seconds{worker="pull 1"} 1767225601)"),
                            Not(HasSubstr(R"(timestamp_seconds{worker="expiry"})")), Not(HasSubstr("No such host"))));
}

TEST_P(MetricsTest, ACatalogThatIsGone) {
  using test_support::Faults;
  Faults once(Faults::Kind::error, 1, {test_support::FaultPoint::before_transaction});
  world_->wire_faults(&once);
  EXPECT_THAT(text(), AllOf(HasSubstr("quire_catalog_up 0"), Not(HasSubstr("quire_update_sessions"))));
  Faults again(Faults::Kind::error, 1, {test_support::FaultPoint::before_transaction});
  world_->wire_faults(&again);
  const auto readiness = service::readiness_of(world_->context(), workers_);
  EXPECT_THAT(readiness.obstacles, testing::Contains(HasSubstr("The catalog cannot be read")));
}

TEST_P(MetricsTest, ReadyWithWarnings) {
  world_->context().has_room_to_grow = [] { return false; };
  const auto readiness = service::readiness_of(world_->context(), workers_);
  EXPECT_THAT(readiness.obstacles, IsEmpty());
  EXPECT_THAT(readiness.warnings,
              ElementsAre(HasSubstr("disk is full"),
                          AllOf(HasSubstr("\"pull 1\" has failed 3 times"), HasSubstr("No such host."))));
}

}  // namespace
}  // namespace quire
