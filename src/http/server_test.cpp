#include <gmock/gmock.h>

#include <random>

#include "http/http_fixture.h"
#include "http/tls_identity.h"

namespace quire::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ServerTest : public HttpTest {};

TEST_F(ServerTest, KeepsTheConnection) {
  start();
  Client client(port());
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "POST /echo abc");
    EXPECT_EQ(answer.headers.at("connection"), "keep-alive");
    EXPECT_EQ(answer.headers.at("server"), "Quire");
    EXPECT_TRUE(answer.headers.contains("date"));
  }
  const auto last = client.ask("GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(last.headers.at("connection"), "close");
  EXPECT_THAT(client.rest(), IsEmpty());
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  Client client(port());
  client.send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\nGET /3 "
      "HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.answer().body, "GET /1 ");
  EXPECT_EQ(client.answer().body, "POST /2 xy");
  EXPECT_EQ(client.answer().body, "GET /3 ");
}

TEST_F(ServerTest, Http10) {
  start();
  Client client(port());
  EXPECT_EQ(client.ask("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").headers.at("connection"), "keep-alive");
  EXPECT_EQ(client.ask("GET /x HTTP/1.0\r\n\r\n").headers.at("connection"), "close");
  EXPECT_THAT(client.rest(), IsEmpty());
}

