#include "wire/soap/soap_facade.h"

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/mutation.h"
#include "support/seed.h"
#include "wire/soap/soap_fixture.h"
#include "wire/soap/soap_xml.h"

namespace quire::wire {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view first_token = "00000000000000000000000000000002";  // the first secret is Logins' own key

/// A call in the shape of Go's encoder: default namespaces, types of abstract elements under an odd prefix.
std::string go_envelope(std::string_view method) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Header><operationID "
         "xmlns=\"urn:vim25\">1</operationID>"
         "</Header><Body>" +
         std::string(method) + "</Body></Envelope>";
}

/// A call in the shape of pyVmomi's encoder: prefixed envelope, versionId on everything.
std::string python_envelope(std::string_view method) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope "
         "xmlns:soapenc=\"http://schemas.xmlsoap.org/soap/encoding/\" "
         "xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "
         "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n<soapenv:Body>" +
         std::string(method) + "</soapenv:Body>\n</soapenv:Envelope>";
}

std::string answer(std::string_view content) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" "
         "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
         "<soapenv:Body>" +
         std::string(content) + "</soapenv:Body></soapenv:Envelope>";
}

std::string fault(std::string_view text, std::string_view detail) {
  return answer("<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>" + std::string(text) +
                "</faultstring><detail>" + std::string(detail) + "</detail></soapenv:Fault>");
}

constexpr std::string_view login_method =
    "<Login xmlns=\"urn:vim25\"><_this type=\"SessionManager\">SessionManager</_this>"
    "<userName>admin@cls.local</userName><password>s3cret</password><locale>en_US</locale></Login>";

constexpr std::string_view current_session_method =
    "<RetrievePropertiesEx xmlns=\"urn:vim25\"><_this type=\"PropertyCollector\">propertyCollector</_this><specSet>"
    "<propSet><type>SessionManager</type><pathSet>currentSession</pathSet></propSet>"
    "<objectSet><obj type=\"SessionManager\">SessionManager</obj><skip>false</skip></objectSet></specSet>"
    "<options></options></RetrievePropertiesEx>";

/// The finder's walk to the root, from any object.
std::string ancestors_method(std::string_view object) {
  constexpr std::string_view xsi = "xmlns:_XMLSchema-instance=\"http://www.w3.org/2001/XMLSchema-instance\"";
  const std::string by_name = "<selectSet " + std::string(xsi) +
                              " _XMLSchema-instance:type=\"SelectionSpec\"><name>traverseParent</name></selectSet>";
  return "<RetrievePropertiesEx xmlns=\"urn:vim25\"><_this "
         "type=\"PropertyCollector\">propertyCollector</_this><specSet>"
         "<propSet><type>ManagedEntity</type><pathSet>name</pathSet><pathSet>parent</pathSet></propSet>"
         "<propSet><type>VirtualMachine</type><pathSet>parentVApp</pathSet></propSet>"
         "<objectSet>" +
         std::string(object) + "<skip>false</skip><selectSet " + std::string(xsi) +
         " _XMLSchema-instance:type=\"TraversalSpec\"><name>traverseParent</name><type>ManagedEntity</type>"
         "<path>parent</path><skip>false</skip>" +
         by_name + "</selectSet><selectSet " + std::string(xsi) +
         " _XMLSchema-instance:type=\"TraversalSpec\"><type>VirtualMachine</type><path>parentVApp</path>"
         "<skip>false</skip>" +
         by_name + "</selectSet></objectSet></specSet><options></options></RetrievePropertiesEx>";
}

/// The finder's listing of a folder.
std::string children_method(std::string_view folder) {
  std::string properties;
  for (const auto* type : {"VirtualApp", "VirtualMachine", "Network", "Datastore", "DistributedVirtualSwitch"}) {
    properties += "<propSet><type>" + std::string(type) + "</type><pathSet>name</pathSet></propSet>";
  }
  for (const auto* type : {"ComputeResource", "ClusterComputeResource"}) {
    properties += "<propSet><type>" + std::string(type) +
                  "</type><pathSet>name</pathSet><pathSet>resourcePool</pathSet></propSet>";
  }
  return "<RetrievePropertiesEx xmlns=\"urn:vim25\"><_this "
         "type=\"PropertyCollector\">propertyCollector</_this><specSet>"
         "<propSet><type>Folder</type><pathSet>name</pathSet><pathSet>childType</pathSet></propSet>"
         "<propSet><type>Datacenter</type><pathSet>name</pathSet></propSet>" +
         properties + "<objectSet><obj type=\"Folder\">" + std::string(folder) +
         "</obj><skip>true</skip>"
         "<selectSet xmlns:_XMLSchema-instance=\"http://www.w3.org/2001/XMLSchema-instance\" "
         "_XMLSchema-instance:type=\"TraversalSpec\"><type>Folder</type><path>childEntity</path><skip>false</skip>"
         "</selectSet></objectSet></specSet><options></options></RetrievePropertiesEx>";
}

std::string retrieved(std::string_view objects) {
  return answer("<RetrievePropertiesExResponse xmlns=\"urn:vim25\"><returnval>" + std::string(objects) +
                "</returnval></RetrievePropertiesExResponse>");
}

std::string name_property(std::string_view name) {
  return "<propSet><name>name</name><val xsi:type=\"xsd:string\">" + std::string(name) + "</val></propSet>";
}

std::string parent_property(std::string_view type, std::string_view id) {
  return "<propSet><name>parent</name><val type=\"" + std::string(type) + "\" xsi:type=\"ManagedObjectReference\">" +
         std::string(id) + "</val></propSet>";
}

