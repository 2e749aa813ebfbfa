#include "metrics/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "content/update_session.h"

namespace quire::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// Pulls that wait are rows to be read; beyond so many it is enough to know that they are many.
constexpr std::size_t counted_pulls_max = 1000;

class Family {
 public:
  Family(std::vector<MetricFamily>& all, MetricType type, std::string name, std::string help) : all_(all) {
    family_.type = type;
    family_.name = std::move(name);
    family_.help = std::move(help);
  }
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;
  ~Family() {
    if (!family_.metric.empty()) all_.push_back(std::move(family_));
  }

  void add(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = value;  // the serializer takes the one of the family's type
    metric.gauge.value = value;
    family_.metric.push_back(std::move(metric));
  }
  void add(const base::Durations& durations, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    auto& histogram = metric.histogram;
    constexpr auto& bounds = base::Durations::bounds_seconds;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
      histogram.sample_count += durations.count(i);
      const auto bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = durations.sum_seconds();
    family_.metric.push_back(std::move(metric));
  }

 private:
  std::vector<MetricFamily>& all_;
  MetricFamily family_;
};

/// Operations that were never called are left out: there are many.
void add_operations(std::vector<MetricFamily>& all, const service::Measurements& measurements) {
  Family requests(all, MetricType::Counter, "quire_requests_total",
                  "Calls of operations, by how they ended: ok, or the kind of the error.");
  Family durations(all, MetricType::Histogram, "quire_request_duration_seconds",
                   "How long operations ran, without reading the request and sending the answer.");
  std::array<std::uint64_t, base::error_kind_count> errors{};
  measurements.for_each_operation([&](const service::OperationMeasurements& operation) {
    if (operation.durations.total() == 0) return;
    durations.add(operation.durations, {{"operation", operation.name}});
    requests.add(static_cast<double>(operation.succeeded.value()), {{"operation", operation.name}, {"result", "ok"}});
    for (const auto kind : base::all_error_kinds()) {
      const auto count = operation.failed[static_cast<std::size_t>(kind)].value();
      errors[static_cast<std::size_t>(kind)] += count;
      if (count > 0)
        requests.add(static_cast<double>(count),
                     {{"operation", operation.name}, {"result", std::string(base::name_of(kind))}});
    }
  });
  Family by_kind(all, MetricType::Counter, "quire_errors_total", "Calls of operations that failed, by kind of error.");
  for (const auto kind : base::all_error_kinds())
    by_kind.add(static_cast<double>(errors[static_cast<std::size_t>(kind)]),
                {{"kind", std::string(base::name_of(kind))}});
  Family(all, MetricType::Counter, "quire_rejected_logins_total", "Calls whose token or credentials were not accepted.")
      .add(static_cast<double>(measurements.rejected_logins.value()));
}

void add_transfers(std::vector<MetricFamily>& all, const service::Measurements& measurements) {
  Family running(all, MetricType::Gauge, "quire_transfers_running", "Transfers of file bytes that run now.");
  Family ended(all, MetricType::Counter, "quire_transfers_total",
               "Transfers of file bytes that have ended: whole, or broken for any reason.");
  Family bytes(all, MetricType::Counter, "quire_transfer_bytes_total", "Bytes of files that came and went.");
  const auto add = [&](const std::string& kind, const service::TransferMeasurements& measured) {
    running.add(static_cast<double>(measured.running.value()), {{"kind", kind}});
    ended.add(static_cast<double>(measured.whole.value()), {{"kind", kind}, {"result", "whole"}});
    ended.add(static_cast<double>(measured.broken.value()), {{"kind", kind}, {"result", "broken"}});
    bytes.add(static_cast<double>(measured.bytes.value()), {{"kind", kind}});
  };
  add("upload", measurements.uploads);
  add("pull", measurements.pulls);
  add("download", measurements.downloads);
}

void add_webhooks(std::vector<MetricFamily>& all, const service::WebhookMeasurements& measured) {
  Family attempts(all, MetricType::Counter, "quire_webhook_attempts_total",
                  "Attempts to tell webhooks of events: delivered, refused by the receiver, or without an answer.");
  attempts.add(static_cast<double>(measured.delivered.value()), {{"result", "delivered"}});
  attempts.add(static_cast<double>(measured.refused.value()), {{"result", "refused"}});
  attempts.add(static_cast<double>(measured.unreached.value()), {{"result", "unreached"}});
  Family(all, MetricType::Counter, "quire_webhook_deliveries_died_total",
         "Deliveries to webhooks that were given up after their last attempt.")
      .add(static_cast<double>(measured.died.value()));
}

struct CatalogFigures {
  std::vector<std::pair<content::UpdateSessionState, std::size_t>> update_sessions;
  std::size_t download_sessions = 0;
  std::size_t logins = 0;
  std::size_t tasks = 0;
  std::size_t pulls = 0;
  std::size_t webhook_deliveries_waiting = 0;
  std::size_t webhook_deliveries_dead = 0;
};

