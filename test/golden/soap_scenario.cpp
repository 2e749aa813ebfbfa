#include "golden/soap_scenario.h"

#include <stdexcept>
#include <string>

namespace quire::golden {
namespace {

/// A call in the shape of Go's encoder: default namespaces, types of abstract elements under an odd prefix.
std::string go_envelope(const std::string& method) {
  return R"(<?xml version="1.0" encoding="UTF-8"?>)"
         "\n"
         R"(<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>)" +
         method + "</Body></Envelope>";
}

/// A call in the shape of pyVmomi's encoder: prefixed envelope.
std::string python_envelope(const std::string& method) {
  return R"(<?xml version="1.0" encoding="UTF-8"?>)"
         "\n"
         R"(<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" )"
         R"(xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">)"
         "<soapenv:Body>" +
         method + "</soapenv:Body></soapenv:Envelope>";
}

std::string go_method(const std::string& name, const std::string& type, const std::string& id,
                      const std::string& arguments = "") {
  return "<" + name + R"( xmlns="urn:vim25"><_this type=")" + type + R"(">)" + id + "</_this>" + arguments + "</" +
         name + ">";
}

std::string python_method(const std::string& name, const std::string& type, const std::string& id,
                          const std::string& arguments = "") {
  return "<" + name + R"( xmlns="urn:vim25"><_this versionId="8.0.3.0" type=")" + type + R"(">)" + id + "</_this>" +
         arguments + "</" + name + ">";
}

std::string retrieve(const std::string& specs) {
  return go_method("RetrievePropertiesEx", "PropertyCollector", "propertyCollector",
                   "<specSet>" + specs + "</specSet><options></options>");
}

std::string properties(const std::string& type, std::initializer_list<std::string> paths) {
  std::string out = "<propSet><type>" + type + "</type>";
  for (const auto& path : paths) out += "<pathSet>" + path + "</pathSet>";
  return out + "</propSet>";
}

std::string object(const std::string& type, const std::string& id, const std::string& selection = "",
                   bool skip = false) {
  return R"(<objectSet><obj type=")" + type + R"(">)" + id + "</obj><skip>" + (skip ? "true" : "false") + "</skip>" +
         selection + "</objectSet>";
}

std::string selection(const std::string& kind, const std::string& content) {
  return R"(<selectSet xmlns:_XMLSchema-instance="http://www.w3.org/2001/XMLSchema-instance" )"
         R"(_XMLSchema-instance:type=")" +
         kind + R"(">)" + content + "</selectSet>";
}

/// The finder's walk to the root.
std::string ancestors_of(const std::string& type, const std::string& id) {
  const auto again = selection("SelectionSpec", "<name>traverseParent</name>");
  return retrieve(
      properties("ManagedEntity", {"name", "parent"}) + properties("VirtualMachine", {"parentVApp"}) +
      object(type, id,
             selection("TraversalSpec",
                       "<name>traverseParent</name><type>ManagedEntity</type><path>parent</path>"
                       "<skip>false</skip>" +
                           again) +
                 selection("TraversalSpec",
                           "<type>VirtualMachine</type><path>parentVApp</path><skip>false</skip>" + again)));
}

/// The finder's listing of a folder.
std::string children_of(const std::string& folder) {
  return retrieve(properties("Folder", {"name", "childType"}) + properties("Datacenter", {"name"}) +
                  properties("Datastore", {"name"}) + properties("VirtualMachine", {"name"}) +
                  object("Folder", folder,
                         selection("TraversalSpec", "<type>Folder</type><path>childEntity</path><skip>false</skip>"),
                         true));
}

std::string text_between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find(begin);
  if (from == std::string::npos) return {};
  const auto at = from + begin.size();
  return text.substr(at, text.find(end, at) - at);
}

class SoapClient {
 public:
  SoapClient(GoldenServer& server, Transcript& transcript) : server_(server), transcript_(transcript) {}

