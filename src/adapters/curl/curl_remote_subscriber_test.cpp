#include "adapters/curl/curl_remote_subscriber.h"

#include <gmock/gmock.h>

#include "adapters/curl/fetch_fixture.h"
#include "base/digest.h"

namespace quire::adapters::curl {
namespace {

using content::SubscriberServer;
using testing::HasSubstr;
using testing::Not;

ScriptedHttpServer::Script saying(const std::string& status, const std::string& body) {
  return [answer = "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body](
             const Request&, Connection& connection) {
    connection.send(answer);
    connection.end_tls();
  };
}

/// Asks servers on 127.0.0.1 with certificates that are pinned.
class RemoteSubscriberTest : public FetchTest {
 protected:
  RemoteSubscriberTest() : identity_(maker_.self_signed("peer.test")) {}

  std::unique_ptr<ScriptedHttpServer> serve(ScriptedHttpServer::Script script) {
    return std::make_unique<ScriptedHttpServer>(std::move(script), identity_);
  }
  static SubscriberServer at(const ScriptedHttpServer& server) { return {"127.0.0.1", server.port()}; }

  std::unique_ptr<content::RemoteSubscriber> subscriber(const ScriptedHttpServer& server, bool is_pinned = true) {
    RemoteSubscriberOptions options;
    const auto host = "127.0.0.1:" + std::to_string(server.port());
    options.peers = {{host, "a-token"}};
    if (is_pinned) options.pins = *PinnedHosts::make(std::vector{host + "=" + identity_.thumbprint_sha1()});
    options.timeout = std::chrono::seconds(5);
    auto made = make_curl_remote_subscriber(std::move(options));
    EXPECT_TRUE(made);
    return *std::move(made);
  }

  CertificateMaker maker_;
  CertificateMaker::Identity identity_;
};

}  // namespace
}  // namespace quire::adapters::curl
