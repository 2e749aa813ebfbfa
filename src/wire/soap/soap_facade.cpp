#include "wire/soap/soap_facade.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/hex.h"
#include "base/log.h"
#include "base/result.h"
#include "base/utf8.h"
#include "wire/request/authentication.h"
#include "wire/request/request_target.h"
#include "wire/soap/soap_methods.h"
#include "wire/soap/soap_values.h"
#include "wire/soap/soap_xml.h"
#include "wire/soap/vim_inventory.h"

namespace quire::wire {
namespace {

using base::ErrorKind;
using vim::Fault;
using vim::Reference;

constexpr std::string_view soap_space = "http://schemas.xmlsoap.org/soap/envelope/";
constexpr std::string_view xsd_space = "http://www.w3.org/2001/XMLSchema";
constexpr std::string_view xsi_space = "http://www.w3.org/2001/XMLSchema-instance";

constexpr std::string_view versions_path = "/sdk/vimServiceVersions.xml";
constexpr std::string_view cookie_name = "vmware_soap_session";
constexpr std::string_view session_header = "vmware-api-session-id";

/// pyVmomi takes the newest version that both sides know (wire-protocols.md §4.6), so the old ones stay.
constexpr std::string_view service_versions =
    R"(<?xml version="1.0" encoding="UTF-8"?>
<namespaces version="1.0"><namespace><name>urn:vim25</name><version>8.0.3.0</version>
  <priorVersions><version>8.0.2.0</version><version>8.0.1.0</version><version>8.0.0.1</version><version>7.0</version>
   <version>6.7</version><version>6.5</version><version>6.0</version><version>5.5</version></priorVersions>
</namespace></namespaces>
)";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The session cookie of a Cookie header. Clients send it bare, in quotes, or with the attributes that it was set with
/// (§4.1), so its name may follow anything and its value ends at a quote or semicolon.
std::optional<std::string> cookie_value(std::string_view header) {
  for (auto at = header.find(cookie_name); at != std::string_view::npos; at = header.find(cookie_name, at + 1)) {
    if (at > 0 && header[at - 1] != ' ' && header[at - 1] != ';' && header[at - 1] != ',') continue;
    std::string_view rest = trim(header.substr(at + cookie_name.size()));
    if (!rest.starts_with('=')) continue;
    rest = trim(rest.substr(1));
    if (rest.starts_with('"')) rest.remove_prefix(1);
    return std::string(trim(rest.substr(0, rest.find_first_of("\";"))));
  }
  return std::nullopt;
}

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

/// By a cookie, the API's header, the SOAP header, or Authorization, in this order; empty when there is none.
std::string session_token(const Headers& headers, const XmlElement* soap_header) {
  for (const auto& [name, value] : headers.all()) {
    if (base::to_lower(name) != "cookie") continue;
    if (auto token = cookie_value(value)) return std::move(*token);
  }
  if (const auto token = headers.find(session_header)) return std::string(trim(*token));
  if (const auto* cookie = soap_header == nullptr ? nullptr : soap_header->child("vcSessionCookie"))
    return std::string(unquoted(cookie->trimmed_text()));
  if (const auto authorization = headers.find("Authorization")) return bearer_token(*authorization).value_or("");
  return "";
}

/// The request's method and what stands around it.
struct Envelope {
  const XmlElement* header = nullptr;
  const XmlElement* method = nullptr;
  Reference receiver;
};

base::Error bad_envelope(std::string_view text) {
  return {ErrorKind::invalid_request, "quire.soap.envelope.invalid", text};
}

/// InvalidRequest unless it is a SOAP 1.1 request with one method that names its receiver. Points into `root`.
base::Result<Envelope> read_envelope(const XmlElement& root) {
  if (root.name != "Envelope" || root.space != soap_space) return bad_envelope("The request is no SOAP 1.1 envelope.");
  Envelope envelope;
  const XmlElement* body = nullptr;
  for (const auto& each : root.children) {
    if (each.space != soap_space) continue;
    if (each.name == "Header") envelope.header = &each;
    if (each.name == "Body") body = &each;
  }
  if (body == nullptr || body->children.size() != 1) {
    return bad_envelope("The request's Body must hold exactly one method.");
  }
  envelope.method = &body->children.front();
  auto receiver = child_reference(*envelope.method, "_this");
  if (!receiver) return bad_envelope("The method names no object in _this.");
  envelope.receiver = std::move(*receiver);
  return envelope;
}

Response not_allowed(std::string_view allowed) {
  Response response;
  response.status = 405;
  response.headers.add("Allow", std::string(allowed));
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = "Use " + std::string(allowed) + " here.\n";
  return response;
}

XmlWriter open_envelope() {
  XmlWriter out;
  out.open("soapenv:Envelope");
  out.attribute("xmlns:soapenv", soap_space);
  out.attribute("xmlns:xsd", xsd_space);
  out.attribute("xmlns:xsi", xsi_space);
  out.open("soapenv:Body");
  return out;
}

Response close_envelope(XmlWriter out, int status) {
  out.close();
  out.close();
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/xml; charset=utf-8");
  response.body = std::move(out).finish();
  return response;
}

Response fault_response(std::string_view code, const Fault& fault) {
  XmlWriter out = open_envelope();
  out.open("soapenv:Fault");
  out.leaf("faultcode", code);
  out.leaf("faultstring", fault.text);
  out.open("detail");
  out.open(fault.type + "Fault");
  out.attribute("xmlns", vim_space);
  out.attribute("xsi:type", fault.type);
  write_fields(out, fault.fields);
  out.close();
  out.close();
  out.close();
  return close_envelope(std::move(out), 500);
}

Response no_soap_request(const std::string& text) {
  return fault_response("soapenv:Client", {"InvalidRequest", text, {}});
}

/// As the audit trail and the measurements call it.
std::string operation_of(const SoapMethod& method) { return "vim25." + std::string(method.name); }

Fault method_not_found(const Reference& receiver, std::string_view method) {
  const std::string shown = base::displayable(method);
  return {
      "MethodNotFound", "This server has no method \"" + shown + "\".", {{"receiver", receiver}, {"method", shown}}};
}

}  // namespace

