#include "wire/soap_facade.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "base/log.h"
#include "base/utf8.h"
#include "wire/soap_xml.h"
#include "wire/vim_inventory.h"
#include "wire/vim_inventory_collector.h"

namespace quire::wire {
namespace {

using base::ErrorKind;
using vim::Answer;
using vim::DataObject;
using vim::Fault;
using vim::Field;
using vim::Reference;
using vim::Value;

constexpr std::string_view soap_space = "http://schemas.xmlsoap.org/soap/envelope/";
constexpr std::string_view xsd_space = "http://www.w3.org/2001/XMLSchema";
constexpr std::string_view xsi_space = "http://www.w3.org/2001/XMLSchema-instance";
constexpr std::string_view vim_space = "urn:vim25";
constexpr std::string_view pbm_space = "urn:pbm";

constexpr std::string_view versions_path = "/sdk/vimServiceVersions.xml";
constexpr std::string_view cookie_name = "vmware_soap_session";
constexpr std::string_view session_header = "vmware-api-session-id";

/// pyVmomi takes the newest version that both sides know (§4.6), so the old ones stay.
constexpr std::string_view service_versions =
    R"(<?xml version="1.0" encoding="UTF-8"?>
<namespaces version="1.0"><namespace><name>urn:vim25</name><version>8.0.3.0</version>
  <priorVersions><version>8.0.2.0</version><version>8.0.1.0</version><version>8.0.0.1</version><version>7.0</version>
   <version>6.7</version><version>6.5</version><version>6.0</version><version>5.5</version></priorVersions>
</namespace></namespaces>
)";

// --- Reading ---

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

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

std::string session_token(const Headers& headers, const XmlElement* soap_header) {
  for (const auto& [name, value] : headers.all()) {
    if (base::to_lower(name) != "cookie") continue;
    if (auto token = cookie_value(value)) return std::move(*token);
  }
  if (const auto token = headers.find(session_header)) return std::string(trim(*token));
  const XmlElement* cookie = soap_header == nullptr ? nullptr : soap_header->child("vcSessionCookie");
  std::string_view value = cookie == nullptr ? std::string_view{} : cookie->trimmed_text();
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return std::string(value);
}

bool is_true(const XmlElement* element) {
  return element != nullptr && (element->trimmed_text() == "true" || element->trimmed_text() == "1");
}

std::string child_text(const XmlElement& element, std::string_view name) {
  const XmlElement* child = element.child(name);
  return child == nullptr ? std::string() : std::string(child->trimmed_text());
}

std::vector<std::string> child_texts(const XmlElement& element, std::string_view name) {
  std::vector<std::string> texts;
  for (const auto& each : element.children) {
    if (each.name == name) texts.emplace_back(each.trimmed_text());
  }
  return texts;
}

std::optional<Reference> child_reference(const XmlElement& element, std::string_view name) {
  const XmlElement* child = element.child(name);
  if (child == nullptr) return std::nullopt;
  return Reference{std::string(child->attribute("type")), std::string(child->trimmed_text())};
}

/// TraversalSpec and SelectionSpec are told apart by what they hold, not by `xsi:type`: only the former has a path.
std::vector<vim::SelectionSpec> read_selections(const XmlElement& element) {
  std::vector<vim::SelectionSpec> selections;
  for (const auto& each : element.children) {
    if (each.name != "selectSet") continue;
    selections.push_back({.name = child_text(each, "name"),
                          .type = child_text(each, "type"),
                          .path = child_text(each, "path"),
                          .skip = is_true(each.child("skip")),
                          .next = read_selections(each)});
  }
  return selections;
}

Answer<std::vector<vim::FilterSpec>> read_filter_specs(const XmlElement& arguments) {
  std::vector<vim::FilterSpec> specs;
  for (const auto& spec : arguments.children) {
    if (spec.name != "specSet") continue;
    auto& filter = specs.emplace_back();
    for (const auto& each : spec.children) {
      if (each.name == "propSet") {
        filter.properties.push_back(
            {child_text(each, "type"), is_true(each.child("all")), child_texts(each, "pathSet")});
      } else if (each.name == "objectSet") {
        auto object = child_reference(each, "obj");
        if (!object) {
          return tl::unexpected(vim::invalid_argument("specSet.objectSet.obj", "An object spec names no object."));
        }
        filter.objects.push_back({std::move(*object), is_true(each.child("skip")), read_selections(each)});
      }
    }
  }
  return specs;
}

// --- Writing ---

void write_reference(XmlWriter& out, std::string_view name, const Reference& reference) {
  out.open(name);
  out.attribute("type", reference.type);
  out.text(reference.id);
  out.close();
}

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

std::string_view type_attribute(const Value& value) {
  return std::visit(
      Overloaded{[](const std::string&) -> std::string_view { return "xsd:string"; },
                 [](bool) -> std::string_view { return "xsd:boolean"; },
                 [](std::int64_t) -> std::string_view { return "xsd:long"; },
                 [](base::Time) -> std::string_view { return "xsd:dateTime"; },
                 [](const Reference&) -> std::string_view { return "ManagedObjectReference"; },
                 [](const std::vector<Reference>&) -> std::string_view { return "ArrayOfManagedObjectReference"; },
                 [](const std::vector<std::string>&) -> std::string_view { return "ArrayOfString"; },
                 [](const DataObject& data) -> std::string_view { return data.type; }},
      value);
}

void write_fields(XmlWriter& out, const std::vector<Field>& fields);

/// A field of a data object: the schema says its type, and a list is the element repeated.
void write_field(XmlWriter& out, const std::string& name, const Value& value) {
  std::visit(Overloaded{[&](const std::string& text) { out.leaf(name, text); },
                        [&](bool flag) { out.leaf(name, flag ? "true" : "false"); },
                        [&](std::int64_t number) { out.leaf(name, std::to_string(number)); },
                        [&](base::Time time) { out.leaf(name, base::to_text(time)); },
                        [&](const Reference& reference) { write_reference(out, name, reference); },
                        [&](const std::vector<Reference>& references) {
                          for (const auto& each : references) write_reference(out, name, each);
                        },
                        [&](const std::vector<std::string>& texts) {
                          for (const auto& each : texts) out.leaf(name, each);
                        },
                        [&](const DataObject& data) {
                          out.open(name);
                          write_fields(out, data.fields);
                          out.close();
                        }},
             value);
}

void write_fields(XmlWriter& out, const std::vector<Field>& fields) {
  for (const auto& each : fields) write_field(out, each.name, each.value);
}

/// A value whose type the schema leaves open, so it says it itself (§4.4).
void write_typed(XmlWriter& out, std::string_view name, const Value& value) {
  out.open(name);
  if (const auto* reference = std::get_if<Reference>(&value)) out.attribute("type", reference->type);
  out.attribute("xsi:type", type_attribute(value));
  std::visit(Overloaded{[&](const std::string& text) { out.text(text); },
                        [&](bool flag) { out.text(flag ? "true" : "false"); },
                        [&](std::int64_t number) { out.text(std::to_string(number)); },
                        [&](base::Time time) { out.text(base::to_text(time)); },
                        [&](const Reference& reference) { out.text(reference.id); },
                        [&](const std::vector<Reference>& references) {
                          for (const auto& each : references) write_reference(out, "ManagedObjectReference", each);
                        },
                        [&](const std::vector<std::string>& texts) {
                          for (const auto& each : texts) out.leaf("string", each);
                        },
                        [&](const DataObject& data) { write_fields(out, data.fields); }},
             value);
  out.close();
}

void write_object_content(XmlWriter& out, std::string_view name, const vim::ObjectContent& content) {
  out.open(name);
  write_reference(out, "obj", content.object);
  for (const auto& each : content.properties) {
    out.open("propSet");
    out.leaf("name", each.name);
    write_typed(out, "val", each.value);
    out.close();
  }
  out.close();
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

Response no_soap_request(std::string text) {
  return fault_response("soapenv:Client", {"InvalidRequest", std::move(text), {}});
}

// --- Faults of the façade itself; those about objects and properties are the inventory's ---

Fault not_authenticated(const Reference& receiver) {
  return {"NotAuthenticated",
          "The session is not authenticated. Log in and try again.",
          {{"object", receiver}, {"privilegeId", std::string("System.View")}}};
}

Fault invalid_login(std::string text) { return {"InvalidLogin", std::move(text), {}}; }

Fault method_not_found(const Reference& receiver, std::string_view method) {
  const std::string shown = base::displayable(method);
  return {
      "MethodNotFound", "This server has no method \"" + shown + "\".", {{"receiver", receiver}, {"method", shown}}};
}

/// For errors that no class of §4.4 tells. The client learns the text only, the log the cause.
Fault system_error(std::string_view method, const base::Error& error) {
  const auto level = error.kind() == ErrorKind::internal_server_error ? spdlog::level::err : spdlog::level::warn;
  spdlog::log(level, "SOAP {} failed: {} ({})", method, error.text(), error.cause());
  return {"SystemError", error.text(), {{"reason", error.text()}}};
}

// --- Methods ---

struct Session {
  std::string token;
  content::Caller caller;
};

/// A call that may go ahead: the receiver's class has the method and the session, where one is needed, is alive.
struct Call {
  service::Services& services;
  SoapViews& views;
  std::string_view method;
  const XmlElement& arguments;
  Reference receiver;
  std::optional<Session> session;
};

/// What a method puts into its response element, and the token that a new login gets as cookie.
struct Reply {
  XmlWriter& out;
  std::string new_token;
};

const Reference service_instance{"ServiceInstance", "ServiceInstance"};
const Reference session_manager{"SessionManager", "SessionManager"};
const Reference property_collector{"PropertyCollector", "propertyCollector"};
const Reference view_manager{"ViewManager", "ViewManager"};
const Reference search_index{"SearchIndex", "SearchIndex"};
const Reference pbm_service_instance{"PbmServiceInstance", "ServiceInstance"};

/// §4.3. Terraform demands three numbers in `version`, an integer in `build` and exactly this name and apiType.
DataObject about(const service::Services& services) {
  return {"AboutInfo",
          {{"name", std::string("VMware vCenter Server")},
           {"fullName", std::string("VMware vCenter Server 8.0.3 build-24022515")},
           {"vendor", std::string("VMware, Inc.")},
           {"version", std::string("8.0.3")},
           {"build", std::string("24022515")},
           {"localeVersion", std::string("INTL")},
           {"localeBuild", std::string("000")},
           {"osType", std::string("linux-x64")},
           {"productLineId", std::string("vpx")},
           {"apiType", std::string("VirtualCenter")},
           {"apiVersion", std::string("8.0.3.0")},
           {"instanceUuid", services.server_guid},
           {"licenseProductName", std::string("VMware VirtualCenter Server")},
           {"licenseProductVersion", std::string("8.0")}}};
}

/// No member that is younger than the oldest client: pyVmomi 6.7.1 fails on those (§5.4). No customFieldsManager:
/// Ansible would read its fields.
DataObject service_content(const service::Services& services) {
  return {"ServiceContent",
          {{"rootFolder", Reference{"Folder", std::string(vim::root_folder_id)}},
           {"propertyCollector", property_collector},
           {"viewManager", view_manager},
           {"about", about(services)},
           {"sessionManager", session_manager},
           {"searchIndex", search_index}}};
}

Answer<DataObject> user_session(const Call& call, const Session& session) {
  const auto login = call.services.logins.session(session.caller);
  if (!login) {
    if (login.error().kind() == ErrorKind::unauthenticated) return tl::unexpected(not_authenticated(call.receiver));
    return tl::unexpected(system_error(call.method, login.error()));
  }
  return DataObject{"UserSession",
                    {{"key", session.token},
                     {"userName", login->user},
                     {"fullName", login->user.substr(0, login->user.find('@'))},
                     {"loginTime", login->created},
                     {"lastActiveTime", login->last_accessed},
                     {"locale", std::string("en")},
                     {"messageLocale", std::string("en")}}};
}

/// The tree, the singletons and the caller's own views. The current session is looked up only for those who ask for it,
/// because that records a use.
Answer<vim::Inventory> inventory_for(const Call& call, bool with_current_session) {
  vim::Inventory inventory(vim::datastores(call.services.context.storages));
  inventory.add({service_instance, {{"content", service_content(call.services)}}});
  vim::ManagedObject sessions{session_manager, {}};
  if (with_current_session) {
    auto current = user_session(call, *call.session);
    if (!current) return tl::unexpected(current.error());
    sessions.properties.push_back({"currentSession", std::move(*current)});
  }
  inventory.add(std::move(sessions));
  inventory.add({property_collector, {}});
  inventory.add({view_manager, {}});
  inventory.add({search_index, {}});
  for (auto& view : call.views.of(call.session->caller.login)) inventory.add(std::move(view));
  return inventory;
}

Answer<void> retrieve_service_content(const Call& call, Reply& reply) {
  write_field(reply.out, "returnval", service_content(call.services));
  return {};
}

Answer<void> current_time(const Call& call, Reply& reply) {
  write_field(reply.out, "returnval", call.services.context.clock.now());
  return {};
}

Answer<void> log_in(const Call& call, Reply& reply) {
  const XmlElement* user = call.arguments.child("userName");
  const XmlElement* password = call.arguments.child("password");
  auto token = call.services.logins.log_in(user == nullptr ? std::string_view{} : user->text,
                                           password == nullptr ? std::string_view{} : password->text);
  if (!token) {
    if (token.error().kind() != ErrorKind::unauthenticated) {
      return tl::unexpected(system_error(call.method, token.error()));
    }
    return tl::unexpected(invalid_login("Cannot complete login: wrong user name or password."));
  }
  auto caller = call.services.logins.authenticate(*token);
  if (!caller) return tl::unexpected(system_error(call.method, caller.error()));
  const auto session = user_session(call, {*token, std::move(*caller)});
  if (!session) return tl::unexpected(session.error());
  write_field(reply.out, "returnval", *session);
  reply.new_token = std::move(*token);
  return {};
}

Answer<void> log_in_by_token(const Call&, Reply&) {
  return tl::unexpected(invalid_login("This server has no single sign-on. Log in with user name and password."));
}

Answer<void> log_out(const Call& call, Reply&) {
  const content::Caller& caller = call.session->caller;
  if (const auto ended = call.services.logins.log_out(caller); !ended) {
    return tl::unexpected(system_error(call.method, ended.error()));
  }
  call.views.remove_all(caller.login);
  return {};
}

/// Whoever knows a session's key may ask about it; a wrong key is a session that is not active.
Answer<void> session_is_active(const Call& call, Reply& reply) {
  const auto caller = call.services.logins.authenticate(child_text(call.arguments, "sessionID"));
  if (!caller && caller.error().kind() != ErrorKind::unauthenticated) {
    return tl::unexpected(system_error(call.method, caller.error()));
  }
  const std::string user = base::to_lower(child_text(call.arguments, "userName"));
  write_field(reply.out, "returnval", caller && base::to_lower(caller->user) == user);
  return {};
}

Answer<std::vector<vim::ObjectContent>> retrieved(const Call& call) {
  const auto specs = read_filter_specs(call.arguments);
  if (!specs) return tl::unexpected(specs.error());
  // No property refers to the SessionManager, so only a start can be it.
  const bool about_sessions = std::any_of(specs->begin(), specs->end(), [](const vim::FilterSpec& spec) {
    return std::any_of(spec.objects.begin(), spec.objects.end(),
                       [](const vim::ObjectSpec& each) { return each.object.id == session_manager.id; });
  });
  const auto inventory = inventory_for(call, about_sessions);
  if (!inventory) return tl::unexpected(inventory.error());
  return vim::retrieve(*inventory, *specs);
}

/// Returns everything at once whatever `maxObjects` says; so there is never a token to continue from (§4.5).
Answer<void> retrieve_properties_ex(const Call& call, Reply& reply) {
  const auto contents = retrieved(call);
  if (!contents) return tl::unexpected(contents.error());
  if (contents->empty()) return {};
  reply.out.open("returnval");
  for (const auto& each : *contents) write_object_content(reply.out, "objects", each);
  reply.out.close();
  return {};
}

Answer<void> retrieve_properties(const Call& call, Reply& reply) {
  const auto contents = retrieved(call);
  if (!contents) return tl::unexpected(contents.error());
  for (const auto& each : *contents) write_object_content(reply.out, "returnval", each);
  return {};
}

Answer<void> continue_retrieve_properties_ex(const Call&, Reply&) {
  return tl::unexpected(vim::invalid_argument("token", "This server gave out no such token."));
}

/// An unset property is an empty response (§5.4).
Answer<void> fetch(const Call& call, Reply& reply) {
  const auto inventory = inventory_for(call, call.receiver.id == session_manager.id);
  if (!inventory) return tl::unexpected(inventory.error());
  const vim::ManagedObject* object = inventory->find(call.receiver);
  if (object == nullptr) return tl::unexpected(vim::object_not_found(call.receiver));
  const auto value = vim::property(*object, child_text(call.arguments, "prop"));
  if (!value) return tl::unexpected(value.error());
  if (*value != nullptr) write_typed(reply.out, "returnval", **value);
  return {};
}

Answer<void> create_container_view(const Call& call, Reply& reply) {
  const auto container = child_reference(call.arguments, "container");
  if (!container) return tl::unexpected(vim::invalid_argument("container", "A view needs a container."));
  const auto inventory = inventory_for(call, false);
  if (!inventory) return tl::unexpected(inventory.error());
  const bool recursive = is_true(call.arguments.child("recursive"));
  auto shown = vim::contained_in(*inventory, *container, child_texts(call.arguments, "type"), recursive);
  if (!shown) return tl::unexpected(shown.error());
  const Reference view = call.views.create(call.session->caller.login, *container, recursive, std::move(*shown));
  write_reference(reply.out, "returnval", view);
  return {};
}

Answer<void> destroy_view(const Call& call, Reply&) {
  if (!call.views.remove(call.session->caller.login, call.receiver)) {
    return tl::unexpected(vim::object_not_found(call.receiver));
  }
  return {};
}

Answer<void> find_nothing(const Call&, Reply&) { return {}; }

/// §4.7: all that terraform asks of the storage policy service.
Answer<void> pbm_retrieve_service_content(const Call& call, Reply& reply) {
  const DataObject about_info{
      "PbmAboutInfo",
      {{"name", std::string("PBM")}, {"version", std::string("2.0")}, {"instanceUuid", call.services.server_guid}}};
  const DataObject content{
      "PbmServiceInstanceContent",
      {{"aboutInfo", about_info},
       {"sessionManager", Reference{"PbmSessionManager", "sessionManager"}},
       {"capabilityMetadataManager", Reference{"PbmCapabilityMetadataManager", "capabilityMetadataManager"}},
       {"profileManager", Reference{"PbmProfileProfileManager", "profileManager"}},
       {"complianceManager", Reference{"PbmComplianceManager", "complianceManager"}},
       {"placementSolver", Reference{"PbmPlacementSolver", "placementSolver"}}}};
  write_field(reply.out, "returnval", content);
  return {};
}

struct Method {
  std::string_view space;
  std::string_view name;
  /// The only receiver; an empty id stands for every object of that class, and an empty class for every object.
  Reference receiver;
  bool needs_session;
  Answer<void> (*run)(const Call&, Reply&);
};

const std::vector<Method>& methods() {
  static const std::vector<Method> all{
      {vim_space, "RetrieveServiceContent", service_instance, false, retrieve_service_content},
      {vim_space, "CurrentTime", service_instance, true, current_time},
      {vim_space, "Login", session_manager, false, log_in},
      {vim_space, "LoginByToken", session_manager, false, log_in_by_token},
      {vim_space, "Logout", session_manager, true, log_out},
      {vim_space, "SessionIsActive", session_manager, true, session_is_active},
      {vim_space, "RetrievePropertiesEx", property_collector, true, retrieve_properties_ex},
      {vim_space, "ContinueRetrievePropertiesEx", property_collector, true, continue_retrieve_properties_ex},
      {vim_space, "RetrieveProperties", property_collector, true, retrieve_properties},
      {vim_space, "Fetch", {"", ""}, true, fetch},
      {vim_space, "CreateContainerView", view_manager, true, create_container_view},
      {vim_space, "DestroyView", {"ContainerView", ""}, true, destroy_view},
      {vim_space, "FindByUuid", search_index, true, find_nothing},
      {pbm_space, "PbmRetrieveServiceContent", pbm_service_instance, true, pbm_retrieve_service_content},
  };
  return all;
}

/// The request's method and what stands around it.
struct Envelope {
  const XmlElement* header = nullptr;
  const XmlElement* method = nullptr;
  Reference receiver;
};

/// An empty text when it is a SOAP 1.1 request with one method that names its receiver.
std::string read_envelope(const XmlElement& root, Envelope& envelope) {
  if (root.name != "Envelope" || root.space != soap_space) return "The request is no SOAP 1.1 envelope.";
  const XmlElement* body = nullptr;
  for (const auto& each : root.children) {
    if (each.space != soap_space) continue;
    if (each.name == "Header") envelope.header = &each;
    if (each.name == "Body" && body == nullptr) body = &each;
  }
  if (body == nullptr || body->children.size() != 1) return "The request's Body must hold exactly one method.";
  envelope.method = &body->children.front();
  auto receiver = child_reference(*envelope.method, "_this");
  if (!receiver) return "The method names no object in _this.";
  envelope.receiver = std::move(*receiver);
  return {};
}

Response not_allowed(std::string_view allowed) {
  Response response;
  response.status = 405;
  response.headers.add("Allow", std::string(allowed));
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = "Use " + std::string(allowed) + " here.\n";
  return response;
}

}  // namespace

SoapFacade::SoapFacade(service::Services& services)
    : services_(services), views_(std::make_unique<SoapViews>(services.context.identities)) {}

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
  Envelope envelope;
  if (std::string problem = read_envelope(*root, envelope); !problem.empty())
    return no_soap_request(std::move(problem));
  const auto fail = [](const Fault& fault) { return fault_response("ServerFaultCode", fault); };

