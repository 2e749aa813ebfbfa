#include "wire/monitoring/monitoring_pages.h"

#include <string>
#include <utility>

#include "service/transaction/find.h"
#include "wire/request/authentication.h"
#include "wire/request/request_target.h"
#include "wire/rest/rest_exchange.h"

namespace quire::wire {
namespace {

constexpr std::string_view health_path = "/healthz";
constexpr std::string_view readiness_path = "/readyz";
constexpr std::string_view metrics_path = "/metrics";

Response page(int status, std::string_view type, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", std::string(type));
  response.headers.add("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

/// A line for each thing, so that people and scripts read it alike.
Response readiness_page(const service::Readiness& readiness) {
  const bool ready = readiness.obstacles.empty();
  std::string text = ready ? "ready\n" : "not ready\n";
  for (const auto& obstacle : readiness.obstacles) text += "obstacle: " + obstacle + '\n';
  for (const auto& warning : readiness.warnings) text += "warning: " + warning + '\n';
  return page(ready ? 200 : 503, "text/plain; charset=utf-8", std::move(text));
}

}  // namespace

bool MonitoringPages::owns(std::string_view path) {
  return path == health_path || path == readiness_path || path == metrics_path;
}

base::Result<void> MonitoringPages::check_access(const Request& request) const {
  if (services_.monitoring.lets_in && services_.monitoring.lets_in(request.client_address)) return {};
  QUIRE_ASSIGN_OR_RETURN(const auto caller, admit(invoker_, identification_of(request.headers),
                                                  call_context(request, "com.quire.monitoring.get")));
  auto checked = service::check_privilege(caller, content::Privilege::Global_Diagnostics);
  if (!checked) services_.audit.record_if_refused(caller, checked.error());
  return checked;
}

Response MonitoringPages::handle(const Request& request) const {
  const auto allowed = check_access(request);
  return allowed ? answer(request) : rest_failure(RestForm::current, allowed.error(), login_challenge);
}

Response MonitoringPages::answer(const Request& request) const {
  if (request.method != "GET") return method_not_allowed(RestForm::current, request.method, "GET");
  const auto path = path_of(request.target);
  const auto& monitoring = services_.monitoring;
  if (path == health_path) return page(200, "text/plain; charset=utf-8", "ok\n");
  if (path == readiness_path && monitoring.readiness) return readiness_page(monitoring.readiness());
  if (path == metrics_path && monitoring.metrics)
    return page(200, "text/plain; version=0.0.4; charset=utf-8", monitoring.metrics());
  return rest_failure(RestForm::current, operation_not_found(path));
}

}  // namespace quire::wire
