#include <gmock/gmock.h>

#include <fstream>
#include <list>
#include <thread>

#include "adapters/curl/fetch_fixture.h"
#include "base/clock.h"
#include "support/certificate_maker.h"
#include "support/temporary_folder.h"

namespace quire::adapters::curl {
namespace {

using test_support::CertificateMaker;
using Identity = CertificateMaker::Identity;

/// A server that takes many requests on a connection, and many connections at a time.
class PatientServer {
 public:
  /// Sends the answer to a request, `number` of its connection from 0. False: the connection ends.
  using Script = std::function<bool(const Request&, Connection&, int number)>;

  explicit PatientServer(Script script, std::optional<Identity> identity = std::nullopt)
      : script_(std::move(script)), identity_(std::move(identity)) {
    std::signal(SIGPIPE, SIG_IGN);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, length) != 0 || listen(listener_, SOMAXCONN) != 0 ||
        getsockname(listener_, generic, &length) != 0)
      throw std::runtime_error("cannot listen on 127.0.0.1");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  PatientServer(const PatientServer&) = delete;
  PatientServer& operator=(const PatientServer&) = delete;
  /// The clients have to be gone.
  ~PatientServer() {
    eventfd_write(stopped_, 1);
    thread_.join();
    for (auto& one : serving_) one.join();
    close(listener_);
    close(stopped_);
  }

  std::string url(const std::string& path, const std::string& host = "localhost") const {
    return (identity_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + path;
  }
  int accepted() const { return accepted_; }
  /// Waits until that many connections have ended at this end.
  void wait_for_ends(int count) const {
    for (int ended = ended_; ended < count; ended = ended_) ended_.wait(ended);
  }

 private:
  void serve() {
    std::array<pollfd, 2> waiting{pollfd{listener_, POLLIN, 0}, pollfd{stopped_, POLLIN, 0}};
    while (poll(waiting.data(), waiting.size(), -1) > 0 && waiting[1].revents == 0) {
      const int socket = accept(listener_, nullptr, nullptr);
      ++accepted_;
      serving_.emplace_back([this, socket] {
        answer(socket);
        ++ended_;
        ended_.notify_all();
      });
    }
  }
  void answer(int socket) {
    Connection connection(socket, stopped_);
    if (identity_ && !connection.start_tls(*identity_)) return;
    for (int number = 0;; ++number) {
      const auto request = connection.read_request();
      if (!request || !script_(*request, connection, number)) return;
    }
  }

  Script script_;
  std::optional<Identity> identity_;
  int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int stopped_ = eventfd(0, EFD_CLOEXEC);
  int port_ = 0;
  std::atomic<int> accepted_{0};
  std::atomic<int> ended_{0};
  std::list<std::thread> serving_;
  std::thread thread_;
};

/// Sends the request's target back, and goes on.
bool echo(const Request& request, Connection& connection, int /*number*/) {
  return connection.send(ok(request.target));
}

/// Fetches by one fetcher, which has to be made after the servers so that it goes before them.
class Reuse : public FetchTest {
 protected:
  Reuse() {
    CertificateMaker::Spec spec;
    spec.common_name = "test authority";
    spec.not_before = base::SystemClock().now() - std::chrono::hours(24);
    spec.not_after = spec.not_before + std::chrono::hours(48);
    spec.is_authority = true;
    const auto authority = maker_.self_signed(spec);
    spec.common_name = "localhost";
    spec.is_authority = false;
    leaf_ = maker_.issued_by(authority, spec);
    options_.extra_ca_file = (folder_.path() / "roots.pem").string();
    std::ofstream(options_.extra_ca_file) << authority.pem();
  }

  using Fetcher = std::unique_ptr<content::Fetcher>;
  FetchOutcome fetch_by(const Fetcher& fetcher, const std::string& url, const content::FetchTrust& trust = {}) {
    sink_ = CollectingSink();
    content::FetchRequest request;
    request.url = url;
    request.trust = trust;
    return fetcher->fetch(request, sink_, stop_);
  }
  void expect_echo(const Fetcher& fetcher, const PatientServer& server, const std::string& path,
                   const content::FetchTrust& trust = {}) {
    const auto outcome = fetch_by(fetcher, server.url(path), trust);
    EXPECT_EQ(outcome.failure, FetchFailure::none) << outcome.reason.default_message;
    EXPECT_EQ(sink_.taken, path);
  }