class SoapFacadeTest : public testing::Test {
 protected:
  Response post(std::string body, std::string_view cookie = "", std::string target = "/sdk") const {
    Request request{"POST", std::move(target), {}, std::move(body), "https://127.0.0.1:8443"};
    request.headers.add("Content-Type", "text/xml; charset=\"utf-8\"");
    request.headers.add("Soapaction", "urn:vim25/9.1.0.0");
    if (!cookie.empty()) request.headers.add("Cookie", std::string(cookie));
    return facade.handle(request);
  }

  /// A call in Go's shape, logged in.
  std::string call(std::string_view method) { return post(go_envelope(method), cookie()).body; }

  const std::string& cookie() {
    if (cookie_.empty()) cookie_ = log_in();
    return cookie_;
  }

  std::string log_in() const {
    const Response response = post(go_envelope(login_method));
    EXPECT_EQ(response.status, 200) << response.body;
    const auto set = response.headers.find("Set-Cookie");
    EXPECT_TRUE(set);
    return std::string(set->substr(0, set->find(';')));
  }

  std::string fetch(std::string_view type, std::string_view id, std::string_view property) {
    return call("<Fetch xmlns=\"urn:vim25\"><_this type=\"" + std::string(type) + "\">" + std::string(id) +
                "</_this><prop>" + std::string(property) + "</prop></Fetch>");
  }

  SoapWorld world;
  SoapFacade facade{world.services};

 private:
  std::string cookie_;
};

std::string fetched(std::string_view returnval) {
  return answer("<FetchResponse xmlns=\"urn:vim25\">" + std::string(returnval) + "</FetchResponse>");
}

// --- HTTP ---

TEST_F(SoapFacadeTest, OwnsItsPaths) {
  for (const auto* path : {"/sdk", "/sdk/", "/sdk/vimServiceVersions.xml", "/pbm", "/pbm/sdk"}) {
    EXPECT_TRUE(SoapFacade::owns(path)) << path;
  }
  for (const auto* path : {"", "/", "/sd", "/sdk2", "/sdk/vimService.wsdl", "/SDK", "/pbm/", "/api"}) {
    EXPECT_FALSE(SoapFacade::owns(path)) << path;
  }
}

TEST_F(SoapFacadeTest, VersionsFileHasOldAndNew) {
  const Response response = facade.handle({"GET", "/sdk/vimServiceVersions.xml?x=1", {}, "", ""});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.find("content-type"), "text/xml; charset=utf-8");
  const auto root = read_xml(response.body);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "namespaces");
  EXPECT_EQ(root->attribute("version"), "1.0");
  EXPECT_EQ(root->child("namespace")->child("name")->text, "urn:vim25");
  EXPECT_EQ(root->child("namespace")->child("version")->text, "8.0.3.0");
  EXPECT_THAT(response.body, AllOf(HasSubstr("<version>6.7</version>"), HasSubstr("<version>7.0</version>")));
}

TEST_F(SoapFacadeTest, OtherHttpMethodsAreNotAllowed) {
  for (const auto* path : {"/sdk", "/sdk/", "/pbm", "/pbm/sdk"}) {
    for (const auto* method : {"GET", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
      const Response response = facade.handle({method, path, {}, "", ""});
      EXPECT_EQ(response.status, 405);
      EXPECT_EQ(response.headers.find("Allow"), "POST");
    }
  }
  const Response response = facade.handle({"POST", "/sdk/vimServiceVersions.xml", {}, "", ""});
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.find("Allow"), "GET");
}

TEST_F(SoapFacadeTest, WhatIsNoSoapRequestIsTheClientsFault) {
  const std::string method =
      "<RetrieveServiceContent xmlns=\"urn:vim25\"><_this type=\"ServiceInstance\">ServiceInstance</_this>"
      "</RetrieveServiceContent>";
  std::string soap12 = go_envelope(method);
  soap12.replace(soap12.find("http://schemas.xmlsoap.org/soap/envelope/"), 41,
                 "http://www.w3.org/2003/05/soap-envelope");
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("<Envelope/>"), soap12, go_envelope(""),
        go_envelope(method + method), go_envelope("<CurrentTime xmlns=\"urn:vim25\"/>"),
        std::string("<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Header/></Envelope>"),
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>" + go_envelope(method)}) {
    const Response response = post(body);
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.headers.find("content-type"), "text/xml; charset=utf-8");
    EXPECT_THAT(response.body,
                AllOf(HasSubstr("<faultcode>soapenv:Client</faultcode>"),
                      HasSubstr("<InvalidRequestFault xmlns=\"urn:vim25\" xsi:type=\"InvalidRequest\"/>")))
        << body;
    EXPECT_THAT(response.body, Not(HasSubstr("root:")));
  }
}

// --- Greeting and logins ---