  wire::Response send(std::string_view title, const std::string& body, const std::string& path = "/sdk") {
    wire::Request request{"POST", path, {}, body, {}};
    request.headers.add("Content-Type", "text/xml; charset=\"utf-8\"");
    request.headers.add("SOAPAction", "urn:vim25/9.1.0.0");
    if (!cookie_.empty()) request.headers.add("Cookie", cookie_);
    return exchange(title, request);
  }
  wire::Response go(std::string_view title, const std::string& method, const std::string& path = "/sdk") {
    return send(title, go_envelope(method), path);
  }
  wire::Response python(std::string_view title, const std::string& method) {
    return send(title, python_envelope(method), "/sdk/");
  }
  wire::Response get(std::string_view title, const std::string& target) {
    wire::Request request{"GET", target, {}, "", {}};
    if (!cookie_.empty()) request.headers.add("Cookie", cookie_);
    return exchange(title, request);
  }
  wire::Response exchange(std::string_view title, const wire::Request& request) {
    server_.clock().advance(std::chrono::seconds(1));
    auto response = server_.handle(request);
    transcript_.exchange(title, request, response);
    return response;
  }
  void keep_cookie(const wire::Response& response) {
    const auto cookie = response.headers.find("Set-Cookie").value_or("");
    use_cookie(std::string(cookie.substr(0, cookie.find(';'))));
  }
  void use_cookie(std::string cookie) { cookie_ = std::move(cookie); }
  void forget_cookie() { cookie_.clear(); }
  void section(std::string_view title) { transcript_.heading(title); }

 private:
  GoldenServer& server_;
  Transcript& transcript_;
  std::string cookie_;
};

std::string login(const std::string& password) {
  return go_method(
      "Login", "SessionManager", "SessionManager",
      "<userName>administrator@vsphere.local</userName><password>" + password + "</password><locale>en_US</locale>");
}

/// The new session's token.
std::string greeting(SoapClient& soap) {
  soap.section("Greeting and login");
  soap.exchange("The versions, for pyVmomi", {"GET", "/sdk/vimServiceVersions.xml", {}, "", {}});
  soap.go("RetrieveServiceContent", go_method("RetrieveServiceContent", "ServiceInstance", "ServiceInstance"));
  soap.python("RetrieveServiceContent as pyVmomi asks",
              python_method("RetrieveServiceContent", "ServiceInstance", "ServiceInstance"));
  soap.go("Login with a wrong password", login("wrong"));
  soap.go("LoginByToken", go_method("LoginByToken", "SessionManager", "SessionManager"));
  soap.go("No session",
          retrieve(properties("SessionManager", {"currentSession"}) + object("SessionManager", "SessionManager")));
  const auto answer = soap.go("Login", login("secret"));
  soap.keep_cookie(answer);
  soap.go("Current session",
          retrieve(properties("SessionManager", {"currentSession"}) + object("SessionManager", "SessionManager")));
  soap.go("CurrentTime", go_method("CurrentTime", "ServiceInstance", "ServiceInstance"));
  const auto key = text_between(answer.body, "<key>", "</key>");
  soap.go("SessionIsActive", go_method("SessionIsActive", "SessionManager", "SessionManager",
                                       "<sessionID>" + key +
                                           "</sessionID>"
                                           "<userName>administrator@vsphere.local</userName>"));
  return key;
}

void finder(SoapClient& soap) {
  soap.section("The finder of govc and terraform");
  soap.go("Ancestors of the root", ancestors_of("Folder", "group-d1"));
  soap.go("Children of the root", children_of("group-d1"));
  soap.go("Folders of the datacenter",
          retrieve(properties("Datacenter", {"name", "vmFolder", "hostFolder", "datastoreFolder", "networkFolder"}) +
                   object("Datacenter", "datacenter-2")));
  soap.go("Ancestors of the datastore folder", ancestors_of("Folder", "group-s5"));
  soap.go("Children of the datastore folder", children_of("group-s5"));
  soap.go("Children of the machine folder", children_of("group-v3"));
  soap.go("Ancestors of a datastore", ancestors_of("Datastore", "datastore-11"));
}

void reading(SoapClient& soap) {
  soap.section("Properties");
  soap.go("A datastore whole",
          retrieve("<propSet><type>Datastore</type><all>true</all></propSet>" + object("Datastore", "datastore-11")));
  soap.go(
      "RetrieveProperties of old clients",
      go_method("RetrieveProperties", "PropertyCollector", "propertyCollector",
                "<specSet>" + properties("Datastore", {"summary.url", "capability.topLevelDirectoryCreateSupported"}) +
                    object("Datastore", "datastore-12") + "</specSet>"));
  const auto fetch = [&](const std::string& type, const std::string& id, const std::string& property) {
    soap.python("Fetch " + type + "." + property, python_method("Fetch", type, id, "<prop>" + property + "</prop>"));
  };
  fetch("Folder", "group-d1", "name");
  fetch("Folder", "group-d1", "childEntity");
  fetch("Folder", "group-d1", "childType");
  fetch("Folder", "group-d1", "parent");
  fetch("Folder", "group-v3", "childEntity");
  fetch("Datacenter", "datacenter-2", "datastoreFolder");
  fetch("Datastore", "datastore-11", "summary");
  fetch("Datastore", "datastore-11", "summary.capacity");
  fetch("ServiceInstance", "ServiceInstance", "content");
  fetch("SessionManager", "SessionManager", "currentSession");
}

