#include "http/request_head.h"

#include <gmock/gmock.h>

#include <string>

#include "http/chunked_framing.h"
#include "http/transfer_target.h"

namespace quire::http {
namespace {

using testing::HasSubstr;

/// With a Host field, unless there is one or it has to be missing.
std::variant<RequestHead, Refusal> parse(const std::string& text) {
  const bool complete = text.find("Host:") != std::string::npos || text.find("HTTP/1.1\r\n") == std::string::npos;
  return parse_request_head(text + (complete ? "" : "Host: h\r\n") + "\r\n", 100);
}

RequestHead parsed(const std::string& text) {
  auto result = parse(text);
  if (const auto* refusal = std::get_if<Refusal>(&result)) {
    ADD_FAILURE() << text << refusal->message().default_message;
    return {};
  }
  return std::get<RequestHead>(result);
}

int refused(const std::string& text) {
  const auto result = parse(text);
  const auto* refusal = std::get_if<Refusal>(&result);
  return refusal ? refusal->status() : 0;
}

TEST(RequestHead, Plain) {
  const auto head = parsed("POST /a?b=%20c HTTP/1.1\r\nHost: h:8443\r\nContent-Length: 12\r\nX-Y:\t v v \r\n");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a?b=%20c");
  EXPECT_EQ(head.host, "h:8443");
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_FALSE(head.chunked);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(head.headers.all().size(), 3u);
  EXPECT_EQ(head.headers.all()[2].first, "X-Y");
  EXPECT_EQ(head.headers.all()[2].second, "v v");
}

TEST(RequestHead, WhetherTheConnectionGoesOn) {
  EXPECT_TRUE(parsed("GET / HTTP/1.1\r\n").keep_alive);
  EXPECT_FALSE(parsed("GET / HTTP/1.1\r\nConnection: TE, Close\r\n").keep_alive);
  EXPECT_FALSE(parsed("GET / HTTP/1.0\r\n").keep_alive);
  EXPECT_TRUE(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n").keep_alive);
}

TEST(RequestHead, AuthorityOfAbsoluteTargetsIsTheHost) {
  EXPECT_EQ(parsed("GET http://other:8/a?b HTTP/1.1\r\nHost: h\r\n").host, "other:8");
  EXPECT_EQ(parsed("GET http://other/a?b HTTP/1.1\r\n").target, "/a?b");
  EXPECT_EQ(parsed("GET HTTPS://other HTTP/1.1\r\n").target, "/");
  EXPECT_EQ(parsed("GET http://other?b HTTP/1.1\r\n").target, "/?b");
  EXPECT_EQ(parsed("OPTIONS * HTTP/1.1\r\n").target, "*");
}

TEST(RequestHead, Hosts) {
  for (const auto* host : {"h", "h:1", "h:", "H.example.", "my_host:65535", "127.0.0.1:80", "[::1]", "[fe80::1]:443"})
    EXPECT_TRUE(is_host(host)) << host;
  for (const auto* no_host :
       {"",       ":",   ":80", "h:x", "h:-1", "h:65536", "h:1:2", "::1", "[::1",        "[]",   "[h]",
        "[::1]x", "a b", "a,b", "u@h", "h/p",  "h?q",     "h#f",   "h\\", "[::1]:80:80", "h%20", "\"h\""})
    EXPECT_FALSE(is_host(no_host)) << no_host;
  EXPECT_FALSE(is_host(std::string(256, 'h')));
}

TEST(RequestHead, LongTargets) {
  EXPECT_EQ(refused("GET /" + std::string(100, 'a') + " HTTP/1.1\r\n"), 414);
  EXPECT_EQ(refused("GET /" + std::string(99, 'a') + " HTTP/1.1\r\n"), 0);
}

TEST(RequestHead, BareLineFeeds) {
  EXPECT_TRUE(has_bare_line_feed("GET / HTTP/1.1\n", 0));
  EXPECT_TRUE(has_bare_line_feed("\n", 0));
  EXPECT_FALSE(has_bare_line_feed("GET / HTTP/1.1\r\nHost: h\r\n", 0));
  EXPECT_FALSE(has_bare_line_feed("a\r\n", 2));
  EXPECT_TRUE(has_bare_line_feed("a\rb\n", 3));
}

TEST(RequestHead, EndIsFoundAcrossPieces) {
  const std::string text = "GET / HTTP/1.1\r\n\r\nrest";
  EXPECT_EQ(end_of_head(text, 0), 18u);
  for (std::size_t searched = 0; searched < 18; ++searched) EXPECT_EQ(end_of_head(text, searched), 18u) << searched;
  EXPECT_EQ(end_of_head(text.substr(0, 17), 0), std::nullopt);
}

std::string unchunk(const std::string& text, ChunkedFraming& framing, std::size_t piece_bytes) {
  std::string body;
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    std::string_view piece = std::string_view(text).substr(at, piece_bytes);
    while (!piece.empty() && framing.state() != ChunkedFraming::State::done &&
           framing.state() != ChunkedFraming::State::malformed) {
      piece.remove_prefix(framing.consume(piece));
      if (framing.state() != ChunkedFraming::State::data) continue;
      const auto data = piece.substr(0, framing.data_left());
      if (data.empty()) break;
      body += data;
      framing.took(data.size());
      piece.remove_prefix(data.size());
    }
  }
  return body;
}

TEST(ChunkedFraming, AnyCutGivesTheSameBody) {
  const std::string text =
      "0000000000000000003 \t;name=\"v\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    ChunkedFraming framing;
    EXPECT_EQ(unchunk(text, framing, piece), "abc0123456789");
    EXPECT_EQ(framing.state(), ChunkedFraming::State::done);
  }
}

TEST(ChunkedFraming, Malformed) {
  for (const std::string text : {"\r\n",
                                 "x\r\n",
                                 "-1\r\n",
                                 "3\nabc\r\n",
                                 "3\r\nabcd\r\n",
                                 "0\r\n\rx",
                                 "8000000000000000\r\n",
                                 "10000000000000000\r\n",
                                 " 3\r\nabc\r\n",
                                 "3\r\nabc\n0\r\n\r\n",
                                 "0\r\na\nb\r\n\r\n",
                                 "3 \r\nabc",
                                 "3 x",
                                 "0x3\r\n",
                                 "+3\r\n",
                                 "3;a\x01\r\n",
                                 "3;a\rb\r\n",
                                 "0\r\nno colon\r\n\r\n",
                                 "0\r\na : b\r\n\r\n",
                                 "0\r\na: b\x01\r\n\r\n",
                                 "0\r\na: b\r\n folded\r\n\r\n",
                                 "0\r\n: b\r\n\r\n"}) {
    ChunkedFraming framing;
    unchunk(text, framing, text.size());
    EXPECT_EQ(framing.state(), ChunkedFraming::State::malformed) << text;
  }
  ChunkedFraming framing;
  unchunk("0;" + std::string(20000, 'x'), framing, 100);
  EXPECT_EQ(framing.state(), ChunkedFraming::State::malformed);
}

TEST(TransferTarget, Parts) {
  EXPECT_FALSE(transfer_target("/cls/vcsp/lib"));
  EXPECT_FALSE(transfer_target("/cls/data"));
  const auto target = transfer_target("/cls/data/t0k/dir/a%20b%2Fc.ovf?x=y");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->token.text(), "t0k");
  EXPECT_EQ(target->name, "dir/a b/c.ovf");
  EXPECT_EQ(transfer_target("/cls/data/t0k")->name, "");
  EXPECT_EQ(transfer_target("/cls/data/t/a%2")->name, "a%2");
  EXPECT_EQ(transfer_target("/cls/data/t/a%")->name, "a%");
}

}  // namespace
}  // namespace quire::http