TEST_F(SoapFacadeTest, ServiceContentNeedsNoSession) {
  const std::string expected = answer(
      "<RetrieveServiceContentResponse xmlns=\"urn:vim25\"><returnval>"
      "<rootFolder type=\"Folder\">group-d1</rootFolder>"
      "<propertyCollector type=\"PropertyCollector\">propertyCollector</propertyCollector>"
      "<viewManager type=\"ViewManager\">ViewManager</viewManager>"
      "<about><name>VMware vCenter Server</name><fullName>VMware vCenter Server 8.0.3 build-24022515</fullName>"
      "<vendor>VMware, Inc.</vendor><version>8.0.3</version><build>24022515</build><localeVersion>INTL</localeVersion>"
      "<localeBuild>000</localeBuild><osType>linux-x64</osType><productLineId>vpx</productLineId>"
      "<apiType>VirtualCenter</apiType><apiVersion>8.0.3.0</apiVersion>"
      "<instanceUuid>11111111-2222-3333-4444-555555555555</instanceUuid>"
      "<licenseProductName>VMware VirtualCenter Server</licenseProductName>"
      "<licenseProductVersion>8.0</licenseProductVersion></about>"
      "<sessionManager type=\"SessionManager\">SessionManager</sessionManager>"
      "<authorizationManager type=\"AuthorizationManager\">AuthorizationManager</authorizationManager>"
      "<searchIndex type=\"SearchIndex\">SearchIndex</searchIndex></returnval></RetrieveServiceContentResponse>");
  const Response go = post(
      go_envelope("<RetrieveServiceContent xmlns=\"urn:vim25\"><_this type=\"ServiceInstance\">ServiceInstance</_this>"
                  "</RetrieveServiceContent>"));
  EXPECT_EQ(go.status, 200);
  EXPECT_EQ(go.headers.find("content-type"), "text/xml; charset=utf-8");
  EXPECT_FALSE(go.headers.contains("Set-Cookie"));
  EXPECT_EQ(go.body, expected);
  const Response python =
      post(python_envelope("<RetrieveServiceContent xmlns=\"urn:vim25\"><_this versionId=\"8.0.3.0\" "
                           "type=\"ServiceInstance\">ServiceInstance</_this></RetrieveServiceContent>"),
           "", "/sdk/");
  EXPECT_EQ(python.body, expected);
}

TEST_F(SoapFacadeTest, LoginSetsExactlyOneCookie) {
  const Response response = post(go_envelope(login_method));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(
      response.body,
      answer("<LoginResponse xmlns=\"urn:vim25\"><returnval><key>" + std::string(first_token) +
             "</key><userName>admin@cls.local</userName><fullName>admin</fullName>"
             "<loginTime>2026-11-24T04:00:00.000Z</loginTime><lastActiveTime>2026-11-24T04:00:00.000Z</lastActiveTime>"
             "<locale>en</locale><messageLocale>en</messageLocale></returnval></LoginResponse>"));
  std::vector<std::string> cookies;
  for (const auto& [name, value] : response.headers.all()) {
    if (name == "Set-Cookie") cookies.push_back(value);
  }
  EXPECT_THAT(cookies, testing::ElementsAre("vmware_soap_session=\"" + std::string(first_token) +
                                            "\"; Path=/; HttpOnly; Secure"));
}

TEST_F(SoapFacadeTest, WrongCredentialsAreInvalidLogin) {
  const std::string expected = fault("Cannot complete login: wrong user name or password.",
                                     "<InvalidLoginFault xmlns=\"urn:vim25\" xsi:type=\"InvalidLogin\"/>");
  for (const auto* arguments : {"<userName>admin@cls.local</userName><password>wrong</password>",
                                "<userName>admin@cls.local</userName><password> s3cret </password>",
                                "<userName>nobody</userName><password>s3cret</password>",
                                "<userName>admin@cls.local</userName>", "<password>s3cret</password>", ""}) {
    const Response response = post(python_envelope(
        "<Login xmlns=\"urn:vim25\"><_this versionId=\"8.0.3.0\" type=\"SessionManager\">SessionManager</_this>" +
        std::string(arguments) + "</Login>"));
    EXPECT_EQ(response.status, 500);
    EXPECT_FALSE(response.headers.contains("Set-Cookie"));
    EXPECT_EQ(response.body, expected) << arguments;
  }
  const Response by_token = post(go_envelope(
      "<LoginByToken xmlns=\"urn:vim25\"><_this type=\"SessionManager\">SessionManager</_this></LoginByToken>"));
  EXPECT_EQ(by_token.status, 500);
  EXPECT_THAT(by_token.body, HasSubstr("xsi:type=\"InvalidLogin\"/>"));
}

TEST_F(SoapFacadeTest, TooManySessionsAreASystemError) {
  world.context.limits.logins_max = 1;
  log_in();
  const Response response = post(go_envelope(login_method));
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, AllOf(HasSubstr("<SystemErrorFault xmlns=\"urn:vim25\" xsi:type=\"SystemError\"><reason>"),
                                   HasSubstr("which is the limit")));
}

TEST_F(SoapFacadeTest, ABrokenDatabaseIsASystemErrorWithoutItsCause) {
  const std::string good = cookie();
  world.catalog.broken = true;
  for (const Response& response : {post(go_envelope(login_method)), post(go_envelope(current_session_method), good)}) {
    EXPECT_EQ(response.status, 500);
    EXPECT_THAT(response.body, AllOf(HasSubstr("SystemErrorFault"), Not(HasSubstr("the database is gone"))));
  }
}