SoapFacade::SoapFacade(service::Services& services)
    : services_(services), views_(std::make_unique<SoapViews>(services.identities)) {
  for (const auto& method : soap_methods())
    measurements_.push_back(&services.measurements.operation(operation_of(method)));
}

bool SoapFacade::owns(std::string_view path) {
  constexpr std::array<std::string_view, 5> paths{"/sdk", "/sdk/", versions_path, "/pbm", "/pbm/sdk"};
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

Response SoapFacade::handle(const Request& request) const {
  const std::string_view path = path_of(request.target);
  if (path == versions_path) {
    if (request.method != "GET") return not_allowed("GET");
    Response response;
    response.headers.add("Content-Type", "text/xml; charset=utf-8");
    response.body = service_versions;
    return response;
  }
  if (request.method != "POST") return not_allowed("POST");
  return call(request, path.starts_with("/pbm") ? pbm_space : vim_space);
}

Response SoapFacade::call(const Request& request, std::string_view method_space) const {
  const auto root = read_xml(request.body);
  if (!root) return no_soap_request(root.error().text());
  const auto envelope = read_envelope(*root);
  if (!envelope) return no_soap_request(envelope.error().text());
  const auto fail = [](const Fault& fault) { return fault_response("ServerFaultCode", fault); };

  const XmlElement& element = *envelope->method;
  const Reference& receiver = envelope->receiver;
  const auto method = std::find_if(soap_methods().begin(), soap_methods().end(), [&](const SoapMethod& each) {
    return each.space == method_space && each.space == element.space && each.name == element.name &&
           (each.receiver.type.empty() || each.receiver.type == receiver.type);
  });
  if (method == soap_methods().end()) return fail(method_not_found(receiver, element.name));
  if (!method->receiver.id.empty() && method->receiver.id != receiver.id) return fail(vim::object_not_found(receiver));

  const auto operation = operation_of(*method);
  const auto origin = call_context(request, operation).caller.origin;
  const base::LogScope scope(origin.operation_id);
  std::optional<SoapSession> session;
  if (method->needs_session) {
    std::string token = session_token(request.headers, envelope->header);
    auto caller = services_.logins.authenticate(token);
    if (!caller && caller.error().kind() == ErrorKind::unauthenticated) return fail(not_authenticated(receiver));
    if (!caller) return fail(system_error(method->name, caller.error()));
    caller->origin = origin;
    session = SoapSession{std::move(token), std::move(*caller)};
  }

  XmlWriter out = open_envelope();
  out.open(std::string(method->name) + "Response");
  out.attribute("xmlns", method_space);
  SoapReply reply{out, {}};
  auto& measured = *measurements_[static_cast<std::size_t>(method - soap_methods().begin())];
  const auto begin = std::chrono::steady_clock::now();
  const auto done =
      method->run({services_, *views_, method->name, element, receiver, std::move(session), origin}, reply);
  measured.durations.add(std::chrono::steady_clock::now() - begin);
  if (!done) {
    measured.count_failure(ErrorKind::error);  // a fault has a type of its own, and no kind
    return fail(done.error());
  }
  measured.succeeded.add();
  out.close();
  Response response = close_envelope(std::move(out), 200);
  if (!reply.new_token.empty()) {
    response.headers.add("Set-Cookie",
                         std::string(cookie_name) + "=\"" + reply.new_token + "\"; Path=/; HttpOnly; Secure");
  }
  return response;
}

}  // namespace quire::wire
