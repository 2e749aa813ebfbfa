#include "wire/rest/rest_exchange.h"

#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>

#include "base/utf8.h"
#include "wire/codec/error_table.h"
#include "wire/codec/json_text.h"
#include "wire/rest/legacy_mapping.h"

namespace quire::wire {
namespace {

namespace json = boost::json;

Response json_response(int status, const json::value& body) {
  Response response;
  response.status = status;
  // Exactly this: Ansible compares the whole header (wire-protocols.md §3.1).
  response.headers.add("Content-Type", "application/json");
  response.body = json::serialize(body);
  return response;
}

/// `application/json` and `application/<anything>+json`, with or without parameters.
bool is_json_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  while (!type.empty() && type.front() == ' ') type.remove_prefix(1);
  constexpr std::string_view suffix = "+json";
  return same_header_name(type, "application/json") ||
         (type.size() > suffix.size() && same_header_name(type.substr(type.size() - suffix.size()), suffix));
}

}  // namespace

Response rest_failure(RestForm form, const base::Error& error, std::string_view challenge) {
  if (error.kind() != base::ErrorKind::unauthenticated) challenge = {};
  auto response = json_response(status_of(error.kind(), form), rest_error_body(error, form, challenge));
  if (!challenge.empty()) response.headers.add("WWW-Authenticate", std::string(challenge));
  return response;
}

Response rest_failure(RestForm form, int status, const base::Error& error) {
  return json_response(status, rest_error_body(error, form));
}

std::optional<std::string> action_of(const RequestTarget& target, std::string_view name) {
  for (const auto& parameter : target.query)
    if (parameter.name == name) return dashed(parameter.value);
  return std::nullopt;
}

Response method_not_allowed(RestForm form, std::string_view method, std::string allowed) {
  auto response = rest_failure(form, 405,
                               base::Error(base::ErrorKind::invalid_request, "quire.wire.method_not_allowed",
                                           "{method} is not possible here. Possible: {allowed}.",
                                           {{"method", base::displayable(method, 32)}, {"allowed", allowed}}));
  response.headers.add("Allow", std::move(allowed));
  return response;
}

Response rest_success(RestForm form, const api::Operation& operation, const void* output) {
  Response response;
  if (!output) {
    response.status = form == RestForm::legacy ? 200 : operation.facts.status;
    return response;
  }
  // Most answers are small: their many small values need not be allocated one by one.
  std::array<unsigned char, 4096> space;
  json::monotonic_resource memory(space.data(), space.size());
  auto value = encode_rest(*operation.output, output, form, &memory);
  if (form == RestForm::current) return json_response(operation.facts.status, value);
  json::object wrapped(&memory);
  wrapped.emplace("value", std::move(value));
  return json_response(200, wrapped);
}

RestBody read_body(RestForm form, const Request& request) {
  RestBody body;
  if (request.body.find_first_not_of(" \t\r\n") == std::string::npos) return body;
  const auto type = request.headers.find("Content-Type");
  if (type && !is_json_type(*type)) {
    body.refusal = rest_failure(
        form, 415,
        base::Error(base::ErrorKind::invalid_request, "quire.wire.not_json_type",
                    "The body is of type {type}; send application/json.", {{"type", base::displayable(*type)}}));
    return body;
  }
  auto value = parse_json(request.body, rest_depth_max);
  if (!value) {
    body.refusal = rest_failure(form, value.error());
  } else if (value->is_object()) {
    body.object = *std::move(value);
  } else if (!value->is_null()) {
    body.refusal = rest_failure(form, wrong_value(InputPath{}, "an object"));
  }
  return body;
}

base::Result<void> decode_body_member(RestForm form, const api::Operation& operation, const RestBody& body,
                                      const api::Field& field, void* input) {
  const InputPath path{nullptr, field.name};
  const auto* given = body.object ? body.object->get_object().if_contains(field.name) : nullptr;
  if (given && !given->is_null()) return decode_rest(*given, *field.type, field.get_mutable(input), form, path);
  const bool may_miss = field.type->kind == api::TypeKind::optional || (!body.object && operation.facts.optional_body);
  if (!may_miss) return required(path);
  return {};
}

}  // namespace quire::wire