TEST_F(SoapFacadeTest, CookiesComeBackInManyShapes) {
  log_in();
  const std::string token(first_token);
  for (const std::string& sent : {
           "vmware_soap_session=" + token,
           "vmware_soap_session=\"" + token + "\"",
           "vmware_soap_session=\"" + token + "\"; Path=/; HttpOnly; Secure",
           "vmware_soap_session=" + token + ";Path=/",
           "other=1; vmware_soap_session=\"" + token + "\"; another=2",
           "not_vmware_soap_session=x; vmware_soap_session = " + token + " ; more=1",
           "Path=/; HttpOnly;vmware_soap_session=\"" + token,
           "vmware_soap_session; vmware_soap_session=" + token,
       }) {
    EXPECT_EQ(post(go_envelope(current_session_method), sent).status, 200) << sent;
  }
  for (const std::string& sent :
       {std::string(), std::string("vmware_soap_session="), std::string("vmware_soap_session=\"\""),
        std::string("vmware_soap_session"), "x" + token, "xvmware_soap_session=" + token,
        "vmware_soap_session=" + token + "0", std::string(10'000, ';')}) {
    EXPECT_EQ(post(go_envelope(current_session_method), sent).status, 500) << sent;
  }
}

TEST_F(SoapFacadeTest, TheApisSessionHeaderIsGoodToo) {
  log_in();
  Request request{"POST", "/sdk", {}, go_envelope(current_session_method), ""};
  request.headers.add("Vmware-Api-Session-Id", std::string(first_token));
  EXPECT_EQ(facade.handle(request).status, 200);
}

TEST_F(SoapFacadeTest, EverythingButGreetingAndLoginNeedsASession) {
  const Response response = post(go_envelope(current_session_method));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, fault("The session is not authenticated. Log in and try again.",
                                 "<NotAuthenticatedFault xmlns=\"urn:vim25\" xsi:type=\"NotAuthenticated\">"
                                 "<object type=\"PropertyCollector\">propertyCollector</object>"
                                 "<privilegeId>System.View</privilegeId></NotAuthenticatedFault>"));
  for (const auto* method : {
           "<CurrentTime xmlns=\"urn:vim25\"><_this type=\"ServiceInstance\">ServiceInstance</_this></CurrentTime>",
           "<Logout xmlns=\"urn:vim25\"><_this type=\"SessionManager\">SessionManager</_this></Logout>",
           "<Fetch xmlns=\"urn:vim25\"><_this type=\"Folder\">group-d1</_this><prop>name</prop></Fetch>",
           "<RetrieveProperties xmlns=\"urn:vim25\"><_this "
           "type=\"PropertyCollector\">propertyCollector</_this></RetrieveProperties>",
           "<CreateContainerView xmlns=\"urn:vim25\"><_this "
           "type=\"ViewManager\">ViewManager</_this></CreateContainerView>",
           "<DestroyView xmlns=\"urn:vim25\"><_this type=\"ContainerView\">x</_this></DestroyView>",
           "<FindByUuid xmlns=\"urn:vim25\"><_this type=\"SearchIndex\">SearchIndex</_this></FindByUuid>",
       }) {
    EXPECT_THAT(post(go_envelope(method), "vmware_soap_session=\"dead\"").body, HasSubstr("NotAuthenticatedFault"))
        << method;
  }
}

TEST_F(SoapFacadeTest, CurrentSessionShowsWhenItBeganAndWasLastUsed) {
  log_in();
  world.clock.time += std::chrono::minutes(5);
  EXPECT_EQ(post(go_envelope(current_session_method), "vmware_soap_session=" + std::string(first_token)).body,
            retrieved("<objects><obj type=\"SessionManager\">SessionManager</obj><propSet><name>currentSession</name>"
                      "<val xsi:type=\"UserSession\"><key>" +
                      std::string(first_token) +
                      "</key><userName>admin@cls.local</userName><fullName>admin</fullName>"
                      "<loginTime>2026-11-24T04:00:00.000Z</loginTime>"
                      "<lastActiveTime>2026-11-24T04:05:00.000Z</lastActiveTime><locale>en</locale>"
                      "<messageLocale>en</messageLocale></val></propSet></objects>"));
}

TEST_F(SoapFacadeTest, LogoutEndsTheSession) {
  const auto* method = "<Logout xmlns=\"urn:vim25\"><_this type=\"SessionManager\">SessionManager</_this></Logout>";
  const std::string first = log_in();
  const std::string second = log_in();
  const Response response = post(go_envelope(method), first);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, answer("<LogoutResponse xmlns=\"urn:vim25\"/>"));
  EXPECT_FALSE(response.headers.contains("Set-Cookie"));
  EXPECT_THAT(post(go_envelope(method), first).body, HasSubstr("NotAuthenticatedFault"));
  EXPECT_EQ(post(go_envelope(current_session_method), second).status, 200);
}

TEST_F(SoapFacadeTest, SessionIsActive) {
  const auto ask = [&](std::string_view key, std::string_view user) {
    return call(
        "<SessionIsActive xmlns=\"urn:vim25\"><_this type=\"SessionManager\">SessionManager</_this><sessionID>" +
        std::string(key) + "</sessionID><userName>" + std::string(user) + "</userName></SessionIsActive>");
  };
  const auto says = [](std::string_view flag) {
    return answer("<SessionIsActiveResponse xmlns=\"urn:vim25\"><returnval>" + std::string(flag) +
                  "</returnval></SessionIsActiveResponse>");
  };
  EXPECT_EQ(ask(first_token, "Admin@cls.local"), says("true"));
  EXPECT_EQ(ask(first_token, "somebody"), says("false"));
  EXPECT_EQ(ask("unknown", "admin@cls.local"), says("false"));
}

TEST_F(SoapFacadeTest, CurrentTime) {
  EXPECT_EQ(
      call("<CurrentTime xmlns=\"urn:vim25\"><_this type=\"ServiceInstance\">ServiceInstance</_this></CurrentTime>"),
      answer("<CurrentTimeResponse "
             "xmlns=\"urn:vim25\"><returnval>2026-11-24T04:00:00.000Z</returnval></CurrentTimeResponse>"));
}