/// A library with an item and a file, as paths on its datastore: `contentlib-<library>` and `…/<item>`.
struct StoredItem {
  std::string library;
  std::string item;
};
StoredItem store_item(GoldenServer& server) {
  auto& services = server.services();
  const content::Caller caller{"administrator@vsphere.local", content::LoginId("login"), content::Grants::everything()};
  service::LibrarySpec library_spec;
  library_spec.name = "browsed";
  const auto library = *services.libraries.create_local(caller, library_spec, std::nullopt);
  service::ItemSpec item_spec;
  item_spec.library_id = library.text();
  item_spec.name = "boot";
  const auto item = *services.items.create(caller, item_spec, std::nullopt);
  const auto session = *services.update_sessions.create(caller, item.text(), {}, {});
  service::AddFileSpec file;
  file.name = "disks/boot.iso";
  const auto entry = *services.update_sessions.add_file(caller, session, file);
  server.upload(std::string(GoldenServer::base_url) + "/cls/data/" + entry.upload_token.text() + "/disks/boot.iso",
                "bytes");
  if (!services.update_sessions.complete(caller, session)) throw std::runtime_error("the item has no content");
  return {"contentlib-" + library.text(), "contentlib-" + library.text() + "/" + item.text()};
}

/// `govc datastore.ls` and `datastore.download` (wire-protocols.md §4.8).
void browsing(SoapClient& soap, const StoredItem& stored) {
  soap.section("Datastores as folders and files");
  const auto search = [&](std::string_view title, const std::string& path, const std::string& pattern,
                          const std::string& method = "SearchDatastore_Task") {
    const auto answer = soap.go(
        title, go_method(method, "HostDatastoreBrowser", "datastoreBrowser-datastore-11",
                         "<datastorePath>" + path +
                             "</datastorePath><searchSpec><details><fileType>true</fileType>"
                             "<fileSize>true</fileSize><modification>true</modification><fileOwner>false</fileOwner>"
                             "</details>" +
                             pattern + "</searchSpec>"));
    return text_between(answer.body, R"(<returnval type="Task">)", "</returnval>");
  };
  /// As govmomi waits: with a collector of its own.
  const auto wait = [&](const std::string& task) {
    const auto made = soap.go("CreatePropertyCollector",
                              go_method("CreatePropertyCollector", "PropertyCollector", "propertyCollector"));
    const auto collector = text_between(made.body, R"(<returnval type="PropertyCollector">)", "</returnval>");
    const auto filtered =
        soap.go("CreateFilter", go_method("CreateFilter", "PropertyCollector", collector,
                                          "<spec>" + properties("Task", {"info"}) + object("Task", task) +
                                              "</spec><partialUpdates>false</partialUpdates>"));
    const auto filter = text_between(filtered.body, R"(<returnval type="PropertyFilter">)", "</returnval>");
    const auto updates = [&](std::string_view title, const std::string& version) {
      soap.go(title, go_method("WaitForUpdatesEx", "PropertyCollector", collector,
                               "<version>" + version + "</version><options></options>"));
    };
    updates("WaitForUpdatesEx", "");
    updates("WaitForUpdatesEx: nothing more comes", "1");
    soap.go("DestroyPropertyFilter", go_method("DestroyPropertyFilter", "PropertyFilter", filter));
    soap.go("DestroyPropertyCollector", go_method("DestroyPropertyCollector", "PropertyCollector", collector));
    updates("WaitForUpdatesEx: the collector is gone", "");
  };
  const auto fetch = [&](const std::string& task) {
    soap.python("Fetch Task.info", python_method("Fetch", "Task", task, "<prop>info</prop>"));
  };
  wait(search("The root", "[LocalDS_1]", ""));
  fetch(search("A library", "[LocalDS_1] " + stored.library, "<matchPattern>*</matchPattern>"));
  fetch(search("A folder of an item", "[LocalDS_1] " + stored.item + "/disks", "<matchPattern>*.iso</matchPattern>"));
  fetch(search("Nothing matches", "[LocalDS_1] " + stored.item + "/disks", "<matchPattern>*.vmdk</matchPattern>"));
  fetch(search("With all below", "[LocalDS_1] " + stored.library, "", "SearchDatastoreSubFolders_Task"));
  fetch(search("No such folder", "[LocalDS_1] nowhere", ""));
  fetch(search("Another datastore than the browser's", "[LocalDS_2]", ""));
  search("No path", "nowhere", "");
  soap.go("No such browser", go_method("SearchDatastore_Task", "HostDatastoreBrowser", "datastoreBrowser-datastore-99",
                                       "<datastorePath>[LocalDS_1]</datastorePath>"));
  soap.get("A file", "/folder/" + stored.item + "/disks/boot.iso?dcPath=%2FDC0&dsName=LocalDS_1");
  soap.get("No such file", "/folder/" + stored.item + "/disks/other.iso?dcPath=%2FDC0&dsName=LocalDS_1");
  soap.get("No such datastore", "/folder/" + stored.item + "/disks/boot.iso?dcPath=%2FDC0&dsName=nowhere");
  soap.exchange("Files cannot be written", {"PUT", "/folder/x?dsName=LocalDS_1", {}, "", {}});
  soap.exchange("A file, without a login", {"GET", "/folder/x?dsName=LocalDS_1", {}, "", {}});
}

