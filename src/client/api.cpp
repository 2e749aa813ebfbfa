#include "client/api.h"

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/hex.h"
#include "base/uri.h"
#include "client/failure.h"
#include "client/operations.h"
#include "client/retry.h"

namespace quire::client {
namespace {

namespace json = boost::json;
using base::Error;
using base::ErrorKind;
using base::Result;

constexpr auto session_field = "vmware-api-session-id";

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : base::percent_encode_path(text)) {
    if (c == '/')
      encoded += "%2F";
    else
      encoded += c;
  }
  return encoded;
}

std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return json::serialize(value);
}

/// `NOT_FOUND`, or `com.vmware.vapi.std.errors.not_found`.
std::optional<ErrorKind> kind_of(std::string_view type) {
  if (const auto dot = type.rfind('.'); dot != std::string_view::npos) type.remove_prefix(dot + 1);
  const auto name = base::to_lower(type);
  for (const auto kind : base::all_error_kinds())
    if (base::name_of(kind) == name) return kind;
  return std::nullopt;
}

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 400:
      return ErrorKind::invalid_argument;
    case 401:
      return ErrorKind::unauthenticated;
    case 403:
      return ErrorKind::unauthorized;
    case 404:
      return ErrorKind::not_found;
    case 409:
      return ErrorKind::concurrent_change;
    case 410:
      return ErrorKind::not_found;
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
      return ErrorKind::service_unavailable;
    default:
      return ErrorKind::error;
  }
}

const json::value* member(const json::value& value, std::string_view name) {
  return value.is_object() ? value.get_object().if_contains(name) : nullptr;
}

std::string string_member(const json::value& value, std::string_view name) {
  const auto* found = member(value, name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

/// Puts the arguments that the path or query names into it and takes them away.
std::string filled(std::string_view path, json::object& arguments) {
  std::string text;
  while (true) {
    const auto open = path.find('{');
    text += path.substr(0, open);
    if (open == std::string_view::npos) return text;
    const auto close = path.find('}', open);
    const auto name = path.substr(open + 1, close - open - 1);
    if (const auto* value = arguments.if_contains(name)) text += percent_encoded(text_of(*value));
    arguments.erase(name);
    path.remove_prefix(close + 1);
  }
}

std::string with_query(std::string path, const json::object& arguments) {
  char separator = path.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : arguments) {
    path += separator + std::string(name) + '=' + percent_encoded(text_of(value));
    separator = '&';
  }
  return path;
}

}  // namespace

Error error_of(const json::value& told, ErrorKind otherwise, const std::string& text) {
  const auto* inner = member(told, "value");
  const auto& fields = inner != nullptr && inner->is_object() ? *inner : told;
  auto type = string_member(told, "error_type");
  if (type.empty()) type = string_member(told, "type");
  std::vector<base::Message> messages;
  if (const auto* list = member(fields, "messages"); list != nullptr && list->is_array()) {
    for (const auto& message : list->get_array())
      messages.push_back({string_member(message, "id"), string_member(message, "default_message"), {}});
  }
  if (messages.empty()) messages.push_back({"quire.client.answer", text, {}});
  Error error(kind_of(type).value_or(otherwise), messages.front());
  for (std::size_t i = 1; i < messages.size(); ++i) error = error.because(messages[i]);
  return error;
}

Error error_of(const HttpResponse& response) {
  json::error_code failed;
  const auto body = json::parse(response.body, failed);
  auto text = "the server answered with status " + std::to_string(response.status);
  if (response.status == 401) text += "; sign in with 'quire login', or set QUIRE_TOKEN";
  // Kinds say more than statuses, unless the server is only a proxy's idea of one.
  return error_of(failed ? json::value() : body, kind_of_status(response.status), text);
}

Result<HttpResponse> Api::send(std::string_view method, const std::string& path, const std::string& body) {
  HttpRequest request;
  request.method = method;
  request.url = server_.url + path;
  request.body = body;
  request.fields = {{"Accept", "application/json"}};
  if (!body.empty()) request.fields.emplace_back("Content-Type", "application/json");
  if (!token_.empty()) request.fields.emplace_back(session_field, token_);
  request.quiet_for = transport_.answer_timeout;
  // A call of the API costs the server little; it need not be waited for as the end of an upload is.
  constexpr int stalls = 4;
  request.answer_within = std::min(transport_.answer_timeout, stalls * transport_.stall_timeout);
  request.whole_within = patience_;
  return http_.send(request);
}

