#include <gmock/gmock.h>

#include "adapters/curl/fetch_fixture.h"

namespace quire::adapters::curl {
namespace {

using ::testing::HasSubstr;

class Redirects : public FetchTest {};

TEST_F(Redirects, AreFollowedAtMostFiveTimes) {
  std::atomic<int> redirects = 0;
  ScriptedHttpServer server([&](const Request& request, Connection& connection) {
    const int hop = std::stoi(request.target.substr(1));
    connection.send(hop < redirects ? redirect_to("/" + std::to_string(hop + 1)) : ok("content"));
  });
  for (redirects = 0; redirects <= 5; ++redirects) {
    sink_ = CollectingSink();
    EXPECT_EQ(fetch(server.url("/0")).failure, FetchFailure::none) << redirects;
    EXPECT_EQ(sink_.taken, "content");
  }
  sink_ = CollectingSink();
  const auto before = server.requests().size();
  const auto outcome = fetch(server.url("/0"));
  EXPECT_EQ(outcome.failure, FetchFailure::redirect);
  EXPECT_FALSE(outcome.worth_retrying);
  EXPECT_EQ(server.requests().size() - before, 6U);
  EXPECT_TRUE(sink_.begun.empty());
}

TEST_F(Redirects, OfEveryKindAndFormAreFollowed) {
  for (const char* status : {"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"}) {
    for (const char* location : {"c.iso", "/b/c.iso", "../b/c.iso", "//127.0.0.1:PORT/b/c.iso",
                                 "http://127.0.0.1:PORT/b/c.iso#part", "http://user:secret@127.0.0.1:PORT/b/c.iso"}) {
      std::string target;
      ScriptedHttpServer server([&](const Request& request, Connection& connection) {
        connection.send(request.target == "/b/c.iso" ? ok("content") : redirect_to(target, status));
      });
      target = location;
      if (const auto at = target.find("PORT"); at != std::string::npos)
        target.replace(at, 4, std::to_string(server.port()));
      sink_ = CollectingSink();
      EXPECT_EQ(fetch(server.url("/b/a.iso")).failure, FetchFailure::none) << status << " " << location;
      EXPECT_EQ(sink_.taken, "content");
      EXPECT_EQ(server.requests().at(1).header("Authorization"), std::nullopt);
    }
  }
}

TEST_F(Redirects, TellWhereTheContentCameFrom) {
  ScriptedHttpServer server([&](const Request& request, Connection& connection) {
    connection.send(request.target == "/latest/vm.ovf" ? redirect_to("/v2/vm.ovf?signature=secret") : ok("content"));
  });
  content::FetchRequest request;
  request.url = "http://me:pw@127.0.0.1:" + std::to_string(server.port()) + "/latest/vm.ovf";
  EXPECT_EQ(fetch(request).failure, FetchFailure::none);
  ASSERT_TRUE(sink_.begun.at(0).redirected_to);
  EXPECT_EQ(sink_.begun.at(0).redirected_to->text(), server.url("/v2/vm.ovf"));
  sink_ = CollectingSink();
  EXPECT_EQ(fetch(server.url("/v2/vm.ovf")).failure, FetchFailure::none);
  EXPECT_FALSE(sink_.begun.at(0).redirected_to);
}

TEST_F(Redirects, BodyOfARedirectIsNotContent) {
  ScriptedHttpServer server([](const Request& request, Connection& connection) {
    if (request.target == "/b") {
      connection.send(ok("content"));
    } else {
      connection.send("HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\nmoved");
      connection.stall();
    }
  });
  EXPECT_EQ(fetch(server.url("/a")).failure, FetchFailure::none);
  EXPECT_EQ(sink_.taken, "content");
}

TEST_F(Redirects, ToAnotherSchemeAreRefused) {
  for (const char* location : {"ftp://127.0.0.1/a", "file:///etc/passwd", "gopher://127.0.0.1/", "data:text/plain,x",
                               "http://", "http://a b/"}) {
    ScriptedHttpServer server(always(redirect_to(location)));
    const auto outcome = fetch(server.url("/"));
    EXPECT_EQ(outcome.failure, FetchFailure::redirect) << location;
    EXPECT_FALSE(outcome.worth_retrying);
  }
}

TEST_F(Redirects, TheRangeGoesAlong) {
  ScriptedHttpServer server([](const Request& request, Connection& connection) {
    connection.send(request.target == "/b"
                        ? "HTTP/1.1 206 Part\r\nContent-Range: bytes 3-6/7\r\nETag: \"v1\"\r\n\r\ntent"
                        : redirect_to("/b"));
  });
  content::FetchRequest request;
  request.url = server.url("/a");
  request.offset = 3;
  request.validator = "\"v1\"";
  EXPECT_EQ(fetch(request).failure, FetchFailure::none);
  EXPECT_EQ(sink_.taken, "tent");
  EXPECT_EQ(server.requests().at(1).header("If-Range"), "\"v1\"");
}

TEST_F(Redirects, CredentialsStayWithTheirOrigin) {
  std::string target;
  const auto script = [&](const Request& request, Connection& connection) {
    connection.send(request.target == "/end" ? ok("content") : redirect_to(target));
  };
  ScriptedHttpServer server(script);
  ScriptedHttpServer other(script);
  const std::string url = "http://user:secret@127.0.0.1:" + std::to_string(server.port()) + "/start";

  target = "/end";
  EXPECT_EQ(fetch(url).failure, FetchFailure::none);
  EXPECT_TRUE(server.requests().at(1).header("Authorization"));

  // Another port, and another name of the same machine.
  for (const auto& elsewhere : {other.url("/end"), server.url("/end", "localhost")}) {
    sink_ = CollectingSink();
    target = elsewhere;
    EXPECT_EQ(fetch(url).failure, FetchFailure::none) << elsewhere;
  }
  EXPECT_EQ(other.requests().at(0).header("Authorization"), std::nullopt);
  EXPECT_EQ(server.requests().back().header("Authorization"), std::nullopt);
}

TEST_F(Redirects, CredentialsDoNotComeBackAfterADetour) {
  std::string back;
  ScriptedHttpServer other([&](const Request&, Connection& connection) { connection.send(redirect_to(back)); });
  ScriptedHttpServer server([&](const Request& request, Connection& connection) {
    connection.send(request.target == "/end" ? ok("content") : redirect_to(other.url("/")));
  });
  back = server.url("/end");
  EXPECT_EQ(fetch("http://user:secret@127.0.0.1:" + std::to_string(server.port()) + "/start").failure,
            FetchFailure::none);
  EXPECT_TRUE(server.requests().at(0).header("Authorization"));
  EXPECT_FALSE(server.requests().at(1).header("Authorization"));
}

class Addresses : public FetchTest {
 protected:
  void allow(const std::vector<std::string>& networks) {
    options_.policy = *content::AddressPolicy::make(networks, {});
  }
  void expect_refused(const FetchOutcome& outcome) {
    EXPECT_EQ(outcome.failure, FetchFailure::refused_address) << outcome.reason.default_message;
    EXPECT_FALSE(outcome.worth_retrying);
    EXPECT_TRUE(sink_.begun.empty());
  }
};

TEST_F(Addresses, LoopbackIsRefusedByDefaultInEveryForm) {
  ScriptedHttpServer server(always(ok("secret")));
  allow({});
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]",
                           "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "0.0.0.0", "0", "[::]",
                           "169.254.169.254", "[fd00:ec2::254]", "255.255.255.255", "224.0.0.1", "localhost."}) {
    const auto outcome = fetch(server.url("/", host));
    // A machine without IPv6 may find that there is no such address before the policy is asked.
    if (outcome.failure == FetchFailure::host_not_found) continue;
    expect_refused(outcome);
    expect_refused(probe(server.url("/", host)));
  }
  EXPECT_TRUE(server.requests().empty());
  EXPECT_THAT(fetch(server.url("/", "localhost")).reason.default_message, HasSubstr("1 is a loopback address"));
}