TEST_F(SoapFacadeTest, UnknownMethodsAndReceivers) {
  EXPECT_EQ(
      post(go_envelope(
               "<PowerOnVM_Task xmlns=\"urn:vim25\"><_this type=\"VirtualMachine\">vm-1&lt;</_this></PowerOnVM_Task>"))
          .body,
      fault("This server has no method &quot;PowerOnVM_Task&quot;.",
            "<MethodNotFoundFault xmlns=\"urn:vim25\" xsi:type=\"MethodNotFound\">"
            "<receiver "
            "type=\"VirtualMachine\">vm-1&lt;</receiver><method>PowerOnVM_Task</method></MethodNotFoundFault>"));
  // Right method, wrong class; right name, wrong namespace; right class, wrong object.
  EXPECT_THAT(
      post(go_envelope("<Login xmlns=\"urn:vim25\"><_this type=\"ViewManager\">ViewManager</_this></Login>")).body,
      HasSubstr("MethodNotFoundFault"));
  EXPECT_THAT(
      post(go_envelope("<Login xmlns=\"urn:sms\"><_this type=\"SessionManager\">SessionManager</_this></Login>")).body,
      HasSubstr("MethodNotFoundFault"));
  EXPECT_THAT(post(go_envelope("<Login xmlns=\"urn:vim25\"><_this type=\"SessionManager\">other</_this></Login>")).body,
              HasSubstr("<ManagedObjectNotFoundFault xmlns=\"urn:vim25\" xsi:type=\"ManagedObjectNotFound\">"
                        "<obj type=\"SessionManager\">other</obj></ManagedObjectNotFoundFault>"));
}

// --- The finder's five requests (wire-protocols.md §4.6) ---

TEST_F(SoapFacadeTest, FinderAncestorsOfTheRoot) {
  EXPECT_EQ(call(ancestors_method("<obj type=\"Folder\">group-d1</obj>")),
            retrieved("<objects><obj type=\"Folder\">group-d1</obj>" + name_property("Datacenters") + "</objects>"));
}

TEST_F(SoapFacadeTest, FinderChildrenOfTheRoot) {
  EXPECT_EQ(call(children_method("group-d1")),
            retrieved("<objects><obj type=\"Datacenter\">datacenter-2</obj>" + name_property("DC0") + "</objects>"));
}

TEST_F(SoapFacadeTest, FinderFoldersOfTheDatacenter) {
  const auto folder = [](std::string_view name, std::string_view id) {
    return "<propSet><name>" + std::string(name) + "</name><val type=\"Folder\" xsi:type=\"ManagedObjectReference\">" +
           std::string(id) + "</val></propSet>";
  };
  EXPECT_EQ(
      call("<RetrievePropertiesEx xmlns=\"urn:vim25\"><_this type=\"PropertyCollector\">propertyCollector</_this>"
           "<specSet><propSet><type>Datacenter</type><pathSet>name</pathSet><pathSet>vmFolder</pathSet>"
           "<pathSet>hostFolder</pathSet><pathSet>datastoreFolder</pathSet><pathSet>networkFolder</pathSet></propSet>"
           "<objectSet><obj type=\"Datacenter\">datacenter-2</obj><skip>false</skip></objectSet></specSet>"
           "<options><maxObjects>1</maxObjects></options></RetrievePropertiesEx>"),
      retrieved("<objects><obj type=\"Datacenter\">datacenter-2</obj>" + name_property("DC0") +
                folder("vmFolder", "group-v3") + folder("hostFolder", "group-h4") +
                folder("datastoreFolder", "group-s5") + folder("networkFolder", "group-n6") + "</objects>"));
}

TEST_F(SoapFacadeTest, FinderAncestorsOfTheDatastoreFolderAndOfADatastore) {
  const std::string upper =
      "<objects><obj type=\"Folder\">group-s5</obj>" + name_property("datastore") +
      parent_property("Datacenter", "datacenter-2") + "</objects><objects><obj type=\"Datacenter\">datacenter-2</obj>" +
      name_property("DC0") + parent_property("Folder", "group-d1") +
      "</objects><objects><obj type=\"Folder\">group-d1</obj>" + name_property("Datacenters") + "</objects>";
  EXPECT_EQ(call(ancestors_method("<obj type=\"Folder\">group-s5</obj>")), retrieved(upper));
  EXPECT_EQ(call(ancestors_method("<obj type=\"Datastore\">datastore-11</obj>")),
            retrieved("<objects><obj type=\"Datastore\">datastore-11</obj>" + name_property("LocalDS_0") +
                      parent_property("Folder", "group-s5") + "</objects>" + upper));
}

TEST_F(SoapFacadeTest, FinderChildrenOfTheDatastoreFolder) {
  EXPECT_EQ(call(children_method("group-s5")),
            retrieved("<objects><obj type=\"Datastore\">datastore-11</obj>" + name_property("LocalDS_0") +
                      "</objects><objects><obj type=\"Datastore\">datastore-12</obj>" +
                      name_property("R&amp;D &lt;&quot;disks&quot;&gt;") + "</objects>"));
  EXPECT_EQ(call(children_method("group-v3")), answer("<RetrievePropertiesExResponse xmlns=\"urn:vim25\"/>"));
}

// --- Other properties ---

TEST_F(SoapFacadeTest, TerraformReadsADatastoreWhole) {
  EXPECT_EQ(
      call("<RetrievePropertiesEx xmlns=\"urn:vim25\"><_this type=\"PropertyCollector\">propertyCollector</_this>"
           "<specSet><propSet><type>Datastore</type><all>true</all></propSet><objectSet>"
           "<obj type=\"Datastore\">datastore-11</obj><skip>false</skip></objectSet></specSet><options></options>"
           "</RetrievePropertiesEx>"),
      retrieved("<objects><obj type=\"Datastore\">datastore-11</obj>" + parent_property("Folder", "group-s5") +
                name_property("LocalDS_0") +
                "<propSet><name>summary</name><val xsi:type=\"DatastoreSummary\">"
                "<datastore type=\"Datastore\">datastore-11</datastore><name>LocalDS_0</name>"
                "<url>ds:///vmfs/volumes/5f3c0000-datastore-11/</url><capacity>1000000000000</capacity>"
                "<freeSpace>400000000000</freeSpace><accessible>true</accessible>"
                "<multipleHostAccess>true</multipleHostAccess><type>VMFS</type>"
                "<maintenanceMode>normal</maintenanceMode></val></propSet>"
                "<propSet><name>browser</name><val type=\"HostDatastoreBrowser\" xsi:type=\"ManagedObjectReference\">"
                "datastoreBrowser-datastore-11</val></propSet>"
                "<propSet><name>capability</name><val xsi:type=\"DatastoreCapability\">"
                "<directoryHierarchySupported>true</directoryHierarchySupported>"
                "<rawDiskMappingsSupported>false</rawDiskMappingsSupported>"
                "<perFileThinProvisioningSupported>true</perFileThinProvisioningSupported>"
                "<topLevelDirectoryCreateSupported>true</topLevelDirectoryCreateSupported></val></propSet></objects>"));
}

