#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "golden/golden_server.h"

/// What the SOAP façade and the datastores' folder refuse stands in the audit trail, as what operations refuse does.
namespace quire::golden {
namespace {

using content::EventKind;
using testing::HasSubstr;

constexpr auto nobody_special = "walker@vsphere.local";

class SoapRefusals : public testing::Test {
 protected:
  SoapRefusals() {
    server_.add_user(nobody_special, {});
    const auto answer = soap("Login", "SessionManager", "SessionManager",
                             "<userName>" + std::string(nobody_special) + "</userName><password>secret</password>");
    const auto cookie = answer.headers.find("Set-Cookie").value_or("");
    cookie_ = cookie.substr(0, cookie.find(';'));
    trail_begins_ = trail().back().number;
  }

  wire::Response send(wire::Request request) {
    request.client_address = "192.0.2.7";
    if (!cookie_.empty()) request.headers.add("Cookie", cookie_);
    return server_.handle(std::move(request));
  }
  wire::Response soap(const std::string& method, const std::string& type, const std::string& id,
                      const std::string& arguments = "") {
    wire::Request request{"POST", "/sdk", {}, "", {}};
    request.headers.add("Content-Type", "text/xml; charset=utf-8");
    request.body = R"(<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><)" + method +
                   R"( xmlns="urn:vim25"><_this type=")" + type + R"(">)" + id + "</_this>" + arguments + "</" +
                   method + "></Body></Envelope>";
    return send(request);
  }
  wire::Response authorization(const std::string& method, const std::string& arguments) {
    return soap(method, "AuthorizationManager", "AuthorizationManager", arguments);
  }

  std::vector<content::Event> trail() {
    const content::Caller auditor{"auditor", content::LoginId("login"), content::Grants::everything()};
    return server_.services().audit.list(auditor, {}, service::AuditOrder::oldest_first, trail_begins_, 1000)->entries;
  }
  /// The one entry since the last look.
  content::Event told() {
    const auto entries = trail();
    EXPECT_EQ(entries.size(), 1U);
    if (entries.empty()) return {};
    trail_begins_ = entries.back().number;
    EXPECT_EQ(entries[0].kind, EventKind::call_refused);
    EXPECT_EQ(entries[0].actor, nobody_special);
    EXPECT_EQ(entries[0].address, "192.0.2.7");
    return entries[0];
  }

  content::Caller administrator_{"administrator@vsphere.local", content::LoginId("login"),
                                 content::Grants::everything()};
  GoldenServer server_;
  std::string cookie_;
  std::int64_t trail_begins_ = 0;
};

TEST_F(SoapRefusals, OfRolesAndPermissions) {
  const std::string root = R"(<entity type="Folder">group-d1</entity>)";
  const std::string permission = "<permission><principal>" + std::string(nobody_special) +
                                 "</principal><group>false</group><roleId>-1</roleId><propagate>true</propagate>"
                                 "</permission>";
  const auto role = std::to_string(*server_.services().roles.create(administrator_, "Own", content::PrivilegeSet()));
  trail_begins_ = trail().back().number;
  const std::string number = "<roleId>" + role + "</roleId>";
  const std::vector<std::pair<std::string, std::string>> calls{
      {"AddAuthorizationRole", "<name>Mine</name>"},
      {"UpdateAuthorizationRole", number + "<newName>Mine</newName>"},
      {"RemoveAuthorizationRole", number + "<failIfUsed>true</failIfUsed>"},
      {"SetEntityPermissions", root + permission},
      {"RemoveEntityPermission", root + "<user>administrator@vsphere.local</user><isGroup>false</isGroup>"},
  };
  for (const auto& [method, arguments] : calls) {
    SCOPED_TRACE(method);
    EXPECT_THAT(authorization(method, arguments).body, HasSubstr("NoPermission"));
    const auto event = told();
    EXPECT_EQ(event.operation, "vim25." + method);
    EXPECT_THAT(event.details, HasSubstr(R"("privilege":"Authorization.Modify)"));
  }
}

/// To the client a hidden item is like none at all; only the trail tells them apart.
TEST_F(SoapRefusals, OfHiddenFiles) {
  service::LibrarySpec spec;
  spec.name = "hidden";
  const auto library = *server_.services().libraries.create_local(administrator_, spec, std::nullopt);
  trail_begins_ = trail().back().number;
  const auto folder = "contentlib-" + library.text();
  const auto search = [&](const std::string& path) {
    return soap("SearchDatastore_Task", "HostDatastoreBrowser", "datastoreBrowser-datastore-11",
                "<datastorePath>[LocalDS_1] " + path + "</datastorePath>");
  };
  EXPECT_EQ(search(folder).status, 200) << "the task tells";
  auto event = told();
  EXPECT_EQ(event.operation, "vim25.SearchDatastore_Task");
  EXPECT_EQ(event.subject_id, folder);
  EXPECT_EQ(send({"GET", "/folder/" + folder + "/some-item/a.iso?dsName=LocalDS_1", {}, "", {}}).status, 404);
  event = told();
  EXPECT_EQ(event.operation, "folder.get");
  EXPECT_EQ(event.subject_id, folder);
  EXPECT_EQ(search("contentlib-nowhere").status, 200);
  EXPECT_TRUE(trail().empty()) << "what is not there refuses nothing";
}

}  // namespace
}  // namespace quire::golden