void views(SoapClient& soap) {
  soap.section("Views");
  const auto create = [](const std::string& type) {
    return python_method("CreateContainerView", "ViewManager", "ViewManager",
                         R"(<container versionId="8.0.3.0" type="Folder">group-d1</container><type>)" + type +
                             "</type><recursive>true</recursive>");
  };
  const auto made = soap.python("CreateContainerView", create("Datastore"));
  const auto view = text_between(made.body, R"(<returnval type="ContainerView">)", "<");
  soap.python("Fetch ContainerView.view", python_method("Fetch", "ContainerView", view, "<prop>view</prop>"));
  soap.go("The properties of what a view shows",
          retrieve(properties("Datastore", {"name"}) +
                   object("ContainerView", view,
                          selection("TraversalSpec", "<type>ContainerView</type><path>view</path>"), true)));
  soap.python("DestroyView", python_method("DestroyView", "ContainerView", view));
  soap.python("DestroyView again", python_method("DestroyView", "ContainerView", view));
  soap.python("A view without machines", create("VirtualMachine"));
  soap.python("A view without a container", python_method("CreateContainerView", "ViewManager", "ViewManager"));
  soap.go("FindByUuid", go_method("FindByUuid", "SearchIndex", "SearchIndex",
                                  "<uuid>1</uuid><vmSearch>true</vmSearch><instanceUuid>false</instanceUuid>"));
}

void authorization(SoapClient& soap) {
  soap.section("Roles and permissions");
  const auto call = [&](const std::string& title, const std::string& name, const std::string& arguments) {
    return soap.go(title, go_method(name, "AuthorizationManager", "AuthorizationManager", arguments));
  };
  const std::string root = R"(<entity type="Folder">group-d1</entity>)";
  const std::string datastore = R"(<entity type="Datastore">datastore-11</entity>)";
  const auto permission = [](const std::string& who, const std::string& role) {
    return "<permission><principal>" + who + "</principal><group>false</group><roleId>" + role +
           "</roleId><propagate>true</propagate></permission>";
  };
  const std::string somebody = "somebody@vsphere.local";
  soap.go("Roles", retrieve(properties("AuthorizationManager", {"roleList"}) +
                            object("AuthorizationManager", "AuthorizationManager")));
  const auto role = text_between(call("AddAuthorizationRole", "AddAuthorizationRole",
                                      "<name>Viewer</name><privIds>ContentLibrary.DownloadSession</privIds>")
                                     .body,
                                 "<returnval>", "<");
  call("A name taken", "AddAuthorizationRole", "<name>viewer</name>");
  call("No privilege", "AddAuthorizationRole", "<name>x</name><privIds>VirtualMachine.Interact.PowerOn</privIds>");
  const auto number = "<roleId>" + role + "</roleId>";
  call("UpdateAuthorizationRole", "UpdateAuthorizationRole",
       number + "<newName>Downloader</newName><privIds>ContentLibrary.DownloadSession</privIds>");
  call("A role of the system", "UpdateAuthorizationRole", "<roleId>-1</roleId><newName>x</newName>");
  call("SetEntityPermissions", "SetEntityPermissions", root + permission(somebody, role));
  call("Nobody of that name", "SetEntityPermissions", root + permission("nobody", role));
  call("No such role", "SetEntityPermissions", root + permission(somebody, "12345"));
  call("Below the root", "SetEntityPermissions", datastore + permission(somebody, role));
  call("Not there", "SetEntityPermissions", R"(<entity type="Folder">group-d9</entity>)" + permission(somebody, role));
  call("The last administrator", "SetEntityPermissions", root + permission("administrator@vsphere.local", "-2"));
  call("RetrieveEntityPermissions", "RetrieveEntityPermissions", root + "<inherited>false</inherited>");
  call("Of a datastore itself", "RetrieveEntityPermissions", datastore + "<inherited>false</inherited>");
  call("Of a datastore, inherited", "RetrieveEntityPermissions", datastore + "<inherited>true</inherited>");
  call("RetrieveRolePermissions", "RetrieveRolePermissions", number);
  call("RetrieveAllPermissions", "RetrieveAllPermissions", "");
  call("A role in use", "RemoveAuthorizationRole", number + "<failIfUsed>true</failIfUsed>");
  call("RemoveEntityPermission", "RemoveEntityPermission",
       root + "<user>" + somebody + "</user><isGroup>false</isGroup>");
  call("There is none", "RemoveEntityPermission", root + "<user>" + somebody + "</user><isGroup>false</isGroup>");
  call("RemoveAuthorizationRole", "RemoveAuthorizationRole", number + "<failIfUsed>true</failIfUsed>");
  call("It is gone", "RemoveAuthorizationRole", number + "<failIfUsed>true</failIfUsed>");
}