TEST_F(SoapFacadeTest, OldClientsRetrievePropertiesWithoutAResultObject) {
  const auto* arguments =
      "<_this type=\"PropertyCollector\">propertyCollector</_this><specSet><propSet><type>Datastore</type>"
      "<pathSet>summary.url</pathSet><pathSet>capability.topLevelDirectoryCreateSupported</pathSet></propSet>"
      "<objectSet><obj type=\"Datastore\">datastore-11</obj></objectSet></specSet>";
  EXPECT_EQ(
      call("<RetrieveProperties xmlns=\"urn:vim25\">" + std::string(arguments) + "</RetrieveProperties>"),
      answer("<RetrievePropertiesResponse xmlns=\"urn:vim25\"><returnval><obj type=\"Datastore\">datastore-11</obj>"
             "<propSet><name>summary.url</name><val xsi:type=\"xsd:string\">ds:///vmfs/volumes/5f3c0000-datastore-11/"
             "</val></propSet><propSet><name>capability.topLevelDirectoryCreateSupported</name>"
             "<val xsi:type=\"xsd:boolean\">true</val></propSet></returnval></RetrievePropertiesResponse>"));
  EXPECT_EQ(call("<RetrieveProperties xmlns=\"urn:vim25\"><_this type=\"PropertyCollector\">propertyCollector</_this>"
                 "</RetrieveProperties>"),
            answer("<RetrievePropertiesResponse xmlns=\"urn:vim25\"/>"));
}

TEST_F(SoapFacadeTest, CollectorFaults) {
  const auto retrieve = [&](std::string_view spec) {
    return call(
        "<RetrievePropertiesEx xmlns=\"urn:vim25\"><_this "
        "type=\"PropertyCollector\">propertyCollector</_this><specSet>" +
        std::string(spec) + "</specSet></RetrievePropertiesEx>");
  };
  EXPECT_THAT(retrieve("<propSet><type>Datastore</type><pathSet>name</pathSet></propSet><objectSet>"
                       "<obj type=\"Datastore\">datastore-99</obj></objectSet>"),
              HasSubstr("<ManagedObjectNotFoundFault xmlns=\"urn:vim25\" xsi:type=\"ManagedObjectNotFound\">"
                        "<obj type=\"Datastore\">datastore-99</obj></ManagedObjectNotFoundFault>"));
  EXPECT_THAT(retrieve("<propSet><type>Datastore</type><pathSet>sumary</pathSet></propSet><objectSet>"
                       "<obj type=\"Datastore\">datastore-11</obj></objectSet>"),
              HasSubstr("<InvalidPropertyFault xmlns=\"urn:vim25\" xsi:type=\"InvalidProperty\"><name>sumary</name>"
                        "</InvalidPropertyFault>"));
  EXPECT_THAT(retrieve("<propSet><type>Datastore</type></propSet><objectSet></objectSet>"),
              HasSubstr("<InvalidArgumentFault xmlns=\"urn:vim25\" xsi:type=\"InvalidArgument\">"
                        "<invalidProperty>specSet.objectSet.obj</invalidProperty></InvalidArgumentFault>"));
  EXPECT_THAT(
      call("<ContinueRetrievePropertiesEx xmlns=\"urn:vim25\"><_this type=\"PropertyCollector\">propertyCollector"
           "</_this><token>1</token></ContinueRetrievePropertiesEx>"),
      HasSubstr("<invalidProperty>token</invalidProperty>"));
}

TEST_F(SoapFacadeTest, FetchOfEveryKindOfValue) {
  EXPECT_EQ(fetch("Folder", "group-d1", "name"), fetched("<returnval xsi:type=\"xsd:string\">Datacenters</returnval>"));
  EXPECT_EQ(fetch("Datastore", "datastore-11", "summary.capacity"),
            fetched("<returnval xsi:type=\"xsd:long\">1000000000000</returnval>"));
  EXPECT_EQ(fetch("Datastore", "datastore-12", "summary.accessible"),
            fetched("<returnval xsi:type=\"xsd:boolean\">false</returnval>"));
  EXPECT_EQ(fetch("SessionManager", "SessionManager", "currentSession.loginTime"),
            fetched("<returnval xsi:type=\"xsd:dateTime\">2026-11-24T04:00:00.000Z</returnval>"));
  EXPECT_EQ(fetch("Datacenter", "datacenter-2", "datastoreFolder"),
            fetched("<returnval type=\"Folder\" xsi:type=\"ManagedObjectReference\">group-s5</returnval>"));
  EXPECT_EQ(fetch("Folder", "group-d1", "childEntity"),
            fetched("<returnval xsi:type=\"ArrayOfManagedObjectReference\">"
                    "<ManagedObjectReference type=\"Datacenter\">datacenter-2</ManagedObjectReference></returnval>"));
  EXPECT_EQ(fetch("Folder", "group-v3", "childEntity"),
            fetched("<returnval xsi:type=\"ArrayOfManagedObjectReference\"/>"));
  EXPECT_EQ(
      fetch("Folder", "group-d1", "childType"),
      fetched("<returnval xsi:type=\"ArrayOfString\"><string>Folder</string><string>Datacenter</string></returnval>"));
  EXPECT_THAT(fetch("ServiceInstance", "ServiceInstance", "content"),
              HasSubstr("<returnval xsi:type=\"ServiceContent\"><rootFolder type=\"Folder\">group-d1</rootFolder>"));
  EXPECT_EQ(fetch("Folder", "group-d1", "parent"), answer("<FetchResponse xmlns=\"urn:vim25\"/>"));
  EXPECT_THAT(fetch("Folder", "group-d1", "nope"), HasSubstr("InvalidPropertyFault"));
  EXPECT_THAT(fetch("Folder", "group-x9", "name"), HasSubstr("ManagedObjectNotFoundFault"));
}

