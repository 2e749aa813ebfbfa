#include "adapters/curl/curl_fetcher.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <random>
#include <sstream>
#include <thread>

#include "adapters/curl/fetch_fixture.h"
#include "support/mutation.h"
#include "support/seed.h"

namespace quire::adapters::curl {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class CurlFetcher : public FetchTest {
 protected:
  /// One attempt at a server that always sends `answer` and closes.
  FetchOutcome fetch_answer(const std::string& answer) {
    ScriptedHttpServer server(always(answer));
    return fetch(server.url("/a.iso"));
  }
};

TEST_F(CurlFetcher, HandsOnTheContent) {
  ScriptedHttpServer server(always(ok("content", "ETag: \"v1\"\r\n")));
  const auto outcome = fetch(server.url("/a%20b.iso?q=1"));
  EXPECT_EQ(outcome.failure, FetchFailure::none);
  EXPECT_EQ(outcome.status, 200);
  EXPECT_FALSE(outcome.presented);
  EXPECT_EQ(sink_.taken, "content");
  ASSERT_EQ(sink_.begun.size(), 1U);
  EXPECT_EQ(sink_.begun[0].status, 200);
  EXPECT_EQ(sink_.begun[0].offset, 0);
  EXPECT_EQ(sink_.begun[0].length, 7);
  EXPECT_EQ(sink_.begun[0].validator, "\"v1\"");

  ASSERT_EQ(server.requests().size(), 1U);
  const auto request = server.requests()[0];
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/a%20b.iso?q=1");
  EXPECT_EQ(request.header("Accept-Encoding"), "identity");
  EXPECT_EQ(request.header("User-Agent"), "quire-test");
  EXPECT_EQ(request.header("Range"), std::nullopt);
  EXPECT_EQ(request.header("If-Range"), std::nullopt);
  EXPECT_EQ(request.header("Authorization"), std::nullopt);
}

TEST_F(CurlFetcher, HandsOnEmptyContent) {
  EXPECT_EQ(fetch_answer(ok("")).failure, FetchFailure::none);
  ASSERT_EQ(sink_.begun.size(), 1U);
  EXPECT_EQ(sink_.begun[0].length, 0);
}

TEST_F(CurlFetcher, HandsOnLargeContent) {
  std::string content(3UL << 20, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 2654435761U >> 13);
  EXPECT_EQ(fetch_answer(ok(content)).failure, FetchFailure::none);
  EXPECT_TRUE(sink_.taken == content);
}

TEST_F(CurlFetcher, HandsOnChunksAndIgnoresInterimAnswersAndTrailers) {
  EXPECT_EQ(fetch_answer("HTTP/1.1 103 Early Hints\r\nETag: \"wrong\"\r\n\r\n"
                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"v1\"\r\n\r\n"
                         "4\r\ncont\r\n3;x=y\r\nent\r\n0\r\nX-Trailer: 1\r\n\r\n")
                .failure,
            FetchFailure::none);
  EXPECT_EQ(sink_.taken, "content");
  EXPECT_EQ(sink_.begun[0].length, std::nullopt);
  EXPECT_EQ(sink_.begun[0].validator, "\"v1\"");
}

TEST_F(CurlFetcher, TakesOnlyStrongValidators) {
  for (const char* line : {"ETag: W/\"v1\"\r\n", "ETag: v1\r\n", "ETag: \"a\"\r\nETag: \"b\"\r\n", "ETag:\r\n",
                           "Last-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n"}) {
    sink_ = CollectingSink();
    EXPECT_EQ(fetch_answer(ok("x", line)).failure, FetchFailure::none);
    EXPECT_EQ(sink_.begun.at(0).validator, "") << line;
  }
}

// ---- lengths that lie, and cuts ----

TEST_F(CurlFetcher, ReportsContentThatEndsEarly) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsho",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n"}) {
    sink_ = CollectingSink();
    const auto outcome = fetch_answer(answer);
    EXPECT_EQ(outcome.failure, FetchFailure::broken) << answer;
    EXPECT_TRUE(outcome.worth_retrying);
    EXPECT_EQ(sink_.begun.size(), 1U);
    EXPECT_THAT(outcome.reason.default_message, HasSubstr("/a.iso"));
  }
}

