#include "wire/rest/legacy_rest.h"

#include "wire/codec/scalar_codec.h"
#include "wire/request/authentication.h"
#include "wire/rest/rest_exchange.h"

namespace quire::wire {
namespace {

constexpr auto legacy_form = RestForm::legacy;
constexpr std::string_view id_prefix = "id:";

base::Result<void> decode_input(const api::Operation& operation, const LegacyMapping& mapping, const Request& request,
                                const RequestTarget& target, const std::optional<std::string>& id, const RestBody& body,
                                void* input) {
  const bool from_query = mapping.in_query && request.method == "GET";
  std::vector<bool> used(target.query.size());
  for (const auto& field : operation.input->fields) {
    base::Result<void> done;
    if (&field == mapping.id && id)
      done = decode_scalar(*id, *field.type, field.get_mutable(input), InputPath{nullptr, field.name});
    else if (from_query)
      done = decode_query(target.query, field.name, *field.type, field.get_mutable(input), used);
    else
      done = decode_body_member(legacy_form, operation, body, field, input);
    if (!done) return done;
  }
  return {};
}

/// A session that the client does not promise to name by header comes as a cookie as well (wire-protocols.md §3.6). The
/// operation that makes one is known by its output: a token, before any login.
void add_session_cookie(const api::Operation& operation, const void* output, const Request& request,
                        Response& response) {
  const bool makes_session =
      !operation.facts.needs_login && operation.output && operation.output->kind == api::TypeKind::secret;
  if (!makes_session || request.headers.contains("vmware-use-header-authn")) return;
  const auto& token = static_cast<const api::Secret*>(output)->text;
  response.headers.add("Set-Cookie", "vmware-api-session-id=" + token + ";Path=/rest;Secure;HttpOnly");
}

}  // namespace

LegacyRest::LegacyRest(const std::vector<api::Operation>& operations, Invoker& invoker) : invoker_(invoker) {
  for (const auto& operation : operations) {
    if (operation.facts.legacy_at_path) continue;
    auto mapping = legacy_mapping(operation);
    auto& routes = services_[mapping.service_path];
    routes.push_back({&operation, std::move(mapping)});
  }
}

const LegacyRest::Route* LegacyRest::select(const std::vector<Route>& routes, std::string_view method,
                                            const std::optional<std::string>& action, bool has_id) {
  const Route* plain_get = nullptr;
  for (const auto& route : routes) {
    const auto& mapping = route.mapping;
    if (action && *action != dashed(route.operation->facts.name)) continue;
    if (action && method == "POST" && (mapping.id || !has_id)) return &route;
    // govc deletes by force with DELETE and the action (content-library-api.md §5, §6).
    if (action && method == "DELETE" && has_id && route.operation->facts.name == "force_delete") return &route;
    const bool canonical = mapping.action.empty() && mapping.method == method && (mapping.id != nullptr) == has_id;
    if (canonical) return &route;
    if (method == "GET" && !has_id && route.operation->facts.name == "get" && route.operation->input->fields.empty())
      plain_get = &route;
  }
  return plain_get;
}

std::string LegacyRest::allowed(const std::vector<Route>& routes, bool has_id) {
  std::string out;
  for (const std::string_view method : {"DELETE", "GET", "PATCH", "POST", "PUT"}) {
    bool served = false;
    for (const auto& route : routes)
      served = served || select({route}, method, std::nullopt, has_id) ||
               select({route}, method, dashed(route.operation->facts.name), has_id);
    if (!served) continue;
    if (!out.empty()) out += ", ";
    out += method;
  }
  return out;
}

Response LegacyRest::run(const Route& route, const Request& request, const RequestTarget& target,
                         const std::optional<std::string>& id) const {
  const auto& operation = *route.operation;
  const auto challenge = challenge_for(operation);
  const auto call =
      admit(invoker_, operation, identification_of(request.headers), call_context(request, operation.full_name));
  if (!call) return rest_failure(legacy_form, call.error(), challenge);
  RestBody body;
  if (request.method != "GET" && request.method != "DELETE") body = read_body(legacy_form, request);
  if (body.refusal) return *std::move(body.refusal);
  const auto input = operation.make_input();
  const auto decoded = decode_input(operation, route.mapping, request, target, id, body, input.get());
  if (!decoded) return rest_failure(legacy_form, decoded.error());
  const auto output = invoke(invoker_, operation, *call, input.get());
  if (!output) return rest_failure(legacy_form, output.error(), challenge);
  auto response = rest_success(legacy_form, operation, output->get());
  add_session_cookie(operation, output->get(), request, response);
  return response;
}

Response LegacyRest::handle(const Request& request) const {
  auto target = parse_target(request.target);
  if (!target) return rest_failure(legacy_form, target.error());
  auto& segments = target->segments;
  std::optional<std::string> id;
  if (segments.back().compare(0, id_prefix.size(), id_prefix) == 0) {
    id = segments.back().substr(id_prefix.size());
    segments.pop_back();
  }
  std::string path;
  for (const auto& segment : segments) path += '/' + segment;
  const auto service = services_.find(path);
  if (service == services_.end()) return rest_failure(legacy_form, operation_not_found(path_of(request.target)));
  const auto action = action_of(*target, "~action");
  if (const auto* route = select(service->second, request.method, action, id.has_value()))
    return run(*route, request, *target, id);
  auto methods = allowed(service->second, id.has_value());
  const bool method_exists = (", " + methods + ",").find(", " + request.method + ",") != std::string::npos;
  if (methods.empty() || method_exists)
    return rest_failure(legacy_form, operation_not_found(request.method + " " + request.target));
  return method_not_allowed(legacy_form, request.method, std::move(methods));
}

}  // namespace quire::wire