TEST_F(Addresses, AreCheckedAgainAfterARedirect) {
  ScriptedHttpServer inner(always(ok("secret")));
  std::string location;
  ScriptedHttpServer server([&](const Request&, Connection& connection) { connection.send(redirect_to(location)); });
  allow({"127.0.0.1"});  // and no other of the network
  for (const char* host : {"127.0.0.2", "[::ffff:127.0.0.2]", "127.2", "0.0.0.0", "169.254.169.254"}) {
    location = inner.url("/", host);
    const auto outcome = fetch(server.url("/"));
    expect_refused(outcome);
    EXPECT_THAT(outcome.reason.default_message, HasSubstr(" is a"));
  }
  EXPECT_TRUE(inner.requests().empty());
}

// A name may have an allowed address when somebody looks it up and a forbidden one when the connection is made. There
// is no such first look here: the policy is asked in the callback that makes the socket, with the address that this
// socket is connected to next. This test stands in for the changing name: "localhost" passes every check of the name
// itself, is looked up by libcurl alone, and is refused by its address; each fetch looks it up again.
TEST_F(Addresses, AreJudgedWhereTheConnectionIsMade) {
  ScriptedHttpServer server(always(ok("content")));
  allow({"127.0.0.0/8", "::1"});
  EXPECT_EQ(fetch(server.url("/", "localhost")).failure, FetchFailure::none);
  sink_ = CollectingSink();
  allow({});
  expect_refused(fetch(server.url("/", "localhost")));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(Addresses, OneAllowedAmongTheHostsIsEnough) {
  ScriptedHttpServer server(always(ok("content")));
  allow({"127.0.0.1"});  // libcurl knows ::1 for this name as well
  EXPECT_EQ(fetch(server.url("/", "localhost")).failure, FetchFailure::none);
}

TEST_F(Addresses, DenyBeatsAllow) {
  ScriptedHttpServer server(always(ok("content")));
  const std::vector<std::string> allowed = {"127.0.0.0/8"};
  const std::vector<std::string> denied = {"127.0.0.1"};
  options_.policy = *content::AddressPolicy::make(allowed, denied);
  expect_refused(fetch(server.url("/")));
}

/// Sets http_proxy and https_proxy while it lives.
class ProxyInEnvironment {
 public:
  explicit ProxyInEnvironment(const std::string& url) {
    for (const char* name : names) setenv(name, url.c_str(), 1);
  }
  ~ProxyInEnvironment() {
    for (const char* name : names) unsetenv(name);
  }

 private:
  static constexpr std::array names = {"http_proxy", "https_proxy"};
};

TEST_F(Addresses, TheProxysOwnIsNotJudgedButTheTargetsIs) {
  ScriptedHttpServer proxy(always(ok("content")));
  const ProxyInEnvironment environment("http://proxyuser:proxypass@127.0.0.1:" + std::to_string(proxy.port()));
  allow({});
  // A name that only the proxy knows is left to it; .invalid has no address anywhere.
  EXPECT_EQ(fetch("http://only-the-proxy-knows.invalid/a.iso").failure, FetchFailure::none);
  EXPECT_EQ(sink_.taken, "content");
  ASSERT_EQ(proxy.requests().size(), 1U);
  EXPECT_EQ(proxy.requests()[0].target, "http://only-the-proxy-knows.invalid/a.iso");
  EXPECT_TRUE(proxy.requests()[0].header("Proxy-Authorization"));

  sink_ = CollectingSink();
  for (const char* url : {"http://localhost/", "http://127.0.0.1/", "https://127.0.0.1/", "http://[::ffff:127.0.0.1]/",
                          "http://169.254.169.254/latest", "http://2130706433/"})
    expect_refused(fetch(url));
  EXPECT_EQ(proxy.requests().size(), 1U);
}

TEST_F(Addresses, ARefusingProxyIsNamed) {
  const std::string url = "https://only-the-proxy-knows.invalid/a.iso";
  for (const auto& [answer, worth_retrying] :
       {std::pair("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", false),
        std::pair("HTTP/1.1 407 Who Are You\r\nContent-Length: 0\r\n\r\n", false),
        std::pair("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", true)}) {
    ScriptedHttpServer proxy(always(answer));
    const ProxyInEnvironment environment("http://127.0.0.1:" + std::to_string(proxy.port()));
    const auto outcome = fetch(url);
    EXPECT_EQ(outcome.failure, FetchFailure::not_connected) << outcome.reason.default_message;
    EXPECT_EQ(outcome.worth_retrying, worth_retrying) << answer;
    EXPECT_THAT(outcome.reason.default_message, HasSubstr("proxy"));
    EXPECT_EQ(proxy.requests().at(0).method, "CONNECT");
  }
  const ProxyInEnvironment environment("https://127.0.0.1:1");
  EXPECT_EQ(fetch(url).reason.id, "quire.pull.proxy_unsupported");
}

}  // namespace
}  // namespace quire::adapters::curl
