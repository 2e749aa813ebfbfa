#include "wire/router.h"

#include <boost/json/serialize.hpp>
#include <exception>
#include <string>

#include "api/operation.h"
#include "base/log.h"
#include "base/utf8.h"
#include "wire/events/event_streams.h"
#include "wire/json_rpc/json_rpc.h"
#include "wire/monitoring/monitoring_pages.h"
#include "wire/openapi/openapi.h"
#include "wire/page/web_page.h"
#include "wire/publication/published_libraries.h"
#include "wire/request/invocation.h"
#include "wire/request/request_target.h"
#include "wire/request/session_cookie.h"
#include "wire/rest/legacy_rest.h"
#include "wire/rest/new_rest.h"
#include "wire/rest/rest_exchange.h"
#include "wire/soap/datastore_folder.h"
#include "wire/soap/soap_facade.h"

namespace quire::wire {
namespace {

constexpr std::string_view openapi_path = "/api/openapi.json";
constexpr std::string_view session_path = "/api/session";

bool begins_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

RestForm form_of(std::string_view path) { return begins_with(path, "/rest/") ? RestForm::legacy : RestForm::current; }

/// The answer of `dispatch`, whatever it throws.
template <class F>
Response guarded(const Request& request, F dispatch) {
  std::string what;
  try {
    if (request.method != "HEAD") return dispatch(request);
    Request get = request;  // HEAD is GET without the body (RFC 9110 §9.3.2)
    get.method = "GET";
    auto response = dispatch(get);
    response.body.clear();
    response.stream.reset();
    return response;
  } catch (const std::exception& exception) {
    what = exception.what();
  }
  const auto path = path_of(request.target);
  const auto error = base::internal_error("exception: " + what);
  spdlog::error("{} {}: {}", request.method, base::displayable(path), error.cause());
  return path == "/api" ? JsonRpc::internal_error() : rest_failure(form_of(path), error);
}

}  // namespace

struct Router::Routes {
  explicit Routes(service::Services& services)
      : invoker(services),
        legacy_rest(api::all_operations(), invoker),
        legacy_at_path(api::all_operations(), invoker, RestForm::legacy),
        new_rest(api::all_operations(), invoker),
        json_rpc(api::all_operations(), invoker),
        soap(services),
        folder(services),
        events(services, invoker),
        monitoring(services, invoker),
        published(services),
        openapi(boost::json::serialize(openapi_document(api::all_operations()))) {}

  Response openapi_response(std::string_view method) const {
    if (method != "GET") return method_not_allowed(RestForm::current, method, "GET");
    Response response;
    response.headers.add("Content-Type", "application/json");
    response.body = openapi;
    return response;
  }

  /// Browsers ask for a password themselves when they are told that Basic would do; the page has a form for that.
  Response dispatch_for_page(const Request& request) const {
    auto response = dispatch(request);
    if (path_of(request.target) == session_path) {
      if (request.method == "POST" && response.status == 201) move_token_to_cookie(response);
      if (request.method == "DELETE") clear_session_cookie(response);
    }
    if (response.status == 401) response.headers.replace("WWW-Authenticate", "SessionId realm=\"quire\"");
    return response;
  }

  Response dispatch_any(const Request& request) const {
    if (!has_session_cookie(request)) return is_of_page(request) ? dispatch_for_page(request) : dispatch(request);
    Request admitted = request;
    const bool counts = admit_session_cookie(admitted);
    auto response = is_of_page(request) ? dispatch_for_page(admitted) : dispatch(admitted);
    if (counts) response.headers.replace("Cache-Control", "no-store");
    return response;
  }

  Response dispatch(const Request& request) const {
    const auto path = path_of(request.target);
    if (WebPage::owns(path)) return WebPage::handle(request);
    if (path == "/api") {
      if (request.method != "POST") return method_not_allowed(RestForm::current, request.method, "POST");
      return json_rpc.handle(request);
    }
    if (PublishedLibraries::owns(path)) return published.handle(request);
    if (EventStreams::owns(path)) return events.handle(request);
    if (path == openapi_path) return openapi_response(request.method);
    if (begins_with(path, "/api/")) return new_rest.handle(request);
    if (begins_with(path, "/rest/com/")) return legacy_rest.handle(request);
    if (begins_with(path, "/rest/")) return legacy_at_path.handle(request);
    if (SoapFacade::owns(path)) return soap.handle(request);
    if (DatastoreFolder::owns(path)) return folder.handle(request);
    if (MonitoringPages::owns(path)) return monitoring.handle(request);
    return rest_failure(RestForm::current, operation_not_found(path));
  }

  ServiceInvoker invoker;
  LegacyRest legacy_rest;
  NewRest legacy_at_path;
  NewRest new_rest;
  JsonRpc json_rpc;
  SoapFacade soap;
  DatastoreFolder folder;
  EventStreams events;
  MonitoringPages monitoring;
  PublishedLibraries published;
  std::string openapi;
};

Router::Router(service::Services& services) : routes_(std::make_unique<Routes>(services)) {}

Router::~Router() = default;

Response Router::handle(const Request& request) const {
  return guarded(request, [this](const Request& asked) { return routes_->dispatch_any(asked); });
}

Response Router::watch(const Request& request) const {
  return guarded(request, [this](const Request& asked) {
    const auto path = path_of(asked.target);
    return MonitoringPages::owns(path) ? routes_->monitoring.answer(asked)
                                       : rest_failure(RestForm::current, operation_not_found(path));
  });
}

Response Router::refuse(std::string_view target, int status, const base::Message& message) {
  return rest_failure(form_of(path_of(target)), status, base::Error(base::ErrorKind::invalid_request, message));
}

Response Router::transfer_error(int status, const base::Error& error) {
  return rest_failure(RestForm::current, status, error);
}

}  // namespace quire::wire