  const XmlElement& element = *envelope.method;
  const Reference& receiver = envelope.receiver;
  const auto method = std::find_if(methods().begin(), methods().end(), [&](const Method& each) {
    return each.space == method_space && each.space == element.space && each.name == element.name &&
           (each.receiver.type.empty() || each.receiver.type == receiver.type);
  });
  if (method == methods().end()) return fail(method_not_found(receiver, element.name));
  if (!method->receiver.id.empty() && method->receiver.id != receiver.id) return fail(vim::object_not_found(receiver));

  std::optional<Session> session;
  if (method->needs_session) {
    std::string token = session_token(request.headers, envelope.header);
    auto caller = services_.logins.authenticate(token);
    if (!caller && caller.error().kind() == ErrorKind::unauthenticated) return fail(not_authenticated(receiver));
    if (!caller) return fail(system_error(method->name, caller.error()));
    session = Session{std::move(token), std::move(*caller)};
  }

  XmlWriter out = open_envelope();
  out.open(std::string(method->name) + "Response");
  out.attribute("xmlns", method_space);
  Reply reply{out, {}};
  const auto done = method->run({services_, *views_, method->name, element, receiver, std::move(session)}, reply);
  if (!done) return fail(done.error());
  out.close();
  Response response = close_envelope(std::move(out), 200);
  if (!reply.new_token.empty()) {
    response.headers.add("Set-Cookie",
                         std::string(cookie_name) + "=\"" + reply.new_token + "\"; Path=/; HttpOnly; Secure");
  }
  return response;
}

}  // namespace quire::wire
