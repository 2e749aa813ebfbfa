#include "wire/codec/error_table.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>

#include "api/structures_described.h"
#include "base/check.h"
#include "wire/codec/vapi_codec.h"

namespace quire::wire {
namespace {

namespace json = boost::json;
using base::ErrorKind;

struct Statuses {
  ErrorKind kind;
  int legacy;
  int current;
};

/// §1.8.1; ConcurrentChange as decided in §28.4.
constexpr std::array statuses = {
    Statuses{ErrorKind::already_exists, 400, 400},
    Statuses{ErrorKind::already_in_desired_state, 400, 400},
    Statuses{ErrorKind::canceled, 500, 500},
    Statuses{ErrorKind::concurrent_change, 409, 409},
    Statuses{ErrorKind::error, 400, 500},
    Statuses{ErrorKind::feature_in_use, 400, 400},
    Statuses{ErrorKind::internal_server_error, 500, 500},
    Statuses{ErrorKind::invalid_argument, 400, 400},
    Statuses{ErrorKind::invalid_element_configuration, 400, 400},
    Statuses{ErrorKind::invalid_element_type, 400, 400},
    Statuses{ErrorKind::invalid_request, 400, 400},
    Statuses{ErrorKind::not_allowed_in_current_state, 400, 400},
    Statuses{ErrorKind::not_found, 404, 404},
    Statuses{ErrorKind::operation_not_found, 404, 404},
    Statuses{ErrorKind::resource_busy, 400, 500},
    Statuses{ErrorKind::resource_in_use, 400, 400},
    Statuses{ErrorKind::resource_inaccessible, 400, 500},
    Statuses{ErrorKind::service_unavailable, 503, 503},
    Statuses{ErrorKind::timed_out, 504, 504},
    Statuses{ErrorKind::unable_to_allocate_resource, 400, 500},
    Statuses{ErrorKind::unauthenticated, 401, 401},
    Statuses{ErrorKind::unauthorized, 403, 403},
    Statuses{ErrorKind::unexpected_input, 400, 400},
    Statuses{ErrorKind::unsupported, 400, 400},
    Statuses{ErrorKind::unverified_peer, 500, 500},
};

using Messages = std::vector<api::LocalizableMessage>;

Messages messages_of(const base::Error& error) {
  Messages messages;
  for (const auto& message : error.messages()) messages.push_back(api::message_to_api(message));
  return messages;
}

json::object optional(json::value value) {
  json::object object;
  object.emplace("OPTIONAL", std::move(value));
  return object;
}

}  // namespace

int status_of(ErrorKind kind, RestForm form) {
  const auto* row =
      std::find_if(statuses.begin(), statuses.end(), [&](const auto& entry) { return entry.kind == kind; });
  QUIRE_CHECK(row != statuses.end());
  return form == RestForm::legacy ? row->legacy : row->current;
}

std::string canonical_error_name(ErrorKind kind) {
  return "com.vmware.vapi.std.errors." + std::string(base::name_of(kind));
}

std::string error_type(ErrorKind kind) {
  std::string type(base::name_of(kind));
  for (char& c : type)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return type;
}

json::object rest_error_body(const base::Error& error, RestForm form, std::string_view challenge) {
  const auto messages = messages_of(error);
  json::object body;
  body.emplace("error_type", error_type(error.kind()));
  body.emplace("messages", encode_rest(api::type_of<Messages>(), &messages, form));
  if (form == RestForm::current) {
    if (!challenge.empty()) body.emplace("challenge", challenge);
    return body;
  }
  json::object legacy;
  legacy.emplace("type", canonical_error_name(error.kind()));
  legacy.emplace("value", std::move(body));
  return legacy;
}

json::object vapi_error(const base::Error& error) {
  const auto messages = messages_of(error);
  json::object fields;
  fields.emplace("messages", encode_vapi(api::type_of<Messages>(), &messages));
  fields.emplace("data", optional(nullptr));
  fields.emplace("error_type", optional(json::value(error_type(error.kind()))));
  if (error.kind() == ErrorKind::unauthenticated) fields.emplace("challenge", optional(nullptr));
  json::object named;
  named.emplace(canonical_error_name(error.kind()), std::move(fields));
  json::object out;
  out.emplace("ERROR", std::move(named));
  return out;
}

base::Error error_of(const api::ErrorValue& value) {
  QUIRE_CHECK(!value.messages.empty());
  base::Error error(value.kind, value.messages.front());
  for (std::size_t i = 1; i < value.messages.size(); ++i) error = error.because(value.messages[i]);
  return error;
}

const api::Type& localizable_message_type() { return api::type_of<api::LocalizableMessage>(); }

}  // namespace quire::wire
