#pragma once

#include <functional>
#include <string>
#include <vector>

#include "service/event_feed/event_feed.h"
#include "service/transaction/context.h"
#include "service/workers.h"

namespace quire::metrics {

/// Where the figures come from. All of it outlives whoever asks.
struct Sources {
  service::Context& context;
  const service::EventFeed& event_feed;
  std::function<std::vector<service::WorkerStatus>()> workers;
  std::string version;
  base::Time started;
};

/// The server's figures in Prometheus' text format, version 0.0.4 (docs/monitoring/README.md tells what each means).
/// What was counted is read, what there is now is asked from catalog and storages: some milliseconds, and blocking.
/// Labels have values of closed sets only: operations, kinds of errors, states, configured storages, workers. When the
/// catalog cannot be read, its figures are left out and quire_catalog_up is 0.
std::string metrics_text(const Sources& sources);

}  // namespace quire::metrics
