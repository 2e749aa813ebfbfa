#include "wire/request/authentication.h"

#include <string_view>

#include "base/base64.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/utf8.h"
#include "wire/request/request_target.h"

namespace quire::wire {
namespace {

constexpr std::string_view token_name = "vmware-api-session-id";
constexpr std::string_view soap_cookie_name = "vmware_soap_session";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Clients echo the SOAP cookie quoted and unquoted.
std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

std::optional<std::string> token_header(const Headers& headers) {
  const auto value = headers.find(token_name);
  if (!value) return std::nullopt;
  return std::string(trimmed(*value));
}

/// With or without padding, as clients send it.
std::optional<std::string> text_of_base64(std::string_view text) {
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  const auto bytes = base::from_base64(padded);
  if (!bytes) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

std::optional<std::string> text_member(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

constexpr std::string_view scheme_prefix = "com.vmware.vapi.std.security.";

Identification from_security_context(const boost::json::object& security) {
  Identification who;
  const auto scheme = text_member(security, "schemeId");
  if (!scheme || scheme->compare(0, scheme_prefix.size(), scheme_prefix) != 0) return who;
  const auto name = scheme->substr(scheme_prefix.size());
  if (name == "session_id") {
    who.token = text_member(security, "sessionId");
  } else if (name == "user_pass") {
    auto user = text_member(security, "userName");
    auto password = text_member(security, "password");
    if (user && password) who.credentials = api::Credentials{*std::move(user), *std::move(password)};
  }
  return who;
}

/// What follows the name of the scheme (RFC 9110 §11.4), if it is this one.
std::optional<std::string_view> value_of_scheme(std::string_view authorization, std::string_view scheme) {
  const auto space = authorization.find(' ');
  if (space == std::string_view::npos || base::to_lower(authorization.substr(0, space)) != scheme) return std::nullopt;
  return trimmed(authorization.substr(space));
}

}  // namespace

std::optional<std::string> find_cookie(const Headers& headers, std::string_view name) {
  for (const auto& [field, value] : headers.all()) {
    if (!same_header_name(field, "Cookie")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto end = rest.find(';');
      const auto pair = trimmed(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
      return std::string(unquoted(trimmed(pair.substr(equals + 1))));
    }
  }
  return std::nullopt;
}

std::optional<api::Credentials> basic_credentials(std::string_view authorization) {
  const auto encoded = value_of_scheme(authorization, "basic");
  if (!encoded) return std::nullopt;
  const auto decoded = text_of_base64(*encoded);
  if (!decoded || !base::is_text(*decoded)) return std::nullopt;
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return api::Credentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

std::optional<std::string> bearer_token(std::string_view authorization) {
  const auto token = value_of_scheme(authorization, "bearer");
  return token ? std::optional(std::string(*token)) : std::nullopt;
}

Identification identification_of(const Headers& headers) {
  Identification who;
  who.token = find_cookie(headers, token_name);
  if (!who.token) who.token = token_header(headers);
  if (!who.token) who.token = find_cookie(headers, soap_cookie_name);
  if (const auto authorization = headers.find("Authorization")) {
    who.credentials = basic_credentials(*authorization);
    if (!who.token) who.token = bearer_token(*authorization);
  }
  return who;
}

Identification identification_of(const Headers& headers, const boost::json::object* security) {
  Identification who = security ? from_security_context(*security) : identification_of(headers);
  if (auto token = token_header(headers)) who.token = std::move(token);
  return who;
}

base::Error login_required() {
  return base::Error(base::ErrorKind::unauthenticated, "quire.wire.login_required",
                     "This operation needs a login. Create a session and send its token in the header {header}.",
                     {{"header", std::string(token_name)}});
}

api::CallContext call_context(const Request& request, std::string_view operation, std::string_view operation_id) {
  for (const auto* header : {"X-Request-ID", "vapi-ctx-opid"})
    if (const auto given = request.headers.find(header)) operation_id = trimmed(*given);
  if (spdlog::should_log(spdlog::level::debug)) {
    const auto client = request.headers.find("User-Agent").value_or("");
    spdlog::debug("call {} {} {} {}", operation, request.method, base::displayable(path_of(request.target)),
                  base::displayable(client));
  }
  api::CallContext call;
  call.base_url = request.base_url;
  call.caller.origin = {operation, request.client_address, operation_id};
  return call;
}

base::Result<api::CallContext> admit(Invoker& invoker, const api::Operation& operation, const Identification& who,
                                     api::CallContext call) {
  if (!operation.facts.needs_login) {
    call.credentials = who.credentials;
    return call;
  }
  QUIRE_ASSIGN_OR_RETURN(call.caller, admit(invoker, who, call));
  return call;
}

base::Result<content::Caller> admit(Invoker& invoker, const Identification& who, const api::CallContext& call) {
  if (!who.token) return login_required();
  QUIRE_ASSIGN_OR_RETURN(auto caller, invoker.authenticate(*who.token));
  caller.origin = call.caller.origin;
  return caller;
}

std::string_view challenge_for(const api::Operation& operation) {
  return operation.facts.needs_login ? login_challenge : "Basic realm=\"quire\", charset=\"UTF-8\"";
}

}  // namespace quire::wire
