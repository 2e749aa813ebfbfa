#pragma once

#include <string_view>

#include "service/services.h"
#include "wire/request/invocation.h"
#include "wire/request/message.h"

namespace quire::wire {

/// What watches the server asks (docs/monitoring/README.md): `/healthz`, whether it answers at all; `/readyz`, whether
/// it can work, with the reasons; `/metrics`, its figures for Prometheus. All threads may call it.
class MonitoringPages {
 public:
  MonitoringPages(service::Services& services, Invoker& invoker) : services_(services), invoker_(invoker) {}

  static bool owns(std::string_view path);

  /// Among the API: for whoever has Global.Diagnostics, and for the networks that need no login.
  Response handle(const Request& request) const;
  /// For whoever can reach the address for monitoring.
  Response answer(const Request& request) const;

 private:
  base::Result<void> check_access(const Request& request) const;

  service::Services& services_;
  Invoker& invoker_;
};

}  // namespace quire::wire
