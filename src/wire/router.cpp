#include "wire/router.h"

#include <boost/json/serialize.hpp>
#include <exception>
#include <string>

#include "api/operation.h"
#include "base/log.h"
#include "wire/json_rpc/json_rpc.h"
#include "wire/openapi/openapi.h"
#include "wire/request/invocation.h"
#include "wire/request/request_target.h"
#include "wire/rest/legacy_rest.h"
#include "wire/rest/new_rest.h"
#include "wire/rest/rest_exchange.h"
#include "wire/soap/datastore_folder.h"
#include "wire/soap/soap_facade.h"

namespace quire::wire {
namespace {

constexpr std::string_view openapi_path = "/api/openapi.json";

bool begins_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

RestForm form_of(std::string_view path) { return begins_with(path, "/rest/") ? RestForm::legacy : RestForm::current; }

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
        openapi(boost::json::serialize(openapi_document(api::all_operations()))) {}

  Response openapi_response(std::string_view method) const {
    if (method != "GET") return method_not_allowed(RestForm::current, method, "GET");
    Response response;
    response.headers.add("Content-Type", "application/json");
    response.body = openapi;
    return response;
  }

  Response dispatch(const Request& request) const {
    const auto path = path_of(request.target);
    if (path == "/api") {
      if (request.method != "POST") return method_not_allowed(RestForm::current, request.method, "POST");
      return json_rpc.handle(request);
    }
    if (path == openapi_path) return openapi_response(request.method);
    if (begins_with(path, "/api/")) return new_rest.handle(request);
    if (begins_with(path, "/rest/com/")) return legacy_rest.handle(request);
    if (begins_with(path, "/rest/")) return legacy_at_path.handle(request);
    if (SoapFacade::owns(path)) return soap.handle(request);
    if (DatastoreFolder::owns(path)) return folder.handle(request);
    return rest_failure(RestForm::current, operation_not_found(path));
  }

  ServiceInvoker invoker;
  LegacyRest legacy_rest;
  NewRest legacy_at_path;
  NewRest new_rest;
  JsonRpc json_rpc;
  SoapFacade soap;
  DatastoreFolder folder;
  std::string openapi;
};

Router::Router(service::Services& services) : routes_(std::make_unique<Routes>(services)) {}

Router::~Router() = default;

Response Router::handle(const Request& request) const {
  std::string what;
  try {
    if (request.method != "HEAD") return routes_->dispatch(request);
    Request get = request;  // HEAD is GET without the body (RFC 9110 §9.3.2)
    get.method = "GET";
    auto response = routes_->dispatch(get);
    response.body.clear();
    return response;
  } catch (const std::exception& exception) {
    what = exception.what();
  }
  const auto path = path_of(request.target);
  const auto error = base::internal_error("exception: " + what);
  spdlog::error("{} {}: {}", request.method, path, error.cause());
  return path == "/api" ? JsonRpc::internal_error() : rest_failure(form_of(path), error);
}

Response Router::refuse(std::string_view target, int status, const base::Message& message) {
  return rest_failure(form_of(path_of(target)), status, base::Error(base::ErrorKind::invalid_request, message));
}

Response Router::transfer_error(int status, const base::Error& error) {
  return rest_failure(RestForm::current, status, error);
}

}  // namespace quire::wire