base::Result<CatalogFigures> ask_catalog(content::CatalogReader& reader) {
  CatalogFigures figures;
  for (const auto& [state, name] : base::enumerators<content::UpdateSessionState>)
    figures.update_sessions.emplace_back(state, reader.update_session_count(state));
  figures.download_sessions = reader.download_session_count();
  figures.logins = reader.login_count();
  figures.tasks = reader.active_task_count();
  figures.pulls = reader.pending_pulls(counted_pulls_max).size();
  figures.webhook_deliveries_waiting = reader.webhook_delivery_count(content::DeliveryState::PENDING);
  figures.webhook_deliveries_dead = reader.webhook_delivery_count(content::DeliveryState::DEAD);
  return figures;
}

void add_catalog(std::vector<MetricFamily>& all, service::Context& context) {
  const auto& measurements = context.catalog.measurements();
  {
    Family durations(all, MetricType::Histogram, "quire_catalog_transaction_duration_seconds",
                     "How long transactions on the catalog took, waiting for others included.");
    durations.add(measurements.catalog_reads, {{"kind", "read"}});
    durations.add(measurements.catalog_writes, {{"kind", "write"}});
  }
  const auto figures = context.catalog.read(ask_catalog);
  Family(all, MetricType::Gauge, "quire_catalog_up", "1 when the catalog could be read just now, else 0.")
      .add(figures ? 1 : 0);
  Family(all, MetricType::Gauge, "quire_catalog_has_room",
         "0 while the catalog's disk is so full that nothing new begins, else 1.")
      .add(context.has_room_to_grow() ? 1 : 0);
  if (!figures) return;
  {
    Family sessions(all, MetricType::Gauge, "quire_update_sessions",
                    "Update sessions by state; ended ones stay for a while.");
    for (const auto& [state, count] : figures->update_sessions)
      sessions.add(static_cast<double>(count), {{"state", std::string(base::name_of(state))}});
  }
  const auto gauge = [&](std::string name, std::string help, std::size_t value) {
    Family(all, MetricType::Gauge, std::move(name), std::move(help)).add(static_cast<double>(value));
  };
  gauge("quire_download_sessions", "Download sessions.", figures->download_sessions);
  gauge("quire_logins", "Login sessions, without API tokens.", figures->logins);
  gauge("quire_tasks_unfinished", "Tasks that wait or run.", figures->tasks);
  gauge("quire_pulls_unfinished", "Files that wait to be pulled or are being pulled; 1000 stands for more as well.",
        figures->pulls);
  Family deliveries(all, MetricType::Gauge, "quire_webhook_deliveries",
                    "Events that webhooks have not been told of: waiting, or dead until somebody sends them again.");
  deliveries.add(static_cast<double>(figures->webhook_deliveries_waiting), {{"state", "waiting"}});
  deliveries.add(static_cast<double>(figures->webhook_deliveries_dead), {{"state", "dead"}});
}

void add_storages(std::vector<MetricFamily>& all, const content::Storages& storages) {
  Family up(all, MetricType::Gauge, "quire_storage_up", "1 when the storage could be asked just now, else 0.");
  Family capacity(all, MetricType::Gauge, "quire_storage_capacity_bytes", "Size of the disk that the storage is on.");
  Family free(all, MetricType::Gauge, "quire_storage_free_bytes", "What is free on it.");
  for (const auto& storage : storages.all()) {
    const auto space = storage.blobs->space();
    up.add(space ? 1 : 0, {{"storage", storage.name}});
    if (!space) continue;
    capacity.add(static_cast<double>(space->capacity_bytes), {{"storage", storage.name}});
    free.add(static_cast<double>(space->free_bytes), {{"storage", storage.name}});
  }
}

double seconds_since_1970(base::Time time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

void add_workers(std::vector<MetricFamily>& all, const std::vector<service::WorkerStatus>& workers) {
  Family runs(all, MetricType::Counter, "quire_worker_runs_total", "How often each background worker has run.");
  Family failing(all, MetricType::Gauge, "quire_worker_failures_in_a_row",
                 "How often each background worker has failed since it last succeeded; /readyz has the last reason.");
  Family failed(all, MetricType::Gauge, "quire_worker_last_failure_timestamp_seconds",
                "When each background worker last failed.");
  for (const auto& worker : workers) {
    runs.add(static_cast<double>(worker.runs), {{"worker", worker.name}});
    failing.add(static_cast<double>(worker.failures_in_a_row), {{"worker", worker.name}});
    if (worker.last_error_time) failed.add(seconds_since_1970(*worker.last_error_time), {{"worker", worker.name}});
  }
}

}  // namespace

std::string metrics_text(const Sources& sources) {
  std::vector<MetricFamily> all;
  Family(all, MetricType::Gauge, "quire_build_info", "Always 1; the label tells the version.")
      .add(1, {{"version", sources.version}});
  Family(all, MetricType::Gauge, "quire_start_time_seconds", "When the server started.")
      .add(seconds_since_1970(sources.started));
  const auto& measurements = sources.context.catalog.measurements();
  add_operations(all, measurements);
  add_transfers(all, measurements);
  add_webhooks(all, measurements.webhooks);
  add_catalog(all, sources.context);
  add_storages(all, sources.context.storages);
  add_workers(all, sources.workers());
  Family(all, MetricType::Gauge, "quire_event_streams", "Clients that follow the events.")
      .add(static_cast<double>(sources.event_feed.followers()));
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace quire::metrics
