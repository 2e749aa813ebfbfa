#include "wire/request/authentication.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace quire::wire {
namespace {

Headers headers(std::initializer_list<std::pair<std::string, std::string>> fields) {
  Headers out;
  for (const auto& [name, value] : fields) out.add(name, value);
  return out;
}

std::string token_in(const Headers& given) { return identification_of(given).token.value_or("(none)"); }

TEST(Authentication, RestLooksAtTheCookieThenTheHeaderThenTheSoapCookie) {
  EXPECT_EQ(token_in({}), "(none)");
  EXPECT_EQ(token_in(headers({{"VMWARE-API-SESSION-ID", " h "}})), "h");
  EXPECT_EQ(token_in(headers({{"vmware-api-session-id", "h"}, {"Cookie", "a=b; vmware-api-session-id=c; d"}})), "c");
  EXPECT_EQ(token_in(headers({{"vmware-api-session-id", "h"}, {"Cookie", "vmware_soap_session=s"}})), "h");
  EXPECT_EQ(token_in(headers({{"cookie", "x=y"}, {"cookie", "vmware_soap_session=\"s\""}})), "s");
  EXPECT_EQ(token_in(headers({{"Cookie", "xvmware-api-session-id=c"}})), "(none)");
}

TEST(Authentication, BasicCredentials) {
  const auto user = [](std::string_view value) {
    const auto credentials = basic_credentials(value);
    return credentials ? credentials->user + "|" + credentials->password : "(none)";
  };
  EXPECT_EQ(user("Basic YWRtaW46c2VjcmV0"), "admin|secret");
  EXPECT_EQ(user("basic  YTpiOmM="), "a|b:c");
  EXPECT_EQ(user("Basic w6Q6w7w="), "ä|ü");
  EXPECT_EQ(user("Basic OnA="), "|p");
  for (const auto* wrong :
       {"", "Basic", "Basic YWRtaW4=", "Basic !!!", "Basic /////w==", "Bearer YTpi", "Basic AGE6Yg=="})
    EXPECT_EQ(user(wrong), "(none)") << wrong;
}

Identification json_rpc(const Headers& given, std::string_view context) {
  const auto value = boost::json::parse({context.data(), context.size()});
  return identification_of(given, value.if_object());
}

TEST(Authentication, JsonRpcHeaderWinsOverTheBody) {
  constexpr auto session = R"({"schemeId":"com.vmware.vapi.std.security.session_id","sessionId":"b"})";
  constexpr auto password = R"({"schemeId":"com.vmware.vapi.std.security.user_pass","userName":"u","password":"p"})";
  EXPECT_EQ(json_rpc({}, session).token, "b");
  EXPECT_EQ(json_rpc(headers({{"vmware-api-session-id", "h"}}), session).token, "h");
  EXPECT_EQ(json_rpc(headers({{"Cookie", "vmware-api-session-id=c"}}), session).token, "b");
  EXPECT_EQ(json_rpc(headers({{"Cookie", "vmware-api-session-id=c"}}), "null").token, "c");
  EXPECT_EQ(json_rpc({}, password).credentials->user, "u");
  for (const auto* context : {R"({"schemeId":"com.vmware.vapi.std.security.saml_bearer_token","samlToken":"x"})",
                              R"({"schemeId":"com.vmware.vapi.std.security.no_authentication"})", "{}",
                              R"({"schemeId":5})", R"({"schemeId":"session_id","sessionId":"b"})",
                              R"({"schemeId":"com.vmware.vapi.std.security.session_id","sessionId":7})"}) {
    const auto who = json_rpc(headers({{"Cookie", "vmware-api-session-id=c"}}), context);
    EXPECT_FALSE(who.token || who.credentials) << context;
  }
}

}  // namespace
}  // namespace quire::wire