TEST_F(ServerTest, ChunkedBodyOfNothing) {
  start();
  Client client(port());
  const auto answer = client.ask("POST /session HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(answer.body, "POST /session ");
  EXPECT_EQ(answer.headers.at("connection"), "keep-alive");
}

TEST_F(ServerTest, ChunkedBodyByteByByte) {
  start();
  Client client(port());
  for (const char c : std::string_view(
           "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n")) {
    client.send(std::string_view(&c, 1));
  }
  EXPECT_EQ(client.answer().body, "POST /x abcd");
}

TEST_F(ServerTest, ExpectContinue) {
  start();
  Client client(port());
  const auto interim = client.ask("POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(interim.status, 100);
  EXPECT_EQ(client.ask("ab").body, "POST /x ab");
}

TEST_F(ServerTest, ExpectContinueWithTooMuch) {
  settings_.limits.body_bytes_max = 10;
  start();
  Client client(port());
  const auto answer = client.ask("POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.headers.at("connection"), "close");
}

TEST_F(ServerTest, HeadAndNoContent) {
  start();
  Client client(port());
  const auto head = client.ask("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", false);
  EXPECT_EQ(head.headers.at("content-length"), "8");
  const auto none = client.ask("DELETE /none HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(none.status, 204);
  EXPECT_FALSE(none.headers.contains("content-type"));
  EXPECT_FALSE(none.headers.contains("content-length"));
  EXPECT_EQ(client.ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").body, "GET /x ");
}

TEST_F(ServerTest, BaseUrl) {
  start();
  Client client(port());
  EXPECT_EQ(client.ask("GET /base HTTP/1.1\r\nHost: name:99\r\n\r\n").body, "http://name:99");
  EXPECT_EQ(client.ask("GET /base HTTP/1.1\r\nHost:\r\n\r\n").body, "http://127.0.0.1:" + std::to_string(port()));
}

TEST_F(ServerTest, ConfiguredBaseUrl) {
  settings_.public_url = "https://public";
  start();
  Client client(port());
  EXPECT_EQ(client.ask("GET /base HTTP/1.1\r\nHost: name\r\n\r\n").body, "https://public");
}

TEST_F(ServerTest, LimitsAreAnsweredWhileTheClientStillSends) {
  settings_.limits.body_bytes_max = 1000;
  settings_.limits.target_bytes_max = 500;
  settings_.limits.header_bytes_max = 9000;
  start();
  struct Case {
    int status;
    std::string request;
  };
  const std::string megabytes(8 * 1024 * 1024, 'x');
  const Case cases[] = {
      {413, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n" + megabytes},
      {413, "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n800000\r\n" + megabytes},
      {414, "GET /" + std::string(600, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n"},
      {414, "GET /" + megabytes},
      {431, "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(9000, 'x') + "\r\n\r\n"},
      {431, "GET / HTTP/1.1\r\nHost: h\r\nA: " + megabytes},
      {400, "garbage\r\n\r\n" + megabytes},
      {400, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" + megabytes},
      {400, "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + megabytes},
      {417, "POST /x HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n"},
  };
  for (const auto& c : cases) {
    Client client(port());
    client.send(c.request);  // not all of it is read
    const auto answer = client.answer();
    EXPECT_EQ(answer.status, c.status) << c.request.substr(0, 80);
    EXPECT_THAT(answer.body, StartsWith("refused: quire.http."));
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_THAT(client.rest(), IsEmpty());
  }
}

/// What a client goes on sending after a refusal was read without end: 256 MB of header lines in 0.3 s.
TEST_F(ServerTest, LittleIsReadBehindARefusal) {
  settings_.limits.body_bytes_max = 1000;
  start(true);
  const std::string refused[] = {
      "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(70 * 1024, 'x'),
      "garbage\r\n\r\n",
      "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999\r\n\r\n",
      "GET /cls/data/unknown/file HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999\r\n\r\n",
      "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  };
  const std::string more(1024 * 1024, 'x');
  for (const bool tls : {false, true}) {
    for (const auto& request : refused) {
      Client client(tls ? tls_port() : port(), tls ? certificate_pem_ : std::string());
      client.send(request);
      int sent = 0;
      while (sent < 64 && client.send(more)) ++sent;
      EXPECT_LT(sent, 16) << request.substr(0, 80);  // what the system holds between the two is beside
    }
  }
}

/// Clients send a file whole before they read the answer: the first bound on what is read behind a refusal cut off
/// those whose file met a full disk, and they saw a broken connection instead of 507.
TEST_F(ServerTest, TheRefusalOfAFileIsSeenByWhoSendsItWholeFirst) {
  start(true);
  const std::string file(8 * 1024 * 1024, 'x');
  for (const bool tls : {false, true}) {
    Client client(tls ? tls_port() : port(), tls ? certificate_pem_ : std::string());
    const auto answer =
        client.ask("PUT /cls/data/unknown/file HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n" + file);
    EXPECT_EQ(answer.status, 404);
  }
}

TEST_F(ServerTest, ARefusedBodyThatDoesNotComeIsNotWaitedFor) {
  start();
  Client client(port());
  const auto answer = client.ask("PUT /cls/data/unknown/file HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nabc");
  EXPECT_EQ(answer.status, 404);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(client.rest(), IsEmpty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));  // two, on a machine that is not busy
}

/// Who may be believed says it in --public-url; a header that any client can send says nothing.
TEST_F(ServerTest, ForwardedFieldsAreNotLookedAt) {
  start();
  Client client(port());
  EXPECT_EQ(client
                .ask("GET /base HTTP/1.1\r\nHost: name:99\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: other\r\n"
                     "Forwarded: proto=https;host=other\r\n\r\n")
                .body,
            "http://name:99");
}

TEST_F(ServerTest, AnAbsoluteTargetSaysTheHost) {
  start();
  Client client(port());
  EXPECT_EQ(client.ask("GET http://other:1/base HTTP/1.1\r\nHost: name\r\n\r\n").body, "http://other:1");
}

TEST_F(ServerTest, BodyAtTheLimit) {
  settings_.limits.body_bytes_max = 1000;
  start();
  Client client(port());
  const std::string body(1000, 'x');
  EXPECT_EQ(client.ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + body).status, 200);
  EXPECT_EQ(
      client.ask("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + body + "\r\n0\r\n\r\n")
          .status,
      200);
  EXPECT_EQ(
      client.ask("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + body + "y\r\n0\r\n\r\n")
          .status,
      413);
}

TEST_F(ServerTest, SlowHeadIsTimedOut) {
  settings_.limits.header_timeout = milliseconds(30);
  start();
  Client client(port());
  const auto answer = client.ask("GET / HTTP/1.1\r\nHost:");
  EXPECT_EQ(answer.status, 408);
  EXPECT_THAT(client.rest(), IsEmpty());
}

TEST_F(ServerTest, SilentConnectionsAreClosed) {
  settings_.limits.header_timeout = milliseconds(30);
  settings_.limits.idle_timeout = milliseconds(30);
  start();
  Client fresh(port());
  EXPECT_THAT(fresh.rest(), IsEmpty());
  Client used(port());
  EXPECT_EQ(used.ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  EXPECT_THAT(used.rest(), IsEmpty());
}

TEST_F(ServerTest, SlowBodyIsTimedOut) {
  settings_.limits.body_timeout = milliseconds(30);
  start();
  Client client(port());
  EXPECT_EQ(client.ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc").status, 408);
}

TEST_F(ServerTest, ThrowingHandlerCostsOnlyItsConnection) {
  start();
  Client client(port());
  EXPECT_EQ(client.ask("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n").status, 0);
  Client other(port());
  EXPECT_EQ(other.ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

TEST_F(ServerTest, ConnectionsBeyondTheMaximumWait) {
  settings_.limits.connections_max = 1;
  start();
  auto first = std::make_unique<Client>(port());
  EXPECT_EQ(first->ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  Client second(port());
  second.send("GET /y HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(first->ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  first.reset();
  EXPECT_EQ(second.answer().body, "GET /y ");
}

TEST_F(ServerTest, GarbageNeverHarms) {
  start(true);
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string alphabet =
      "GET /cls/data/t PUT HTTP/1.1\r\nHost: h\r\n\r\nContent-Length: 5Transfer-Encoding: chunked;\x01\x80";
  for (int round = 0; round < 200; ++round) {
    std::string bytes(random() % 3000, '\0');
    for (auto& byte : bytes) byte = round % 2 ? static_cast<char>(random()) : alphabet[random() % alphabet.size()];
    Client client(round % 4 < 2 ? port() : tls_port());
    client.send(bytes);
    if (round % 3 == 0) client.abort();
  }
  Client client(port());
  EXPECT_EQ(client.ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  Client tls(tls_port(), certificate_pem_);
  EXPECT_EQ(tls.ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

TEST_F(ServerTest, StopsIdleConnectionsAtOnceAndFinishesCalls) {
  start();
  Client idle(port());
  EXPECT_EQ(idle.ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  Client busy(port());
  busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  api_.waiting.wait();
  server_->stop(std::chrono::hours(1));
  EXPECT_THAT(idle.rest(), IsEmpty());
  api_.release.set();
  const auto answer = busy.answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  thread_.join();
}

TEST_F(ServerTest, StopWithNobodyThere) {
  start();
  server_->stop(std::chrono::hours(1));
  thread_.join();
}

TEST_F(ServerTest, PortInUse) {
  start();
  auto settings = settings_;
  settings.http = server_->http_address();
  const auto second = make_server_over(settings, api_, transfers_, clock_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("Cannot listen on 127.0.0.1 port"));
}

TEST_F(ServerTest, Tls) {
  start(true);
  Client client(tls_port(), certificate_pem_);
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.ask("GET /base HTTP/1.1\r\nHost: name\r\n\r\n").body, "https://name");
  const std::string body(3 * 1024 * 1024, 'x');
  const auto answer =
      client.ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(answer.body, "POST /x " + body);
}

TEST_F(ServerTest, TlsHandshakeIsTimedOut) {
  settings_.limits.header_timeout = milliseconds(30);
  start(true);
  Client client(tls_port());
  EXPECT_THAT(client.rest(), IsEmpty());
}

TEST_F(ServerTest, ReloadServesTheNewCertificateToNewConnections) {
  start(true);
  Client old(tls_port(), certificate_pem_);
  const auto old_pem = certificate_pem_;
  EXPECT_EQ(old.thumbprint(), *certificate_thumbprint(old_pem));
  make_identity();
  ASSERT_TRUE(server_->reload_certificate());
  Client fresh(tls_port(), certificate_pem_);
  ASSERT_TRUE(fresh.connected());
  EXPECT_EQ(fresh.thumbprint(), *certificate_thumbprint(certificate_pem_));
  EXPECT_EQ(old.ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  EXPECT_FALSE(Client(tls_port(), old_pem).connected());
}

TEST_F(ServerTest, ReloadOfBadFilesKeepsTheOldCertificate) {
  start(true);
  const auto pem = certificate_pem_;
  const auto key_file = settings_.key_file;
  std::rename(key_file.c_str(), (key_file + ".away").c_str());
  const auto reloaded = server_->reload_certificate();
  EXPECT_FALSE(reloaded);
  EXPECT_THAT(reloaded.error().text(), HasSubstr(key_file));
  EXPECT_TRUE(Client(tls_port(), pem).connected());
  std::rename((key_file + ".away").c_str(), key_file.c_str());
}

}  // namespace
}  // namespace quire::http