void faults(SoapClient& soap) {
  soap.section("Faults");
  soap.go("Unknown object", retrieve(properties("Datastore", {"name"}) + object("Datastore", "datastore-99")));
  soap.go("Unknown property", retrieve(properties("Datastore", {"sumary"}) + object("Datastore", "datastore-11")));
  soap.go("A filter without an object", retrieve(properties("Datastore", {"name"}) + "<objectSet></objectSet>"));
  soap.go("Unknown token",
          go_method("ContinueRetrievePropertiesEx", "PropertyCollector", "propertyCollector", "<token>1</token>"));
  soap.go("Unknown method", go_method("PowerOnVM_Task", "VirtualMachine", "vm-1"));
  soap.send("No SOAP", "{}");
  soap.send("No method", go_envelope(""));
  soap.exchange("Another HTTP method", {"GET", "/sdk", {}, "", {}});
}

/// One table of sessions behind all wires (wire-protocols.md §3.6).
void other_wires(SoapClient& soap, const std::string& token) {
  soap.section("The session on the other wires");
  wire::Request by_header{"GET", "/api/session", {}, "", {}};
  by_header.headers.add("vmware-api-session-id", token);
  soap.exchange("New REST, token as header", by_header);
  wire::Request by_cookie{"POST", "/rest/com/vmware/cis/session?~action=get", {}, "", {}};
  by_cookie.headers.add("Cookie", "vmware_soap_session=\"" + token + "\"");
  soap.exchange("Legacy REST, the SOAP cookie", by_cookie);
}

void policies(SoapClient& soap, const std::string& token) {
  soap.section("The storage policy service, and the end");
  const std::string method =
      R"(<PbmRetrieveServiceContent xmlns="urn:pbm"><_this type="PbmServiceInstance">ServiceInstance</_this>)"
      "</PbmRetrieveServiceContent>";
  soap.go("PbmRetrieveServiceContent", method, "/pbm");
  soap.forget_cookie();
  soap.send("PbmRetrieveServiceContent with the session in the SOAP header",
            R"(<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Header><vcSessionCookie>)" + token +
                "</vcSessionCookie></Header><Body>" + method + "</Body></Envelope>",
            "/pbm");
  soap.use_cookie("vmware_soap_session=" + token);
  soap.go("A method that /pbm does not have", go_method("RetrieveServiceContent", "ServiceInstance", "ServiceInstance"),
          "/pbm");
  soap.go("Logout", go_method("Logout", "SessionManager", "SessionManager"));
  soap.go("After the end", go_method("CurrentTime", "ServiceInstance", "ServiceInstance"));
  soap.go("PbmRetrieveServiceContent after the end", method, "/pbm");
}

}  // namespace

void walk_through_soap(GoldenServer& server, Transcript& transcript) {
  SoapClient soap(server, transcript);
  const auto token = greeting(soap);
  finder(soap);
  reading(soap);
  views(soap);
  browsing(soap, store_item(server));
  authorization(soap);
  faults(soap);
  other_wires(soap, token);
  policies(soap, token);
}

}  // namespace quire::golden
