#include "wire/request/session_cookie.h"

#include <gtest/gtest.h>

#include "wire/request/authentication.h"

namespace quire::wire {
namespace {

constexpr auto token = "0a1b";

Request page_request(std::string method) {
  Request request;
  request.method = std::move(method);
  request.target = "/api/session";
  request.headers.add("Host", "quire.example:8443");
  request.headers.add("Cookie", "other=1; __Host-quire-session=0a1b");
  return request;
}

std::optional<std::string> admitted(Request request) {
  const bool did = admit_session_cookie(request);
  auto who = identification_of(request.headers);
  EXPECT_EQ(did, who.token == token);
  return who.token;
}

TEST(SessionCookie, CountsForThePageItself) {
  auto request = page_request("GET");
  EXPECT_FALSE(admitted(request)) << "nothing says where the request comes from";
  request.headers.add("Sec-Fetch-Site", "same-origin");
  EXPECT_EQ(admitted(request), token);
}

TEST(SessionCookie, DoesNotCountForOtherOrigins) {
  for (const auto* site : {"same-site", "cross-site", "none", ""}) {
    auto request = page_request("GET");
    request.headers.add("Sec-Fetch-Site", site);
    request.headers.add("Origin", "https://quire.example:8443");  // the other field decides
    EXPECT_FALSE(admitted(request)) << site;
  }
  for (const auto* origin :
       {"https://quire.example", "https://quire.example:9443", "https://evil.example", "null", ""}) {
    auto request = page_request("GET");
    request.headers.add("Origin", origin);
    EXPECT_FALSE(admitted(request)) << origin;
  }
  auto old_browser = page_request("GET");
  old_browser.headers.add("Origin", "https://Quire.example:8443");
  EXPECT_EQ(admitted(old_browser), token);
}

TEST(SessionCookie, ChangesNeedAFieldThatNoFormCanSend) {
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    auto request = page_request(method);
    request.headers.add("Sec-Fetch-Site", "same-origin");
    EXPECT_FALSE(admitted(request)) << method;
    EXPECT_FALSE(is_of_page(request));
    request.headers.add("Quire-Page", "1");
    EXPECT_EQ(admitted(request), token) << method;
    EXPECT_TRUE(is_of_page(request));
  }
}

TEST(SessionCookie, GivesWayToTokensAndCredentials) {
  auto with_token = page_request("GET");
  with_token.headers.add("Sec-Fetch-Site", "same-origin");
  auto with_basic = with_token;
  with_token.headers.add("vmware-api-session-id", "other");
  EXPECT_EQ(admitted(with_token), "other");
  with_basic.headers.add("Authorization", "Basic YTpi");
  EXPECT_FALSE(admitted(with_basic));
}

TEST(SessionCookie, CarriesTheTokenInsteadOfTheBody) {
  Response response;
  response.body = "\"0a1b\"";
  move_token_to_cookie(response);
  EXPECT_EQ(response.body, "\"\"");
  EXPECT_EQ(response.headers.find("Set-Cookie"),
            "__Host-quire-session=0a1b; Path=/; Secure; HttpOnly; SameSite=Strict");
  Response cleared;
  clear_session_cookie(cleared);
  EXPECT_EQ(cleared.headers.find("Set-Cookie"),
            "__Host-quire-session=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
}

}  // namespace
}  // namespace quire::wire
