#include "wire/json_rpc/json_rpc.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <utility>

#include "wire/codec/error_table.h"
#include "wire/codec/json_text.h"
#include "wire/codec/vapi_codec.h"
#include "wire/request/authentication.h"

namespace quire::wire {
namespace {

namespace json = boost::json;

/// The codes of wire-protocols.md §2.4.
enum class ProtocolFault : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal_error = -32603,
  mismatching_headers = -31001,
};

Response answer(const json::value& id, std::string_view member, json::value content) {
  json::object envelope;
  envelope.emplace("jsonrpc", "2.0");
  envelope.emplace("id", id);
  envelope.emplace(member, std::move(content));
  Response response;
  response.headers.add("Content-Type", "application/json");
  response.body = json::serialize(envelope);
  return response;
}

/// `id` null for the two faults where clients demand it.
Response fault(ProtocolFault code, const json::value& id, std::string_view message) {
  const bool anonymous = code == ProtocolFault::parse_error || code == ProtocolFault::invalid_request;
  json::object error;
  error.emplace("code", static_cast<int>(code));
  error.emplace("message", message);
  return answer(anonymous ? json::value(nullptr) : id, "error", std::move(error));
}

Response method_error(const json::value& id, const base::Error& error) {
  json::object result;
  result.emplace("error", vapi_error(error));
  auto response = answer(id, "result", std::move(result));
  response.headers.add("vapi-error", canonical_error_name(error.kind()));
  return response;
}

/// Nothing but `output`, null for void: some clients fail on more or less (§2.4, §2.6).
Response success(const json::value& id, const api::Operation& operation, const void* output) {
  json::object result;
  result.emplace("output", output ? encode_vapi(*operation.output, output) : json::value(nullptr));
  return answer(id, "result", std::move(result));
}

const json::object* object_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value ? value->if_object() : nullptr;
}

std::optional<std::string_view> text_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string().data(), value->get_string().size());
}

/// Stands for an `input` that is missing.
json::value empty_input() {
  json::object named;
  named.emplace("operation-input", json::object());
  json::object structure;
  structure.emplace("STRUCTURE", std::move(named));
  return structure;
}

/// The headers that repeat the operation must both be there and agree, or both be missing (§2.1).
bool headers_agree(const Headers& headers, std::string_view service, std::string_view operation) {
  const auto named_service = headers.find("vapi-service");
  const auto named_operation = headers.find("vapi-operation");
  if (!named_service && !named_operation) return true;
  return named_service == service && named_operation == operation;
}

/// A caller for one call, logged out at its end when the call brought a password instead of a token (§2.3).
class CallLogin {
 public:
  CallLogin(Invoker& invoker, const api::Operation& operation, const Identification& who, api::CallContext call)
      : invoker_(invoker),
        temporary_(operation.facts.needs_login && !who.token && who.credentials),
        call_(temporary_ ? with_password(*who.credentials, std::move(call))
                         : admit(invoker, operation, who, std::move(call))) {}
  ~CallLogin() {
    if (temporary_ && call_) invoker_.log_out(call_->caller);
  }
  CallLogin(const CallLogin&) = delete;
  CallLogin& operator=(const CallLogin&) = delete;

  const base::Result<api::CallContext>& call() const { return call_; }

 private:
  base::Result<api::CallContext> with_password(const api::Credentials& credentials, api::CallContext call) {
    QUIRE_ASSIGN_OR_RETURN(auto caller, invoker_.log_in(credentials, call.caller.origin));
    call.caller = std::move(caller);
    return call;
  }

  Invoker& invoker_;
  bool temporary_;
  base::Result<api::CallContext> call_;
};

}  // namespace

JsonRpc::JsonRpc(const std::vector<api::Operation>& operations, Invoker& invoker) : invoker_(invoker) {
  for (const auto& operation : operations)
    operations_.emplace(operation.facts.service + "/" + operation.facts.name, &operation);
}

const api::Operation* JsonRpc::find(std::string_view service, std::string_view operation) const {
  const auto found = operations_.find(std::string(service) + "/" + std::string(operation));
  return found == operations_.end() ? nullptr : found->second;
}

Response JsonRpc::internal_error() {
  return fault(ProtocolFault::internal_error, nullptr, "The server failed. Its log says more.");
}

Response JsonRpc::handle(const Request& request) const {
  const auto parsed = parse_json(request.body, json_rpc_depth_max);
  if (!parsed) return fault(ProtocolFault::parse_error, nullptr, parsed.error().text());
  const auto* envelope = parsed->if_object();
  if (!envelope)
    return fault(ProtocolFault::invalid_request, nullptr, "The body must be one object; batches are not served.");
  json::value id;
  if (const auto* given = envelope->if_contains("id")) id = *given;
  if (!id.is_string() && !id.is_number() && !id.is_null())
    return fault(ProtocolFault::invalid_request, id, "id must be a string or a number.");
  const auto method = text_member(*envelope, "method");
  const auto* params = envelope->if_contains("params");
  if (text_member(*envelope, "jsonrpc") != "2.0" || !method || !params)
    return fault(ProtocolFault::invalid_request, id, "jsonrpc must be \"2.0\", and method and params must be there.");
  if (method != "invoke") return fault(ProtocolFault::method_not_found, id, "The only method is invoke.");
  return call(id, *params, request);
}

Response JsonRpc::call(const json::value& id, const json::value& params, const Request& request) const {
  const auto* members = params.if_object();
  const auto service = members ? text_member(*members, "serviceId") : std::nullopt;
  const auto name = members ? text_member(*members, "operationId") : std::nullopt;
  if (!service || !name)
    return fault(ProtocolFault::invalid_params, id, "params must hold the strings serviceId and operationId.");
  const auto no_input = empty_input();
  const auto* given_input = members->if_contains("input");
  const auto& input_value = given_input && !given_input->is_null() ? *given_input : no_input;
  if (!structure_fields(input_value))
    return fault(ProtocolFault::invalid_params, id, "params.input must be a STRUCTURE named operation-input.");
  if (!headers_agree(request.headers, *service, *name))
    return fault(ProtocolFault::mismatching_headers, id,
                 "The headers vapi-service and vapi-operation must both repeat serviceId and operationId.");

  const auto* operation = find(*service, *name);
  if (!operation) return method_error(id, operation_not_found(std::string(*service) + "." + std::string(*name)));
  const auto* context = object_member(*members, "ctx");
  const auto* security = context ? object_member(*context, "securityCtx") : nullptr;
  const auto* application = context ? object_member(*context, "appCtx") : nullptr;
  const auto operation_id = application ? text_member(*application, "opId") : std::nullopt;
  const std::string_view given_id = operation_id ? std::string_view(*operation_id) : std::string_view();
  const CallLogin login(invoker_, *operation, identification_of(request.headers, security),
                        call_context(request, operation->full_name, given_id));
  if (!login.call()) return method_error(id, login.call().error());
  const auto input = operation->make_input();
  if (const auto decoded = decode_vapi(input_value, *operation->input, input.get(), InputPath{}); !decoded)
    return method_error(id, decoded.error());
  const auto output = invoke(invoker_, *operation, *login.call(), input.get());
  if (!output) return method_error(id, output.error());
  return success(id, *operation, output->get());
}

}  // namespace quire::wire
