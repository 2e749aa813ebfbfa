#include "wire/router.h"

#include "wire/binding_fixture.h"
#include "wire/soap/soap_fixture.h"

namespace quire::wire {
namespace {

using test::error_type_in;
using test::header;

/// Over real logins; no test here runs an operation that needs more of the catalog.
class RouterTest : public ::testing::Test {
 protected:
  Response send(const std::string& method, const std::string& target, const std::string& token = {},
                std::string body = {}) {
    Request request;
    request.method = method;
    request.target = target;
    request.body = std::move(body);
    if (token.empty())
      request.headers.add("Authorization", "Basic YWRtaW5AY2xzLmxvY2FsOnMzY3JldA==");
    else
      request.headers.add("vmware-api-session-id", token);
    return router.handle(request);
  }

  SoapWorld world;
  Router router{world.services};
};

TEST_F(RouterTest, OneSessionTableBehindAllBindings) {
  const auto made = send("POST", "/rest/com/vmware/cis/session");
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string token(boost::json::parse(made.body).at("value").as_string());
  EXPECT_EQ(send("GET", "/api/session", token).status, 200);
  EXPECT_EQ(send("POST", "/api", token,
                 R"({"jsonrpc":"2.0","id":"1","method":"invoke","params":{"serviceId":"com.vmware.content.type",)"
                 R"("operationId":"list"}})")
                .body.rfind(R"({"jsonrpc":"2.0","id":"1","result":{"output":[)", 0),
            0U);
  EXPECT_EQ(send("DELETE", "/api/session", token).status, 204);
  EXPECT_EQ(send("POST", "/rest/com/vmware/cis/session?~action=get", token).status, 401);
}

TEST_F(RouterTest, JsonRpcIsExactlyPostApi) {
  EXPECT_EQ(send("POST", "/api", "x", "{").status, 200);
  EXPECT_EQ(send("POST", "/api?x", "x", "{").status, 200);
  EXPECT_EQ(send("POST", "/api/", "x", "{}").status, 404);
  const auto get = send("GET", "/api");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(header(get, "Allow"), "POST");
  EXPECT_EQ(error_type_in(get), "INVALID_REQUEST");
}

TEST_F(RouterTest, OpenApiNeedsNoLogin) {
  Request request;
  request.method = "GET";
  request.target = "/api/openapi.json";
  EXPECT_EQ(router.handle(request).status, 200);
  EXPECT_EQ(boost::json::parse(router.handle(request).body).at("openapi").as_string(), "3.1.0");
  request.method = "POST";
  EXPECT_EQ(router.handle(request).status, 405);
}

TEST_F(RouterTest, UnknownPaths) {
  for (const auto* target : {"/rest", "/restful", "/apis", "/api/openapi.json/", "*", ""}) {
    const auto response = send("GET", target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(error_type_in(response), "OPERATION_NOT_FOUND") << target;
  }
}

TEST_F(RouterTest, SoapPathsGoToTheFacade) {
  for (const auto* target : {"/sdk", "/sdk/", "/pbm", "/pbm/sdk"})
    EXPECT_NE(send("POST", target).status, 404) << target;
  EXPECT_EQ(send("GET", "/sdk/vimServiceVersions.xml").status, 200);
}

TEST_F(RouterTest, HeadIsGetWithoutBody) {
  const auto response = send("HEAD", "/api/openapi.json");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(send("HEAD", "/api").status, 405);
}

TEST_F(RouterTest, FailuresOfTheCatalogAreInternalErrors) {
  world.catalog.broken = true;
  EXPECT_EQ(send("GET", "/api/session", "x").status, 500);
  EXPECT_EQ(error_type_in(send("GET", "/rest/com/vmware/content/type", "x")), "INTERNAL_SERVER_ERROR");
  EXPECT_EQ(send("GET", "/api/session", "x").body.find("database"), std::string::npos);
}

TEST(Router, RefusesInTheFormOfTheBinding) {
  const auto message = base::make_message("quire.test", "Too large.");
  const auto legacy = Router::refuse("/rest/com/vmware/content/library", 413, message);
  EXPECT_EQ(legacy.status, 413);
  EXPECT_EQ(boost::json::parse(legacy.body).at("type").as_string(), "com.vmware.vapi.std.errors.invalid_request");
  for (const auto* target : {"/api/content/library", "/api", "/sdk", "garbage", ""}) {
    const auto response = Router::refuse(target, 431, message);
    EXPECT_EQ(response.status, 431);
    EXPECT_EQ(boost::json::parse(response.body).at("error_type").as_string(), "INVALID_REQUEST");
  }
  const auto transfer =
      Router::transfer_error(507, base::Error(base::ErrorKind::unable_to_allocate_resource, "quire.test", "Full."));
  EXPECT_EQ(transfer.status, 507);
  EXPECT_EQ(error_type_in(transfer), "UNABLE_TO_ALLOCATE_RESOURCE");
}

TEST_F(RouterTest, ThePageCarriesItsSessionInACookie) {
  const auto ask = [&](std::string method, std::vector<std::pair<std::string, std::string>> fields) {
    Request request;
    request.method = std::move(method);
    request.target = "/api/session";
    request.headers.add("Sec-Fetch-Site", "same-origin");
    for (auto& [name, value] : fields) request.headers.add(name, value);
    return router.handle(request);
  };
  const std::pair<std::string, std::string> page{"Quire-Page", "1"};
  const auto refused = ask("POST", {page, {"Authorization", "Basic YWRtaW5AY2xzLmxvY2FsOnh4"}});
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers.find("WWW-Authenticate"), "SessionId realm=\"quire\"")
      << "no browser opens a dialog for that";
  EXPECT_FALSE(refused.headers.contains("Set-Cookie"));

  const auto made = ask("POST", {page, {"Authorization", "Basic YWRtaW5AY2xzLmxvY2FsOnMzY3JldA=="}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body, "\"\"");
  const std::string set(made.headers.find("Set-Cookie").value_or(""));
  const std::pair<std::string, std::string> cookie{"Cookie", set.substr(0, set.find(';'))};
  const auto got = ask("GET", {cookie});
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(ask("DELETE", {cookie}).status, 401) << "a form could send that";
  const auto gone = ask("DELETE", {cookie, page});
  EXPECT_EQ(gone.status, 204);
  EXPECT_NE(gone.headers.find("Set-Cookie").value_or("").find("Max-Age=0"), std::string_view::npos);
  EXPECT_EQ(ask("GET", {cookie}).status, 401);
}

TEST_F(RouterTest, ShowsThePageAtTheRoot) {
  EXPECT_EQ(send("GET", "/").headers.find("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(send("HEAD", "/").body, "");
  EXPECT_EQ(send("POST", "/").status, 405);
}

}  // namespace
}  // namespace quire::wire