TEST_F(SoapFacadeTest, FindByUuidFindsNothing) {
  EXPECT_EQ(call("<FindByUuid xmlns=\"urn:vim25\"><_this type=\"SearchIndex\">SearchIndex</_this><uuid>1</uuid>"
                 "<vmSearch>true</vmSearch></FindByUuid>"),
            answer("<FindByUuidResponse xmlns=\"urn:vim25\"/>"));
}

// --- Container views ---

std::string create_view(std::string_view type) {
  return "<CreateContainerView xmlns=\"urn:vim25\"><_this versionId=\"8.0.3.0\" "
         "type=\"ViewManager\">ViewManager</_this>"
         "<container versionId=\"8.0.3.0\" type=\"Folder\">group-d1</container><type>" +
         std::string(type) + "</type><recursive>true</recursive></CreateContainerView>";
}

std::string view_of(const std::string& response) {
  const auto root = read_xml(response);
  EXPECT_TRUE(root);
  const XmlElement* view = root->children.front().children.front().child("returnval");
  EXPECT_NE(view, nullptr) << response;
  return view == nullptr ? "" : view->text;
}

TEST_F(SoapFacadeTest, AViewIsMadeReadAndDestroyed) {
  const std::string created = post(python_envelope(create_view("Datastore")), cookie()).body;
  const std::string view = view_of(created);
  EXPECT_THAT(view, testing::MatchesRegex("session\\[[0-9a-f]{8}\\][0-9]{32}"));
  EXPECT_EQ(created, answer("<CreateContainerViewResponse xmlns=\"urn:vim25\"><returnval type=\"ContainerView\">" +
                            view + "</returnval></CreateContainerViewResponse>"));
  EXPECT_EQ(fetch("ContainerView", view, "view"),
            fetched("<returnval xsi:type=\"ArrayOfManagedObjectReference\">"
                    "<ManagedObjectReference type=\"Datastore\">datastore-11</ManagedObjectReference>"
                    "<ManagedObjectReference type=\"Datastore\">datastore-12</ManagedObjectReference></returnval>"));
  EXPECT_EQ(
      call("<RetrievePropertiesEx xmlns=\"urn:vim25\"><_this type=\"PropertyCollector\">propertyCollector</_this>"
           "<specSet><propSet><type>Datastore</type><pathSet>name</pathSet></propSet><objectSet>"
           "<obj type=\"ContainerView\">" +
           view +
           "</obj><skip>true</skip><selectSet xmlns:x=\"http://www.w3.org/2001/XMLSchema-instance\" "
           "x:type=\"TraversalSpec\"><type>ContainerView</type><path>view</path></selectSet></objectSet></specSet>"
           "<options></options></RetrievePropertiesEx>"),
      retrieved("<objects><obj type=\"Datastore\">datastore-11</obj>" + name_property("LocalDS_0") +
                "</objects><objects><obj type=\"Datastore\">datastore-12</obj>" +
                name_property("R&amp;D &lt;&quot;disks&quot;&gt;") + "</objects>"));
  const std::string destroy =
      "<DestroyView xmlns=\"urn:vim25\"><_this type=\"ContainerView\">" + view + "</_this></DestroyView>";
  EXPECT_EQ(call(destroy), answer("<DestroyViewResponse xmlns=\"urn:vim25\"/>"));
  EXPECT_THAT(call(destroy), HasSubstr("ManagedObjectNotFoundFault"));
  EXPECT_THAT(fetch("ContainerView", view, "view"), HasSubstr("ManagedObjectNotFoundFault"));
}

TEST_F(SoapFacadeTest, AnEmptyViewIsFine) {
  const std::string view = view_of(call(create_view("VirtualMachine")));
  EXPECT_EQ(fetch("ContainerView", view, "view"), fetched("<returnval xsi:type=\"ArrayOfManagedObjectReference\"/>"));
}

TEST_F(SoapFacadeTest, AViewNeedsAContainer) {
  EXPECT_THAT(call("<CreateContainerView xmlns=\"urn:vim25\"><_this type=\"ViewManager\">ViewManager</_this>"
                   "<recursive>true</recursive></CreateContainerView>"),
              HasSubstr("<invalidProperty>container</invalidProperty>"));
  EXPECT_THAT(call("<CreateContainerView xmlns=\"urn:vim25\"><_this type=\"ViewManager\">ViewManager</_this>"
                   "<container type=\"Folder\">group-x9</container><recursive>true</recursive></CreateContainerView>"),
              HasSubstr("ManagedObjectNotFoundFault"));
}

