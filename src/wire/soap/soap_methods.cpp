#include "wire/soap/soap_methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/log.h"
#include "service/inventory.h"
#include "wire/soap/datastore_browser.h"
#include "wire/soap/soap_authorization.h"
#include "wire/soap/soap_values.h"
#include "wire/soap/vim_inventory_collector.h"

namespace quire::wire {
namespace {

using base::ErrorKind;
using vim::Answer;
using vim::DataObject;
using vim::Fault;
using vim::Reference;

const Reference service_instance{"ServiceInstance", "ServiceInstance"};
const Reference session_manager{"SessionManager", "SessionManager"};
const Reference property_collector{"PropertyCollector", "propertyCollector"};
const Reference view_manager{"ViewManager", "ViewManager"};
const Reference search_index{"SearchIndex", "SearchIndex"};
const Reference pbm_service_instance{"PbmServiceInstance", "ServiceInstance"};

Fault invalid_login(std::string text) { return {"InvalidLogin", std::move(text), {}}; }

/// wire-protocols.md §4.3. Terraform demands three numbers in `version`, an integer in `build` and exactly this name
/// and apiType.
DataObject about(const service::Services& services) {
  return {"AboutInfo",
          {{"name", std::string(service::product_name)},
           {"fullName",
            fmt::format("{} {} build-{}", service::product_name, service::product_version, service::product_build)},
           {"vendor", std::string("VMware, Inc.")},
           {"version", std::string(service::product_version)},
           {"build", std::string(service::product_build)},
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
           {"authorizationManager", authorization_manager},
           {"searchIndex", search_index}}};
}

Answer<DataObject> user_session(const SoapCall& call, const SoapSession& session) {
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

/// The tree, the singletons and the caller's own views. What has to be looked up is there only for those who may ask
/// for it: the current session, because that records a use, and the roles. `asked`: whether an object may be asked for.
template <class F>
Answer<vim::Inventory> inventory_for(const SoapCall& call, F asked) {
  vim::Inventory inventory(vim::datastores(call.services.storages));
  inventory.add({service_instance, {{"content", service_content(call.services)}}});
  vim::ManagedObject sessions{session_manager, {}};
  if (asked(session_manager)) {
    auto current = user_session(call, *call.session);
    if (!current) return tl::unexpected(current.error());
    sessions.properties.push_back({"currentSession", std::move(*current)});
  }
  inventory.add(std::move(sessions));
  if (asked(authorization_manager)) {
    auto authorization = authorization_manager_object(call);
    if (!authorization) return tl::unexpected(authorization.error());
    inventory.add(std::move(*authorization));
  }
  inventory.add({property_collector, {}});
  inventory.add({view_manager, {}});
  inventory.add({search_index, {}});
  for (auto& view : call.views.of(call.session->caller.login)) inventory.add(std::move(view));
  return inventory;
}

bool asks_for_none(const Reference&) { return false; }

Answer<void> retrieve_service_content(const SoapCall& call, SoapReply& reply) {
  write_field(reply.out, "returnval", service_content(call.services));
  return {};
}

Answer<void> current_time(const SoapCall& call, SoapReply& reply) {
  write_field(reply.out, "returnval", call.services.clock.now());
  return {};
}

Answer<void> log_in(const SoapCall& call, SoapReply& reply) {
  // The text as sent: a password may begin or end with white space.
  const XmlElement absent;
  const XmlElement* user = call.arguments.child("userName");
  const XmlElement* password = call.arguments.child("password");
  auto token = call.services.logins.log_in((user == nullptr ? absent : *user).text,
                                           (password == nullptr ? absent : *password).text, call.origin);
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

Answer<void> log_in_by_token(const SoapCall&, SoapReply&) {
  return tl::unexpected(invalid_login("This server has no single sign-on. Log in with user name and password."));
}

Answer<void> log_out(const SoapCall& call, SoapReply&) {
  const content::Caller& caller = call.session->caller;
  if (const auto ended = call.services.logins.log_out(caller); !ended) {
    return tl::unexpected(system_error(call.method, ended.error()));
  }
  call.views.remove_all(caller.login);
  return {};
}

/// Whoever knows a session's key may ask about it; a wrong key is a session that is not active.
Answer<void> session_is_active(const SoapCall& call, SoapReply& reply) {
  const auto caller = call.services.logins.authenticate(child_text(call.arguments, "sessionID"));
  if (!caller && caller.error().kind() != ErrorKind::unauthenticated) {
    return tl::unexpected(system_error(call.method, caller.error()));
  }
  const std::string user = base::to_lower(child_text(call.arguments, "userName"));
  write_field(reply.out, "returnval", caller && base::to_lower(caller->user) == user);
  return {};
}

Answer<std::vector<vim::ObjectContent>> retrieved(const SoapCall& call) {
  const auto specs = read_filter_specs(call.arguments);
  if (!specs) return tl::unexpected(specs.error());
  // No property refers to them, so only a start can be one.
  const auto starts_at = [&](const Reference& object) {
    return std::any_of(specs->begin(), specs->end(), [&](const vim::FilterSpec& spec) {
      return std::any_of(spec.objects.begin(), spec.objects.end(),
                         [&](const vim::ObjectSpec& each) { return each.object.id == object.id; });
    });
  };
  const auto inventory = inventory_for(call, starts_at);
  if (!inventory) return tl::unexpected(inventory.error());
  return vim::retrieve(*inventory, *specs);
}

/// Returns everything at once whatever `maxObjects` says; so there is never a token to continue from (§4.5).
Answer<void> retrieve_properties_ex(const SoapCall& call, SoapReply& reply) {
  const auto contents = retrieved(call);
  if (!contents) return tl::unexpected(contents.error());
  if (contents->empty()) return {};
  reply.out.open("returnval");
  for (const auto& each : *contents) write_object_content(reply.out, "objects", each);
  reply.out.close();
  return {};
}

Answer<void> retrieve_properties(const SoapCall& call, SoapReply& reply) {
  const auto contents = retrieved(call);
  if (!contents) return tl::unexpected(contents.error());
  for (const auto& each : *contents) write_object_content(reply.out, "returnval", each);
  return {};
}

Answer<void> continue_retrieve_properties_ex(const SoapCall&, SoapReply&) {
  return tl::unexpected(vim::invalid_argument("token", "This server gave out no such token."));
}

/// An unset property is an empty response (§5.4).
Answer<void> fetch(const SoapCall& call, SoapReply& reply) {
  const auto inventory = inventory_for(call, [&](const Reference& object) { return call.receiver.id == object.id; });
  if (!inventory) return tl::unexpected(inventory.error());
  const vim::ManagedObject* object = inventory->find(call.receiver);
  if (object == nullptr) return tl::unexpected(vim::object_not_found(call.receiver));
  const auto value = vim::property(*object, child_text(call.arguments, "prop"));
  if (!value) return tl::unexpected(value.error());
  if (*value != nullptr) write_typed(reply.out, "returnval", **value);
  return {};
}

Answer<void> create_container_view(const SoapCall& call, SoapReply& reply) {
  const auto container = child_reference(call.arguments, "container");
  if (!container) return tl::unexpected(vim::invalid_argument("container", "A view needs a container."));
  const auto inventory = inventory_for(call, asks_for_none);
  if (!inventory) return tl::unexpected(inventory.error());
  const bool recursive = is_true(call.arguments.child("recursive"));
  auto shown = vim::contained_in(*inventory, *container, child_texts(call.arguments, "type"), recursive);
  if (!shown) return tl::unexpected(shown.error());
  const Reference view = call.views.create(call.session->caller.login, *container, recursive, std::move(*shown));
  write_reference(reply.out, "returnval", view);
  return {};
}

Answer<void> search(const SoapCall& call, SoapReply& reply, bool with_folders_below) {
  const auto inventory = inventory_for(call, asks_for_none);
  if (!inventory) return tl::unexpected(inventory.error());
  if (inventory->find(call.receiver) == nullptr) return tl::unexpected(vim::object_not_found(call.receiver));
  std::optional<Fault> refused;
  const auto task =
      call.views.keep(call.session->caller.login, "Task", [&](const Reference& reference) -> std::vector<vim::Field> {
        auto info = search_datastore(call, reference, with_folders_below);
        if (info) return {{"info", *std::move(info)}};
        refused = info.error();
        return {};
      });
  if (refused) {
    call.views.remove(call.session->caller.login, task);
    return tl::unexpected(*refused);
  }
  write_reference(reply.out, "returnval", task);
  return {};
}
Answer<void> search_folder(const SoapCall& call, SoapReply& reply) { return search(call, reply, false); }
Answer<void> search_folders(const SoapCall& call, SoapReply& reply) { return search(call, reply, true); }

/// The session's own collector, or one that it has made.
Answer<void> check_collector(const SoapCall& call) {
  if (call.receiver == property_collector) return {};
  for (const auto& each : call.views.of(call.session->caller.login))
    if (each.reference == call.receiver) return {};
  return tl::unexpected(vim::object_not_found(call.receiver));
}

Answer<void> create_property_collector(const SoapCall& call, SoapReply& reply) {
  if (auto known = check_collector(call); !known) return known;
  write_reference(reply.out, "returnval",
                  call.views.keep(call.session->caller.login, "PropertyCollector",
                                  [](const Reference&) { return std::vector<vim::Field>(); }));
  return {};
}

Answer<void> destroy_object(const SoapCall& call, SoapReply&) {
  if (!call.views.remove(call.session->caller.login, call.receiver))
    return tl::unexpected(vim::object_not_found(call.receiver));
  return {};
}

Answer<void> create_filter(const SoapCall& call, SoapReply& reply) {
  if (auto known = check_collector(call); !known) return known;
  auto specs = read_filter_specs(call.arguments, "spec");
  if (!specs) return tl::unexpected(specs.error());
  if (specs->empty()) return tl::unexpected(vim::invalid_argument("spec", "A filter needs a spec."));
  const auto inventory = inventory_for(call, asks_for_none);
  if (!inventory) return tl::unexpected(inventory.error());
  if (const auto contents = vim::retrieve(*inventory, *specs); !contents) return tl::unexpected(contents.error());
  write_reference(reply.out, "returnval",
                  call.views.keep_filter(call.session->caller.login, call.receiver, std::move(specs->front())));
  return {};
}

/// Everything that a filter is for has happened when it is made, so its first wait reports it all, and later ones
/// nothing: they end at once, as if they had waited (§4.8).
Answer<void> wait_for_updates(const SoapCall& call, SoapReply& reply) {
  if (auto known = check_collector(call); !known) return known;
  const auto filters = call.views.take_new_filters(call.session->caller.login, call.receiver);
  if (filters.empty()) return {};
  const auto inventory = inventory_for(call, asks_for_none);
  if (!inventory) return tl::unexpected(inventory.error());
  auto& out = reply.out;
  const std::string version = child_text(call.arguments, "version");
  out.open("returnval");
  out.leaf("version", version + "1");
  for (const auto& [filter, spec] : filters) {
    const auto contents = vim::retrieve(*inventory, {spec});
    if (!contents) return tl::unexpected(contents.error());
    out.open("filterSet");
    write_reference(out, "filter", filter);
    for (const auto& content : *contents) {
      out.open("objectSet");
      out.leaf("kind", "enter");
      write_reference(out, "obj", content.object);
      for (const auto& property : content.properties) {
        out.open("changeSet");
        out.leaf("name", property.name);
        out.leaf("op", "assign");
        write_typed(out, "val", property.value);
        out.close();
      }
      out.close();
    }
    out.close();
  }
  out.close();
  return {};
}

Answer<void> do_nothing(const SoapCall&, SoapReply&) { return {}; }

Answer<void> find_nothing(const SoapCall&, SoapReply&) { return {}; }

/// §4.7: all that terraform asks of the storage policy service.
Answer<void> pbm_retrieve_service_content(const SoapCall& call, SoapReply& reply) {
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

}  // namespace

const std::vector<SoapMethod>& soap_methods() {
  static const std::vector<SoapMethod> own{
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
      {vim_space, "DestroyView", {"ContainerView", ""}, true, destroy_object},
      {vim_space, "SearchDatastore_Task", {"HostDatastoreBrowser", ""}, true, search_folder},
      {vim_space, "SearchDatastoreSubFolders_Task", {"HostDatastoreBrowser", ""}, true, search_folders},
      {vim_space, "CreatePropertyCollector", {"PropertyCollector", ""}, true, create_property_collector},
      {vim_space, "DestroyPropertyCollector", {"PropertyCollector", ""}, true, destroy_object},
      {vim_space, "CreateFilter", {"PropertyCollector", ""}, true, create_filter},
      {vim_space, "DestroyPropertyFilter", {"PropertyFilter", ""}, true, destroy_object},
      {vim_space, "WaitForUpdatesEx", {"PropertyCollector", ""}, true, wait_for_updates},
      {vim_space, "WaitForUpdates", {"PropertyCollector", ""}, true, wait_for_updates},
      {vim_space, "CheckForUpdates", {"PropertyCollector", ""}, true, wait_for_updates},
      {vim_space, "CancelWaitForUpdates", {"PropertyCollector", ""}, true, do_nothing},
      {vim_space, "FindByUuid", search_index, true, find_nothing},
      {pbm_space, "PbmRetrieveServiceContent", pbm_service_instance, true, pbm_retrieve_service_content},
  };
  static const std::vector<SoapMethod> all = [] {
    auto methods = own;
    methods.insert(methods.end(), authorization_methods().begin(), authorization_methods().end());
    return methods;
  }();
  return all;
}

void record_if_refused(const SoapCall& call, const base::Error& error) {
  if (call.session) call.services.audit.record_if_refused(call.session->caller, error);
}

Fault not_authenticated(const Reference& receiver) {
  return {"NotAuthenticated",
          "The session is not authenticated. Log in and try again.",
          {{"object", receiver}, {"privilegeId", std::string("System.View")}}};
}

Fault system_error(std::string_view method, const base::Error& error) {
  const auto level = error.kind() == ErrorKind::internal_server_error ? spdlog::level::err : spdlog::level::warn;
  spdlog::log(level, "SOAP {} failed: {} ({})", method, error.text(), error.cause());
  return {"SystemError", error.text(), {{"reason", error.text()}}};
}

}  // namespace quire::wire