TEST_F(CurlFetcher, TakesNoMoreThanWasPromised) {
  EXPECT_EQ(fetch_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ncontent").failure, FetchFailure::none);
  EXPECT_EQ(sink_.taken, "con");
}

TEST_F(CurlFetcher, ReportsLengthsThatAreNoNumber) {
  for (const char* lines :
       {"Content-Length: x\r\n", "Content-Length: -1\r\n", "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 3\r\nContent-Length: 7\r\n", "Content-Length: 7, 7\r\n"}) {
    sink_ = CollectingSink();
    const auto outcome = fetch_answer("HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\ncontent");
    EXPECT_EQ(outcome.failure, FetchFailure::broken) << lines;
    EXPECT_TRUE(sink_.begun.empty()) << lines;
  }
}

TEST_F(CurlFetcher, CutAnywhereIsNeverAWholeContent) {
  for (const auto& whole :
       {ok("content", "ETag: \"v1\"\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ncont\r\n3\r\nent\r\n0\r\n\r\n")}) {
    for (const bool with_reset : {false, true}) {
      std::atomic<std::size_t> length = 0;
      ScriptedHttpServer server([&](const Request&, Connection& connection) {
        connection.send(std::string_view(whole).substr(0, length));
        if (with_reset) connection.reset();
      });
      // Not the last byte: the line end after the last chunk adds nothing to the content.
      for (length = 0; length + 1 < whole.size(); ++length) {
        sink_ = CollectingSink();
        const auto outcome = fetch(server.url("/"));
        EXPECT_NE(outcome.failure, FetchFailure::none) << "after " << length << " bytes of\n" << whole;
        EXPECT_TRUE(outcome.worth_retrying) << length;
        EXPECT_EQ(outcome.status, std::nullopt) << length;  // so that the caller goes on from where it ended
        EXPECT_TRUE(std::string_view("content").starts_with(sink_.taken)) << sink_.taken;
      }
    }
  }
}

TEST_F(CurlFetcher, ConnectionRefusedIsWorthRetrying) {
  std::string url;
  {
    ScriptedHttpServer server(always(""));
    url = server.url("/");
  }
  const auto outcome = fetch(url);
  EXPECT_EQ(outcome.failure, FetchFailure::not_connected);
  EXPECT_TRUE(outcome.worth_retrying);
  EXPECT_EQ(outcome.status, std::nullopt);
}

TEST_F(CurlFetcher, UnknownHostIsWorthRetrying) {
  const auto outcome = fetch("http://no-such-host.invalid/a.iso");
  EXPECT_EQ(outcome.failure, FetchFailure::host_not_found);
  EXPECT_TRUE(outcome.worth_retrying);
}

TEST_F(CurlFetcher, RefusesUnusableUrlsWithoutShowingThem) {
  for (const char* url :
       {"", "ftp://user:secret@127.0.0.1/", "file:///etc/passwd", "http://user:secret@", "nonsense secret"}) {
    const auto outcome = fetch(url);
    EXPECT_EQ(outcome.failure, FetchFailure::unusable_url) << url;
    EXPECT_FALSE(outcome.worth_retrying);
    EXPECT_THAT(outcome.reason.default_message, Not(HasSubstr("secret")));
  }
}

// ---- stalls and stops ----

TEST_F(CurlFetcher, ReportsAStallAtEveryPoint) {
  options_.stall_timeout = 40ms;
  for (const char* start : {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nstart",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstart\r\n"}) {
    sink_ = CollectingSink();
    ScriptedHttpServer server([&](const Request&, Connection& connection) {
      connection.send(start);
      connection.stall();
    });
    const auto outcome = fetch(server.url("/"));
    EXPECT_EQ(outcome.failure, FetchFailure::stalled) << start;
    EXPECT_TRUE(outcome.worth_retrying);
  }
}

TEST_F(CurlFetcher, ReportsAServerThatNeverEndsItsTlsHandshake) {
  options_.connect_timeout = 40ms;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const auto outcome = fetch("https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/");
  EXPECT_EQ(outcome.failure, FetchFailure::timed_out);
  EXPECT_TRUE(outcome.worth_retrying);
  close(listener);
}

TEST_F(CurlFetcher, StopsWhileTheServerIsSilent) {
  ScriptedHttpServer server([&](const Request&, Connection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nstart");
    stop_ = true;
    connection.stall();
  });
  const auto outcome = fetch(server.url("/"));
  EXPECT_EQ(outcome.failure, FetchFailure::stopped);
  EXPECT_FALSE(outcome.worth_retrying);
}

TEST_F(CurlFetcher, StopsWhileBytesFlow) {
  ScriptedHttpServer server([](const Request&, Connection& connection) {
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.send(std::string(100'000, 'x'))) {
    }
  });
  sink_.on_bytes = [this] { stop_ = sink_.taken.size() > 300'000; };
  EXPECT_EQ(fetch(server.url("/")).failure, FetchFailure::stopped);
}

TEST_F(CurlFetcher, EndsWhenTheSinkRefuses) {
  ScriptedHttpServer server(always(ok(std::string(200'000, 'x'))));
  sink_.limit = 100'000;
  auto outcome = fetch(server.url("/"));
  EXPECT_EQ(outcome.failure, FetchFailure::refused_by_sink);
  EXPECT_FALSE(outcome.worth_retrying);
  EXPECT_EQ(outcome.reason.default_message, "no more");

  sink_ = CollectingSink();
  sink_.refuses_begin = true;
  outcome = fetch(server.url("/"));
  EXPECT_EQ(outcome.failure, FetchFailure::refused_by_sink);
  EXPECT_EQ(outcome.reason.default_message, "no room");
  EXPECT_EQ(sink_.taken, "");
}

// ---- going on from an offset ----

class CurlFetcherResume : public CurlFetcher {
 protected:
  FetchOutcome resume(const std::string& answer) {
    ScriptedHttpServer server(always(answer));
    content::FetchRequest request;
    request.url = server.url("/a.iso");
    request.offset = 3;
    request.validator = "\"v1\"";
    auto outcome = fetch(request);
    asked_ = server.requests().at(0);
    return outcome;
  }
  static std::string part(const std::string& range, const std::string& body, const std::string& lines = "") {
    return "HTTP/1.1 206 Partial Content\r\nContent-Range: " + range +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + lines + "\r\n" + body;
  }

  Request asked_;
};

TEST_F(CurlFetcherResume, AsksForTheRest) {
  const auto outcome = resume(part("bytes 3-6/7", "tent", "ETag: \"v1\"\r\n"));
  EXPECT_EQ(outcome.failure, FetchFailure::none);
  EXPECT_EQ(outcome.status, 206);
  EXPECT_EQ(asked_.header("Range"), "bytes=3-");
  EXPECT_EQ(asked_.header("If-Range"), "\"v1\"");
  EXPECT_EQ(sink_.taken, "tent");
  EXPECT_EQ(sink_.begun.at(0).offset, 3);
  EXPECT_EQ(sink_.begun.at(0).length, 7);
  EXPECT_EQ(sink_.begun.at(0).validator, "\"v1\"");
}

TEST_F(CurlFetcherResume, ChangedContentComesFromItsStart) {
  EXPECT_EQ(resume(ok("other content", "ETag: \"v2\"\r\n")).failure, FetchFailure::none);
  EXPECT_EQ(sink_.taken, "other content");
  EXPECT_EQ(sink_.begun.at(0).offset, 0);
  EXPECT_EQ(sink_.begun.at(0).status, 200);
  EXPECT_EQ(sink_.begun.at(0).validator, "\"v2\"");
}

TEST_F(CurlFetcherResume, APartThatDoesNotFitNeverReachesTheSink) {
  for (const auto& answer :
       {part("bytes 3-6/7", "tent"), part("bytes 3-6/7", "tent", "ETag: W/\"v1\"\r\n"),
        part("bytes 2-6/7", "ntent", "ETag: \"v1\"\r\n"), part("bytes 4-6/7", "ent", "ETag: \"v1\"\r\n"),
        part("bytes 0-6/7", "content", "ETag: \"v1\"\r\n"), part("bytes */7", "", "ETag: \"v1\"\r\n"),
        part("bytes 3-6/*", "tent", "ETag: \"v1\"\r\n"), part("nonsense", "tent", "ETag: \"v1\"\r\n"),
        part("bytes 3-6/5", "tent", "ETag: \"v1\"\r\n"),
        part("bytes 3-6/7", "tent", "Content-Range: bytes 3-6/9\r\nETag: \"v1\"\r\n"),
        part("bytes 3-6/7", "tent", "ETag: \"v2\"\r\n"),
        std::string("HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n\r\ntent"),
        std::string("HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=x\r\n"
                    "Content-Length: 3\r\n\r\n--x"),
        std::string("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */2\r\nContent-Length: 0\r\n\r\n")}) {
    sink_ = CollectingSink();
    const auto outcome = resume(answer);
    EXPECT_EQ(outcome.failure, FetchFailure::broken) << answer;
    EXPECT_TRUE(outcome.worth_retrying);
    EXPECT_TRUE(outcome.status == 206 || outcome.status == 416);
    EXPECT_TRUE(sink_.begun.empty()) << answer;
  }
}

TEST_F(CurlFetcherResume, APartThatEndsBeforeTheContentIsBroken) {
  EXPECT_EQ(resume(part("bytes 3-4/7", "te", "ETag: \"v1\"\r\n")).failure, FetchFailure::broken);
  EXPECT_EQ(sink_.taken, "te");
  sink_ = CollectingSink();
  EXPECT_EQ(
      resume("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 3-6/7\r\nETag: \"v1\"\r\n\r\ntent and more").failure,
      FetchFailure::broken);
  EXPECT_TRUE(std::string("tent").starts_with(sink_.taken));
}

TEST_F(CurlFetcher, AnOffsetWithoutValidatorIsAskedForFromTheStart) {
  ScriptedHttpServer server(always(ok("content")));
  content::FetchRequest request;
  request.url = server.url("/");
  request.offset = 3;
  EXPECT_EQ(fetch(request).failure, FetchFailure::none);
  EXPECT_EQ(server.requests().at(0).header("Range"), std::nullopt);
  EXPECT_EQ(sink_.begun.at(0).offset, 0);
}

TEST_F(CurlFetcher, AValidatorThatIsNoneIsNotSent) {
  ScriptedHttpServer server(always(ok("content")));
  for (const char* validator : {"W/\"v1\"", "\"v1\"\r\nX-Injected: \"1\"", "v1"}) {
    sink_ = CollectingSink();
    content::FetchRequest request;
    request.url = server.url("/");
    request.offset = 3;
    request.validator = validator;
    EXPECT_EQ(fetch(request).failure, FetchFailure::none);
    EXPECT_EQ(server.requests().back().header("If-Range"), std::nullopt);
    EXPECT_EQ(server.requests().back().header("X-Injected"), std::nullopt);
  }
}

TEST_F(CurlFetcher, APartThatNobodyAskedForIsBroken) {
  EXPECT_EQ(
      fetch_answer("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/7\r\nContent-Length: 2\r\n\r\nco").failure,
      FetchFailure::broken);
  EXPECT_TRUE(sink_.begun.empty());
}

// ---- statuses ----

TEST_F(CurlFetcher, TellsStatusesApart) {
  struct Row {
    int status;
    FetchFailure failure;
    bool worth_retrying;
  };
  for (const auto& row :
       std::array{Row{401, FetchFailure::unauthorized, false}, Row{403, FetchFailure::unauthorized, false},
                  Row{404, FetchFailure::not_there, false},    Row{410, FetchFailure::not_there, false},
                  Row{400, FetchFailure::status, false},       Row{405, FetchFailure::status, false},
                  Row{407, FetchFailure::status, false},       Row{408, FetchFailure::status, true},
                  Row{418, FetchFailure::status, false},       Row{429, FetchFailure::status, true},
                  Row{451, FetchFailure::status, false},       Row{500, FetchFailure::status, true},
                  Row{502, FetchFailure::status, true},        Row{503, FetchFailure::status, true},
                  Row{504, FetchFailure::status, true},        Row{599, FetchFailure::status, true},
                  Row{202, FetchFailure::status, false},       Row{203, FetchFailure::status, false},
                  Row{204, FetchFailure::status, false},       Row{300, FetchFailure::status, false},
                  Row{304, FetchFailure::status, false},       Row{302, FetchFailure::redirect, false}}) {
    const auto outcome =
        fetch_answer("HTTP/1.1 " + std::to_string(row.status) + " Said So\r\nContent-Length: 4\r\n\r\nbody");
    EXPECT_EQ(outcome.failure, row.failure) << row.status;
    EXPECT_EQ(outcome.worth_retrying, row.worth_retrying) << row.status;
    EXPECT_EQ(outcome.status, row.status);
    EXPECT_EQ(outcome.retry_after, std::nullopt);
    EXPECT_THAT(outcome.reason.default_message, HasSubstr(std::to_string(row.status)));
    EXPECT_TRUE(sink_.begun.empty());
  }
}

TEST_F(CurlFetcher, HandsOnTheBodyOfARefusal) {
  const auto body_of = [this](const std::string& status, const std::string& rest) {
    return fetch_answer("HTTP/1.1 " + status + " Said So\r\n" + rest).body;
  };
  for (const char* status : {"300", "400", "401", "404", "416", "500", "503"}) {
    EXPECT_EQ(body_of(status, "Content-Length: 4\r\n\r\nbody"), "body") << status;
    EXPECT_EQ(body_of(status, "Content-Length: 0\r\n\r\n"), "") << status;
  }
  EXPECT_EQ(body_of("503", "\r\nto the end"), "to the end");
  EXPECT_EQ(body_of("503", "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"), "body");
  EXPECT_EQ(body_of("503", "Content-Length: 9\r\n\r\nshort"), "short") << "the refusal stands";
  const std::string limit(4096, 'x');
  EXPECT_EQ(body_of("503", "Content-Length: 4096\r\n\r\n" + limit), limit);
  EXPECT_EQ(body_of("503", "\r\n" + std::string(1'000'000, 'x')), limit);
  EXPECT_EQ(body_of("200", "Content-Length: 4\r\n\r\nbody"), "");
  EXPECT_EQ(body_of("302", "Content-Length: 4\r\n\r\nbody"), "");
  EXPECT_EQ(sink_.taken, "body") << "of the success only";
}

TEST_F(CurlFetcher, DoesNotWaitForTheBodyOfARefusal) {
  options_.stall_timeout = 40ms;
  for (const char* start : {"HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 404 Not Found\r\n\r\nstart",
                            "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nstart"}) {
    ScriptedHttpServer server([&](const Request&, Connection& connection) {
      connection.send(start);
      connection.stall();
    });
    const auto outcome = fetch(server.url("/"));
    EXPECT_EQ(outcome.failure, FetchFailure::not_there) << start;
    EXPECT_EQ(outcome.body, std::string_view(start).ends_with("start") ? "start" : "");
  }
}

TEST_F(CurlFetcher, ReadsRetryAfter) {
  const auto after = [this](const std::string& status, const std::string& value) {
    return fetch_answer("HTTP/1.1 " + status + " Later\r\nRetry-After: " + value + "\r\nContent-Length: 0\r\n\r\n")
        .retry_after;
  };
  EXPECT_EQ(after("429", "17"), 17s);
  EXPECT_EQ(after("503", "120"), 120s);
  EXPECT_EQ(after("404", "17"), std::nullopt);
  EXPECT_EQ(after("429", "nonsense"), std::nullopt);
  EXPECT_EQ(after("429", "-5"), std::nullopt);
  EXPECT_EQ(after("429", "Wed, 01 Jan 2020 00:00:00 GMT"), std::nullopt);
  EXPECT_EQ(after("429", "99999999999"), 7 * 24h);
  const auto in_two_minutes = std::time(nullptr) + 120;
  std::array<char, 64> date{};
  std::tm parts{};
  ASSERT_NE(std::strftime(date.data(), date.size(), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&in_two_minutes, &parts)),
            0U);
  const auto by_date = after("429", date.data());
  ASSERT_TRUE(by_date);
  EXPECT_LE(*by_date, 120s);
  EXPECT_GE(*by_date, 60s);
}

// ---- heads that are too much, and garbage ----

TEST_F(CurlFetcher, BoundsTheHead) {
  const std::string line = "X-Filler: " + std::string(1000, 'x') + "\r\n";
  for (const std::string& between : {line, "\r\nHTTP/1.1 103 Early Hints\r\n" + line}) {
    ScriptedHttpServer server([&](const Request&, Connection& connection) {
      connection.send(between == line ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 103 Early Hints\r\n");
      while (connection.send(between)) {
      }
    });
    const auto outcome = fetch(server.url("/"));
    EXPECT_EQ(outcome.failure, FetchFailure::broken);
    EXPECT_TRUE(sink_.begun.empty());
  }
  ScriptedHttpServer server([](const Request&, Connection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nX-Filler: ");
    while (connection.send(std::string(10'000, 'x'))) {
    }
  });
  EXPECT_EQ(fetch(server.url("/")).failure, FetchFailure::broken);
}

TEST_F(CurlFetcher, RefusesWhatIsNotHttp) {
  for (const char* answer :
       {"SSH-2.0-OpenSSH\r\n", "content", "HTTP/0.9 200 OK\r\n\r\ncontent", "HTTP/9.9 200 OK\r\n\r\ncontent",
        "HTTP/1.1 2000 OK\r\n\r\ncontent", "HTTP/1.1 OK\r\n\r\ncontent", "\r\n\r\n", "\0\0\0\0"}) {
    const auto outcome = fetch_answer(answer);
    EXPECT_EQ(outcome.failure, FetchFailure::broken) << answer;
    EXPECT_TRUE(sink_.begun.empty()) << answer;
  }
}

TEST_F(CurlFetcher, SurvivesDamagedAnswers) {
  test_support::Mutator mutator(test_support::test_seed());
  const std::array answers = {
      ok("content", "ETag: \"v1\"\r\nContent-Type: application/octet-stream\r\n"),
      std::string("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 3-6/7\r\nETag: \"v1\"\r\nContent-Length: "
                  "4\r\n\r\ntent"),
      std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ncont\r\n3\r\nent\r\n0\r\n\r\n"),
      redirect_to("/again"), std::string("HTTP/1.1 429 Later\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n")};
  constexpr int attempts = 500;
  std::vector<std::string> damaged;
  damaged.reserve(attempts);
  for (int i = 0; i < attempts; ++i) damaged.push_back(mutator.damaged(answers[mutator.below(answers.size())]));
  std::atomic<std::size_t> now = 0;
  ScriptedHttpServer server([&](const Request&, Connection& connection) { connection.send(damaged[now]); });
  content::FetchRequest request;
  request.url = server.url("/a.iso");
  request.offset = 3;
  request.validator = "\"v1\"";
  for (; now + 1 < damaged.size(); ++now) {  // the server may still look while it is raised
    const auto& answer = damaged[now];
    sink_ = CollectingSink();
    const auto outcome = fetch(request);
    if (outcome.failure == FetchFailure::none) {
      ASSERT_EQ(sink_.begun.size(), 1U) << answer;
      const auto& begun = sink_.begun[0];
      if (begun.length) {
        EXPECT_EQ(begun.offset + static_cast<std::int64_t>(sink_.taken.size()), *begun.length) << answer;
      }
      EXPECT_TRUE(begun.offset == 0 || begun.offset == 3) << answer;
    } else {
      EXPECT_FALSE(outcome.reason.default_message.empty()) << answer;
      EXPECT_FALSE(outcome.reason.id.empty()) << answer;
    }
  }
}

// ---- probe ----

TEST_F(CurlFetcher, ProbesByHead) {
  ScriptedHttpServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"));
  const auto outcome = probe(server.url("/a.iso"));
  EXPECT_EQ(outcome.failure, FetchFailure::none);
  EXPECT_EQ(outcome.status, 200);
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_EQ(server.requests()[0].method, "HEAD");
}

TEST_F(CurlFetcher, ProbesByOneByteWhereHeadIsRefused) {
  for (const char* refusal : {"400", "403", "404", "405", "500", "501"}) {
    for (const char* answer :
         {"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/9\r\nContent-Length: 1\r\n\r\nx",
          "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nxxxx",
          "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n"}) {
      ScriptedHttpServer server([&](const Request& request, Connection& connection) {
        connection.send(request.method == "HEAD"
                            ? "HTTP/1.1 " + std::string(refusal) + " No\r\nContent-Length: 0\r\n\r\n"
                            : answer);
      });
      EXPECT_EQ(probe(server.url("/a.iso")).failure, FetchFailure::none) << refusal << answer;
      ASSERT_EQ(server.requests().size(), 2U);
      EXPECT_EQ(server.requests()[1].method, "GET");
      EXPECT_EQ(server.requests()[1].header("Range"), "bytes=0-0");
    }
  }
}

TEST_F(CurlFetcher, ProbeReportsWhatTheGetSays) {
  ScriptedHttpServer server([](const Request& request, Connection& connection) {
    connection.send(request.method == "HEAD" ? "HTTP/1.1 405 No\r\n\r\n" : "HTTP/1.1 404 Not Found\r\n\r\n");
  });
  const auto outcome = probe(server.url("/a.iso"));
  EXPECT_EQ(outcome.failure, FetchFailure::not_there);
  EXPECT_EQ(outcome.status, 404);
}

// ---- credentials ----

TEST_F(CurlFetcher, SendsCredentialsOfTheUrl) {
  ScriptedHttpServer server(always(ok("content")));
  content::FetchRequest request;
  request.url = "http://user:p%40ss@127.0.0.1:" + std::to_string(server.port()) + "/";
  EXPECT_EQ(fetch(request).failure, FetchFailure::none);
  EXPECT_EQ(server.requests().at(0).header("Authorization"), "Basic dXNlcjpwQHNz");
  EXPECT_THAT(server.requests()[0].head, Not(HasSubstr("p%40ss")));
}

/// Everything that spdlog's default logger takes while it lives, at every level.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_));
    logger->set_level(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
  std::shared_ptr<spdlog::logger> before_;
};

TEST_F(CurlFetcher, NothingTellsCredentials) {
  const CapturedLog log;
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  std::string told;
  for (const char* answer :
       {"HTTP/1.1 401 No\r\n\r\n", "HTTP/1.1 404 No\r\n\r\n", "HTTP/1.1 500 No\r\n\r\n", "garbage", "",
        "HTTP/1.1 302 Found\r\nLocation: ftp://name:hidden@x/?hidden\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://name:hidden@[::1]:1/?hidden\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /?hidden\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12"}) {
    ScriptedHttpServer server(always(answer));
    const auto outcome =
        fetch("http://name:hidden@127.0.0.1:" + std::to_string(server.port()) + "/a?token=hidden#hidden");
    EXPECT_NE(outcome.failure, FetchFailure::none);
    told += outcome.reason.default_message + "\n";
    for (const auto& arg : outcome.reason.args()) told += arg + "\n";
    sink_ = CollectingSink();
  }
  told += testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout() + log.text();
  EXPECT_THAT(told, Not(HasSubstr("hidden")));
  EXPECT_THAT(told, Not(HasSubstr("name:")));
}

TEST_F(CurlFetcher, SaysBeforehandWhatCanNeverBeFetched) {
  const auto fetcher = make_curl_fetcher(options_);
  const auto check = [&](const std::string& url, const content::FetchTrust& trust = {}) {
    const auto checked = fetcher->check({url, 0, "", trust});
    return checked ? "" : checked.error().messages().front().id;
  };
  EXPECT_EQ(check("https://host.example/a"), "");
  EXPECT_EQ(check("http:///a"), "quire.pull.unusable_url");
  EXPECT_EQ(check("file:///etc/passwd"), "quire.pull.unusable_url");
  EXPECT_EQ(check("https://host.example/a", {"no certificate", std::nullopt}), "quire.pull.certificate_unreadable");
  EXPECT_EQ(check("https://host.example/a", {std::nullopt, "AB:CD"}), "quire.pull.thumbprint_unreadable");
  EXPECT_EQ(check("https://host.example/a", {std::nullopt, std::string(64, 'a')}), "");
}

TEST_F(CurlFetcher, ManyThreadsShareOneFetcher) {
  const std::string content(100'000, 'x');
  ScriptedHttpServer server(always(ok(content)));
  const auto fetcher = make_curl_fetcher(options_);
  constexpr int count = 4;
  std::vector<std::thread> threads;
  threads.reserve(count);
  std::atomic<int> whole{0};
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      CollectingSink sink;
      content::FetchRequest request;
      request.url = server.url("/");
      if (fetcher->fetch(request, sink, stop_).failure == FetchFailure::none && sink.taken == content) ++whole;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(whole, count);
}

}  // namespace
}  // namespace quire::adapters::curl