TEST_F(SoapFacadeTest, AViewBelongsToItsLogin) {
  const std::string view = view_of(call(create_view("Datastore")));
  const std::string fetch_view =
      "<Fetch xmlns=\"urn:vim25\"><_this type=\"ContainerView\">" + view + "</_this><prop>view</prop></Fetch>";
  EXPECT_EQ(post(go_envelope(fetch_view), cookie()).status, 200);
  const std::string other = log_in();
  EXPECT_THAT(post(go_envelope(fetch_view), other).body, HasSubstr("ManagedObjectNotFoundFault"));
  EXPECT_THAT(post(go_envelope("<DestroyView xmlns=\"urn:vim25\"><_this type=\"ContainerView\">" + view +
                               "</_this></DestroyView>"),
                   other)
                  .body,
              HasSubstr("ManagedObjectNotFoundFault"));
  EXPECT_EQ(post(go_envelope(fetch_view), cookie()).status, 200);
}

TEST(SoapViews, TheOldestIsForgottenAtEachBound) {
  CountingIdentities identities;
  SoapViews views(identities, {.of_one_login_max = 2, .all_max = 3});
  const content::LoginId a("a");
  const content::LoginId b("b");
  const vim::Reference root{"Folder", "group-d1"};
  const auto ids = [&](const content::LoginId& login) {
    std::vector<vim::Reference> all;
    for (const auto& each : views.of(login)) all.push_back(each.reference);
    return all;
  };
  const auto a1 = views.create(a, root, true, {});
  const auto a2 = views.create(a, root, true, {});
  const auto a3 = views.create(a, root, true, {});
  EXPECT_THAT(ids(a), testing::ElementsAre(a2, a3));
  const auto b1 = views.create(b, root, true, {});
  const auto b2 = views.create(b, root, true, {});
  EXPECT_THAT(ids(a), testing::ElementsAre(a3));
  EXPECT_THAT(ids(b), testing::ElementsAre(b1, b2));
  EXPECT_FALSE(views.remove(a, b1));
  EXPECT_FALSE(views.remove(a, a1));
  EXPECT_TRUE(views.remove(b, b1));
  views.remove_all(b);
  EXPECT_THAT(ids(b), testing::IsEmpty());
  EXPECT_THAT(ids(a), testing::ElementsAre(a3));
}

// --- The storage policy service ---

constexpr std::string_view pbm_method =
    "<PbmRetrieveServiceContent xmlns=\"urn:pbm\"><_this type=\"PbmServiceInstance\">ServiceInstance</_this>"
    "</PbmRetrieveServiceContent>";

TEST_F(SoapFacadeTest, PbmGreetsWithTheSessionFromTheSoapHeader) {
  log_in();
  const std::string expected = answer(
      "<PbmRetrieveServiceContentResponse "
      "xmlns=\"urn:pbm\"><returnval><aboutInfo><name>PBM</name><version>2.0</version>"
      "<instanceUuid>11111111-2222-3333-4444-555555555555</instanceUuid></aboutInfo>"
      "<sessionManager type=\"PbmSessionManager\">sessionManager</sessionManager>"
      "<capabilityMetadataManager "
      "type=\"PbmCapabilityMetadataManager\">capabilityMetadataManager</capabilityMetadataManager>"
      "<profileManager type=\"PbmProfileProfileManager\">profileManager</profileManager>"
      "<complianceManager type=\"PbmComplianceManager\">complianceManager</complianceManager>"
      "<placementSolver type=\"PbmPlacementSolver\">placementSolver</placementSolver>"
      "</returnval></PbmRetrieveServiceContentResponse>");
  for (const std::string& value : {std::string(first_token), "\"" + std::string(first_token) + "\""}) {
    const std::string body = "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Header><vcSessionCookie>" +
                             value + "</vcSessionCookie></Header><Body>" + std::string(pbm_method) +
                             "</Body></Envelope>";
    for (const auto* path : {"/pbm", "/pbm/sdk"}) EXPECT_EQ(post(body, "", path).body, expected) << value;
  }
  EXPECT_EQ(post(go_envelope(pbm_method), "vmware_soap_session=" + std::string(first_token), "/pbm").body, expected);
}

TEST_F(SoapFacadeTest, PbmNeedsASessionAndKeepsToItsMethods) {
  EXPECT_THAT(post(go_envelope(pbm_method), "", "/pbm").body, HasSubstr("NotAuthenticatedFault"));
  EXPECT_THAT(post(go_envelope(pbm_method), cookie(), "/sdk").body, HasSubstr("MethodNotFoundFault"));
  EXPECT_THAT(post(go_envelope(login_method), "", "/pbm").body, HasSubstr("MethodNotFoundFault"));
}

// --- Damaged requests ---

TEST_F(SoapFacadeTest, DamagedRequestsAlwaysGetAWellFormedAnswer) {
  test_support::Mutator mutator(test_support::test_seed());
  const std::vector<std::string> good{
      go_envelope(ancestors_method("<obj type=\"Datastore\">datastore-11</obj>")),
      go_envelope(children_method("group-s5")),
      python_envelope(create_view("Datastore")),
      go_envelope(
          "<Fetch xmlns=\"urn:vim25\"><_this type=\"Datastore\">datastore-12</_this><prop>summary</prop></Fetch>"),
  };
  for (int i = 0; i < 5'000; ++i) {
    const std::string sent = mutator.damaged(good[mutator.below(good.size())]);
    const Response response = post(sent, cookie());
    ASSERT_TRUE(response.status == 200 || response.status == 500);
    const auto root = read_xml(response.body);
    ASSERT_TRUE(root) << sent << "\n" << response.body;
    ASSERT_EQ(root->name, "Envelope");
  }
}

}  // namespace
}  // namespace quire::wire
