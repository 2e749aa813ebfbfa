#include "adapters/curl/curl_sender.h"

#include <gmock/gmock.h>

#include "adapters/curl/fetch_fixture.h"

namespace quire::adapters::curl {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Answers, and reads what the client sends until it has gone: a close with unread bytes would be a reset.
ScriptedHttpServer::Script answering(std::string answer) {
  return [answer = std::move(answer)](const Request&, Connection& connection) {
    connection.send(answer);
    connection.stall();
  };
}

/// Sends to servers on 127.0.0.1, without a proxy in the environment.
class SenderTest : public FetchTest {
 protected:
  SenderTest() {
    sender_options_.policy = options_.policy;
    sender_options_.timeout = std::chrono::seconds(5);
  }
  content::SendOutcome send(const std::string& url, const std::string& body = "{}") {
    content::OutgoingMessage message;
    message.url = url;
    message.headers = {{"Content-Type", "application/json"}, {"Quire-Event", "item.created"}};
    message.body = body;
    return make_curl_sender(sender_options_)->send(message, stop_);
  }

  SenderOptions sender_options_;
};

TEST_F(SenderTest, PostsTheMessage) {
  ScriptedHttpServer server(answering("HTTP/1.1 204 No Content\r\n\r\n"));
  const auto outcome = send(server.url("/hook?token=1"), "{\"a\":1}");
  EXPECT_EQ(outcome.status, 204);
  EXPECT_EQ(outcome.problem, "");
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/hook?token=1");
  EXPECT_EQ(request.header("Content-Type"), "application/json");
  EXPECT_EQ(request.header("Quire-Event"), "item.created");
  EXPECT_EQ(request.header("Content-Length"), "7");
  EXPECT_FALSE(request.header("Expect"));
}

TEST_F(SenderTest, OnlyTheHeadOfTheAnswerCounts) {
  ScriptedHttpServer endless([](const Request&, Connection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx");
    connection.stall();
  });
  EXPECT_EQ(send(endless.url("/")).problem, "");
}

TEST_F(SenderTest, OtherStatusesAreProblems) {
  for (const auto* status : {"301 Moved Permanently\r\nLocation: http://127.0.0.1/", "404 Not Found", "500 Broken"}) {
    ScriptedHttpServer server(answering("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\n\r\n"));
    const auto outcome = send(server.url("/hook?token=hidden"));
    EXPECT_EQ(outcome.status, std::atoi(status));
    EXPECT_THAT(outcome.problem, HasSubstr("answered with status"));
    EXPECT_THAT(outcome.problem, Not(HasSubstr("hidden"))) << "a query is often a credential";
  }
}

TEST_F(SenderTest, NobodyAnswers) {
  ScriptedHttpServer server([](const Request&, Connection& connection) { connection.reset(); });
  const auto outcome = send(server.url("/"));
  EXPECT_FALSE(outcome.status);
  EXPECT_THAT(outcome.problem, HasSubstr("No answer"));
}

TEST_F(SenderTest, WaitsOnlySoLong) {
  sender_options_.timeout = std::chrono::milliseconds(50);
  ScriptedHttpServer server([](const Request&, Connection& connection) { connection.stall(); });
  EXPECT_FALSE(send(server.url("/")).status);
}

TEST_F(SenderTest, TheAddressPolicyCounts) {
  sender_options_.policy = content::AddressPolicy();
  ScriptedHttpServer server(answering("HTTP/1.1 204 No Content\r\n\r\n"));
  const auto outcome = send(server.url("/"));
  EXPECT_FALSE(outcome.status);
  EXPECT_THAT(outcome.problem, HasSubstr("127.0.0.1 is a loopback address"));
}

TEST_F(SenderTest, Urls) {
  const auto sender = make_curl_sender(sender_options_);
  EXPECT_TRUE(sender->check("https://ci.example/hook?token=1"));
  EXPECT_FALSE(sender->check("https://user:password@ci.example/"));
  EXPECT_FALSE(sender->check("file:///etc/passwd"));
  EXPECT_FALSE(sender->check("no URL"));
}

}  // namespace
}  // namespace quire::adapters::curl
