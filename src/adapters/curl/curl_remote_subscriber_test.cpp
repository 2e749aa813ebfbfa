#include "adapters/curl/curl_remote_subscriber.h"

#include <gmock/gmock.h>

#include "adapters/curl/fetch_fixture.h"

namespace quire::adapters::curl {
namespace {

using base::ErrorKind;
using content::SubscriberServer;
using test_support::CertificateMaker;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Answers, and reads what the client sends until it has gone.
ScriptedHttpServer::Script saying(const std::string& status, const std::string& body = "") {
  return [answer = "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body](
             const Request&, Connection& connection) {
    connection.send(answer);
    connection.stall();
  };
}

/// Asks servers on 127.0.0.1, whose certificates are pinned.
class RemoteSubscriberTest : public FetchTest {
 protected:
  static CertificateMaker::Identity make_identity() {
    CertificateMaker::Spec spec;
    spec.common_name = "peer.test";
    spec.not_before = base::Time(std::chrono::hours(24 * 365 * 50));
    spec.not_after = base::Time(std::chrono::hours(24 * 365 * 100));
    return CertificateMaker().self_signed(spec);
  }
  static SubscriberServer at(const ScriptedHttpServer& server) { return {"127.0.0.1", server.port()}; }

  /// What a probe tells of the certificate.
  std::string thumbprint() {
    ScriptedHttpServer server(saying("200 OK"), identity_);
    return probe(server.url("/")).presented.value().thumbprint_sha1;
  }
  std::unique_ptr<content::RemoteSubscriber> subscriber(const ScriptedHttpServer& server, bool is_pinned = true) {
    const auto host = "127.0.0.1:" + std::to_string(server.port());
    RemoteSubscriberOptions options;
    options.peers = {{host, "a-token"}};
    if (is_pinned) options.pins = *PinnedHosts::make(std::vector{host + "=" + thumbprint()});
    options.timeout = std::chrono::seconds(5);
    return *make_curl_remote_subscriber(std::move(options));
  }
  base::Result<content::RemoteLibrary> find(ScriptedHttpServer& server, const std::string& library = "an id") {
    return subscriber(server)->find(at(server), library, stop_);
  }

  const CertificateMaker::Identity identity_ = make_identity();
};

TEST_F(RemoteSubscriberTest, FindsALibrary) {
  ScriptedHttpServer server(saying("200 OK", R"({"id":"an id","name":"mirror","server_guid":"g",
      "subscription_info":{"subscription_url":"https://publisher.example/lib.json","on_demand":false}})"),
                            identity_);
  const auto found = find(server, "a/b c");
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->name, "mirror");
  EXPECT_EQ(found->subscription_url.text(), "https://publisher.example/lib.json");
  EXPECT_EQ(found->server_guid, "g");
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/api/content/subscribed-library/a%2Fb%20c");
  EXPECT_EQ(request.header("vmware-api-session-id"), "a-token");
}

TEST_F(RemoteSubscriberTest, AsksForASynchronization) {
  ScriptedHttpServer server(saying("204 No Content"), identity_);
  const auto done = subscriber(server)->sync(at(server), "an-id", stop_);
  EXPECT_TRUE(done) << done.error().text();
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/api/content/subscribed-library/an-id?action=sync");
  EXPECT_EQ(request.header("Content-Length"), "0");
}

TEST_F(RemoteSubscriberTest, MakesALibrary) {
  ScriptedHttpServer server(saying("201 Created", R"("new-id")"), identity_);
  content::RemoteLibrarySpec spec;
  spec.name = "mirror";
  spec.backing.datastore_id = "datastore-11";
  spec.subscription_url = "https://publisher.example/lib.json";
  const auto made = subscriber(server)->create(at(server), spec, "a-client-token", stop_);
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(*made, "new-id");
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/api/content/subscribed-library?client_token=a-client-token");
  EXPECT_EQ(request.header("Content-Type"), "application/json");
}

TEST_F(RemoteSubscriberTest, SaysWhyItIsRefused) {
  const std::string body = R"({"error_type":"X","messages":[{"id":"x","default_message":"This is why.","args":[]}]})";
  for (const auto& [status, kind, text] : std::vector<std::tuple<std::string, ErrorKind, std::string>>{
           {"400 Bad Request", ErrorKind::invalid_argument, "This is why."},
           {"401 Unauthorized", ErrorKind::resource_inaccessible, "refuses the token"},
           {"403 Forbidden", ErrorKind::resource_inaccessible, "This is why."},
           {"404 Not Found", ErrorKind::not_found, "no subscribed library an id"},
           {"500 Broken", ErrorKind::resource_inaccessible, "status 500 (This is why.)"},
           {"302 Found\r\nLocation: https://elsewhere.example/", ErrorKind::resource_inaccessible, "status 302"}}) {
    ScriptedHttpServer server(saying(status, body), identity_);
    const auto found = find(server);
    ASSERT_FALSE(found) << status;
    EXPECT_EQ(found.error().kind(), kind) << status;
    EXPECT_THAT(found.error().text(), AllOf(HasSubstr(text), Not(HasSubstr("a-token"))));
  }
}

TEST_F(RemoteSubscriberTest, TakesNoOddAnswers) {
  for (const auto& body :
       std::vector<std::string>{"", "no JSON", "[]", R"({"name":"x"})", R"({"name":1})", std::string(2U << 20U, ' ')}) {
    ScriptedHttpServer server(saying("200 OK", body), identity_);
    const auto found = find(server);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind(), ErrorKind::resource_inaccessible);
  }
}

TEST_F(RemoteSubscriberTest, AsksOnlyWhomItHasATokenOf) {
  ScriptedHttpServer server(saying("204 No Content"), identity_);
  ScriptedHttpServer other(saying("204 No Content"), identity_);
  const auto asked = subscriber(server)->sync(at(other), "an-id", stop_);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().kind(), ErrorKind::resource_inaccessible);
  EXPECT_THAT(asked.error().text(), HasSubstr("--peer 127.0.0.1:" + std::to_string(other.port()) + "=FILE"));
  EXPECT_TRUE(other.requests().empty());
}

TEST_F(RemoteSubscriberTest, TheTokenGoesToTheRightServerOnly) {
  ScriptedHttpServer server(saying("204 No Content"), identity_);
  const auto asked = subscriber(server, false)->sync(at(server), "an-id", stop_);
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().text(), HasSubstr("certificate"));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(RemoteSubscriberTest, Peers) {
  const auto made = [](const std::string& host, const std::string& token) {
    RemoteSubscriberOptions options;
    options.peers = {{host, token}};
    return make_curl_remote_subscriber(std::move(options));
  };
  EXPECT_TRUE(made("vc.example", "token"));
  EXPECT_TRUE(made("[fd00::1]:8443", "token"));
  EXPECT_FALSE(made("https://vc.example", "token"));
  EXPECT_FALSE(made("vc.example:x", "token"));
  EXPECT_FALSE(made("vc.example", ""));
  EXPECT_FALSE(made("vc.example", "two\r\nlines"));
}

}  // namespace
}  // namespace quire::adapters::curl