  CertificateMaker maker_;
  std::optional<Identity> leaf_;
  test_support::TemporaryFolder folder_;
};

TEST_F(Reuse, ManyFetchesNeedOneConnection) {
  for (const bool tls : {false, true}) {
    PatientServer server(&echo, tls ? leaf_ : std::nullopt);
    const auto fetcher = make_curl_fetcher(options_);
    for (const char* path : {"/a", "/b", "/c", "/d"}) expect_echo(fetcher, server, path);
    EXPECT_EQ(server.accepted(), 1);
  }
}

TEST_F(Reuse, ARefusalThatWasReadLeavesTheConnection) {
  PatientServer server([](const Request& request, Connection& connection, int) {
    return connection.send(request.target == "/none" ? "HTTP/1.1 503 Wait\r\nContent-Length: 5\r\n\r\nwait!"
                           : request.target == "/from"
                               ? "HTTP/1.1 302 Found\r\nLocation: /to\r\nContent-Length: 0\r\n\r\n"
                               : ok("content"));
  });
  const auto fetcher = make_curl_fetcher(options_);
  auto outcome = fetch_by(fetcher, server.url("/none"));
  EXPECT_EQ(outcome.failure, FetchFailure::status);
  EXPECT_EQ(outcome.body, "wait!");
  outcome = fetch_by(fetcher, server.url("/from"));
  EXPECT_EQ(outcome.failure, FetchFailure::none);
  EXPECT_EQ(sink_.taken, "content");
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(Reuse, AFetchThatDidNotEndWellLeavesNoConnection) {
  PatientServer server(
      [](const Request&, Connection& connection, int) { return connection.send(ok(std::string(200'000, 'x'))); });
  const auto fetcher = make_curl_fetcher(options_);
  for (int i = 1; i <= 2; ++i) {
    CollectingSink small;
    small.limit = 100'000;
    content::FetchRequest request;
    request.url = server.url("/");
    EXPECT_EQ(fetcher->fetch(request, small, stop_).failure, FetchFailure::refused_by_sink);
    EXPECT_EQ(server.accepted(), i);
  }
}

TEST_F(Reuse, AnotherTrustIsJudgedAnew) {
  PatientServer server(&echo, leaf_);
  const auto fetcher = make_curl_fetcher(options_);
  expect_echo(fetcher, server, "/a");
  const content::FetchTrust wrong{.certificate_pem = {}, .thumbprint = std::string(40, '0')};
  for (int i = 0; i < 2; ++i) {
    const auto outcome = fetch_by(fetcher, server.url("/b"), wrong);
    EXPECT_EQ(outcome.failure, FetchFailure::certificate);
    EXPECT_TRUE(sink_.begun.empty());
    ASSERT_TRUE(outcome.presented);
    EXPECT_EQ(outcome.presented->pem, leaf_->pem());
  }
  EXPECT_EQ(server.accepted(), 3);
  expect_echo(fetcher, server, "/c");
  EXPECT_EQ(server.accepted(), 3) << "the first is still good for its own trust";
  const content::FetchTrust named{.certificate_pem = leaf_->pem(), .thumbprint = {}};
  expect_echo(fetcher, server, "/d", named);
  expect_echo(fetcher, server, "/e", named);
  EXPECT_EQ(server.accepted(), 4);
}

TEST_F(Reuse, AnotherNameOfTheHostIsJudgedAnew) {
  PatientServer server(&echo, leaf_);
  const auto fetcher = make_curl_fetcher(options_);
  expect_echo(fetcher, server, "/a");
  EXPECT_EQ(fetch_by(fetcher, server.url("/b", "127.0.0.1")).failure, FetchFailure::certificate);
}

TEST_F(Reuse, ProbesTellTheCertificateOfAKeptConnection) {
  PatientServer server(
      [](const Request& request, Connection& connection, int) {
        return connection.send(request.method == "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
                                                        : ok("content"));
      },
      leaf_);
  const auto fetcher = make_curl_fetcher(options_);
  content::FetchRequest request;
  request.url = server.url("/");
  for (int i = 0; i < 2; ++i) {
    const auto outcome = fetcher->probe(request);
    EXPECT_EQ(outcome.failure, FetchFailure::none);
    ASSERT_TRUE(outcome.presented);
    EXPECT_EQ(outcome.presented->pem, leaf_->pem());
    EXPECT_EQ(fetch_by(fetcher, server.url("/")).failure, FetchFailure::none);
  }
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(Reuse, CredentialsAreThoseOfTheRequest) {
  PatientServer server([](const Request& request, Connection& connection, int) {
    return connection.send(ok(request.header("Authorization").value_or("none")));
  });
  const auto fetcher = make_curl_fetcher(options_);
  for (const auto& [user, sent] : {std::pair("a:b@localhost", "Basic YTpi"), std::pair("localhost", "none"),
                                   std::pair("c:d@localhost", "Basic Yzpk")}) {
    EXPECT_EQ(fetch_by(fetcher, server.url("/", user)).failure, FetchFailure::none);
    EXPECT_EQ(sink_.taken, sent);
  }
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(Reuse, AServerThatClosesAfterEachAnswerWorks) {
  for (const bool tls : {false, true}) {
    for (const char* lines : {"Connection: close\r\n", ""}) {
      PatientServer server(
          [&](const Request& request, Connection& connection, int) {
            connection.send(ok(request.target, lines));
            return false;
          },
          tls ? leaf_ : std::nullopt);
      const auto fetcher = make_curl_fetcher(options_);
      for (const char* path : {"/a", "/b", "/c", "/d"}) expect_echo(fetcher, server, path);
      EXPECT_EQ(server.accepted(), 4);
    }
  }
}

TEST_F(Reuse, AServerThatHasClosedTheIdleConnectionIsAskedAgain) {
  for (const bool tls : {false, true}) {
    for (const bool announced : {false, true}) {
      PatientServer server(
          [&](const Request& request, Connection& connection, int) {
            connection.send(ok(request.target));
            if (tls && announced) connection.end_tls();
            return false;
          },
          tls ? leaf_ : std::nullopt);
      const auto fetcher = make_curl_fetcher(options_);
      for (int i = 1; i <= 3; ++i) {
        expect_echo(fetcher, server, "/a");
        server.wait_for_ends(i);
      }
      EXPECT_EQ(server.accepted(), 3);
    }
  }
}

// What a server does whose time for idle connections is over just when the next request arrives.
TEST_F(Reuse, AServerThatClosesInsteadOfAnsweringIsAskedAgain) {
  for (const bool tls : {false, true}) {
    for (const char* end : {"as it is", "announced", "reset"}) {
      PatientServer server(
          [&](const Request& request, Connection& connection, int number) {
            if (number == 0) return connection.send(ok(request.target));
            if (tls && std::string_view(end) == "announced") connection.end_tls();
            if (std::string_view(end) == "reset") connection.reset();
            return false;
          },
          tls ? leaf_ : std::nullopt);
      const auto fetcher = make_curl_fetcher(options_);
      for (const char* path : {"/a", "/b", "/c", "/d"}) expect_echo(fetcher, server, path);
      EXPECT_EQ(server.accepted(), 4) << end;
    }
  }
}

TEST_F(Reuse, AServerThatNeverAnswersIsNotAskedForEver) {
  PatientServer server([](const Request& request, Connection& connection, int) {
    return request.target == "/a" && connection.send(ok(request.target));
  });
  const auto fetcher = make_curl_fetcher(options_);
  expect_echo(fetcher, server, "/a");
  const auto outcome = fetch_by(fetcher, server.url("/b"));
  EXPECT_EQ(outcome.failure, FetchFailure::broken);
  EXPECT_TRUE(outcome.worth_retrying);
  EXPECT_EQ(server.accepted(), 2);
}

TEST_F(Reuse, AKeptConnectionStallsAsANewOne) {
  options_.stall_timeout = std::chrono::seconds(1);
  PatientServer server([](const Request& request, Connection& connection, int) {
    if (request.target == "/a") return connection.send(ok(request.target));
    connection.stall();
    return false;
  });
  const auto fetcher = make_curl_fetcher(options_);
  expect_echo(fetcher, server, "/a");
  EXPECT_EQ(fetch_by(fetcher, server.url("/b")).failure, FetchFailure::stalled);
  EXPECT_EQ(server.accepted(), 1);
  expect_echo(fetcher, server, "/a");
  EXPECT_EQ(server.accepted(), 2);
}

TEST_F(Reuse, BytesThatNobodyAskedForAnswerNothing) {
  PatientServer server([](const Request& request, Connection& connection, int) {
    return connection.send(ok(request.target) + ok("unasked"));
  });
  const auto fetcher = make_curl_fetcher(options_);
  for (const char* path : {"/a", "/b", "/c"}) expect_echo(fetcher, server, path);
  EXPECT_EQ(server.accepted(), 3);
}

TEST_F(Reuse, ThreadsDoNotShareAConnection) {
  PatientServer server(&echo, leaf_);
  const auto fetcher = make_curl_fetcher(options_);
  constexpr int threads = 4;
  constexpr int fetches = 25;
  std::atomic<int> right{0};
  std::vector<std::thread> running;
  running.reserve(threads);
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      for (int k = 0; k < fetches; ++k) {
        const auto path = "/" + std::to_string(i) + "/" + std::to_string(k);
        CollectingSink sink;
        content::FetchRequest request;
        request.url = server.url(path);
        if (fetcher->fetch(request, sink, stop_).failure == FetchFailure::none && sink.taken == path) ++right;
      }
    });
  }
  for (auto& thread : running) thread.join();
  EXPECT_EQ(right, threads * fetches);
  EXPECT_LE(server.accepted(), threads);
}

TEST_F(Reuse, TheTunnelOfAProxyIsKept) {
  PatientServer proxy([&](const Request& request, Connection& connection, int) {
    if (request.method == "CONNECT")
      return connection.send("HTTP/1.1 200 Connected\r\n\r\n") && connection.start_tls(*leaf_);
    return connection.send(ok(request.target));
  });
  setenv("https_proxy", proxy.url("").c_str(), 1);
  {
    const auto fetcher = make_curl_fetcher(options_);
    for (const char* path : {"/a", "/b"}) {
      EXPECT_EQ(fetch_by(fetcher, std::string("https://localhost") + path).failure, FetchFailure::none);
      EXPECT_EQ(sink_.taken, path);
    }
    EXPECT_EQ(proxy.accepted(), 1);
  }
  unsetenv("https_proxy");
}

}  // namespace
}  // namespace quire::adapters::curl