Result<HttpResponse> Api::send_again(bool repeatable, std::string_view method, const std::string& path,
                                     const std::string& body) {
  const Patience patience(transport_, give_up_after_);
  const std::atomic<bool> never = false;
  for (int failures = 1;; ++failures) {
    auto answer = send(method, path, body);
    const bool failed = answer ? answer->status == 502 || answer->status == 503 || answer->status == 504
                               : is_network_error(answer.error());
    if (!failed || !repeatable || patience_) return answer;
    if (!patience.wait(failures, never)) {
      if (transport_.stopped()) return interrupted();
      return answer;
    }
  }
}

Result<void> Api::find_dialect() {
  if (dialect_) return {};
  QUIRE_ASSIGN_OR_RETURN(const auto answer, send_again(true, "GET", "/api/session", ""));
  if (answer.status == 401) return error_of(answer);
  dialect_ = answer.status == 404 || answer.status == 405 ? Dialect::legacy : Dialect::current;
  return {};
}

Result<json::value> Api::call(std::string_view name, json::object arguments) {
  QUIRE_RETURN_IF_ERROR(find_dialect());
  const auto& called = operation(name);
  for (auto member = arguments.begin(); member != arguments.end();)
    member = member->value().is_null() ? arguments.erase(member) : member + 1;
  const bool legacy = dialect_ == Dialect::legacy;
  if (legacy && called.legacy_path.empty())
    return Error(ErrorKind::unsupported, "quire.client.not_offered", "This server does not offer {operation}.",
                 {{"operation", std::string(name)}});
  const auto method = legacy ? called.legacy_method : called.method;
  auto path = (legacy ? "/rest" : "/api") + filled(legacy ? called.legacy_path : called.path, arguments);
  std::string body;
  if (method == "GET" || method == "DELETE") {
    path = with_query(std::move(path), arguments);
  } else if (!arguments.empty()) {
    const auto* whole = legacy || called.body.empty() ? nullptr : arguments.if_contains(called.body);
    if (const auto* once = whole == nullptr ? nullptr : arguments.if_contains("client_token"))
      path = with_query(std::move(path), {{"client_token", *once}});
    body = json::serialize(whole != nullptr ? *whole : json::value(arguments));
  } else if (method != "POST" || legacy) {
    body = "{}";
  }
  QUIRE_ASSIGN_OR_RETURN(const auto answer, send_again(called.repeatable, method, path, body));
  if (!answer.is_success()) return error_of(answer);
  if (answer.body.empty()) return json::value();
  json::error_code failed;
  auto value = json::parse(answer.body, failed);
  if (failed) return local_error("the answer of " + server_.url + " is no JSON; is it a content library server?");
  if (!legacy) return value;
  const auto* inner = member(value, "value");
  return inner == nullptr ? json::value() : *inner;
}

Result<HttpResponse> Api::follow(const std::string& path,
                                 const std::vector<std::pair<std::string, std::string>>& fields,
                                 base::Duration quiet_for, BodySink sink) {
  HttpRequest request;
  request.url = server_.url + "/api" + path;
  request.fields = fields;
  if (!token_.empty()) request.fields.emplace_back(session_field, token_);
  request.quiet_for = quiet_for;
  request.sink = std::move(sink);
  return http_.send(request);
}

Result<std::string> Api::log_in(const std::string& user, const std::string& password) {
  for (const auto* path : {"/api/session", "/rest/com/vmware/cis/session"}) {
    HttpRequest request;
    request.method = "POST";
    request.url = server_.url + path;
    request.user = user;
    request.password = password;
    request.fields = {{"vmware-use-header-authn", "true"}};
    QUIRE_ASSIGN_OR_RETURN(const auto answer, http_.send(request));
    const bool legacy = std::string_view(path).starts_with("/rest");
    if (!legacy && (answer.status == 404 || answer.status == 405)) continue;
    if (!answer.is_success()) return error_of(answer);
    json::error_code failed;
    const auto body = json::parse(answer.body, failed);
    const auto* token = legacy ? member(body, "value") : &body;
    if (failed || token == nullptr || !token->is_string()) break;
    token_ = std::string(token->get_string());
    dialect_ = legacy ? Dialect::legacy : Dialect::current;
    return token_;
  }
  return local_error(server_.url + " does not answer as a content library server does");
}

std::vector<std::pair<std::string, std::string>> Api::transfer_fields(const std::string& uri) const {
  if (token_.empty() || origin_of(uri) != server_.url) return {};
  return {{session_field, token_}};
}

}  // namespace quire::client
