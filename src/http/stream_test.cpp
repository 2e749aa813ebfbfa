#include <gmock/gmock.h>

#include <deque>

#include "http/http_fixture.h"

// Answers that go on while the client listens.

namespace quire::http {
namespace {

using namespace std::chrono_literals;
using State = wire::ResponseStream::State;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto request = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";

/// Says what the test gives it; else `heartbeat` when it has waited for its patience.
class ScriptedStream final : public wire::ResponseStream {
 public:
  explicit ScriptedStream(base::Duration patience) : patience_(patience) {}
  ~ScriptedStream() override { over_->set(); }

  Piece next() override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    if (pieces_.empty()) return {heartbeat_, State::idle};
    auto piece = std::move(pieces_.front());
    pieces_.pop_front();
    if (!pieces_.empty() && piece.state == State::idle) piece.state = State::more;
    return piece;
  }
  void set_wake(std::function<void()> wake) override {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
  }
  base::Duration patience() const override { return patience_; }

  void say(std::string text, State state) {
    const std::lock_guard lock(mutex_);
    pieces_.push_back({std::move(text), state});
    if (wake_) wake_();
  }
  void beat(std::string heartbeat) {
    const std::lock_guard lock(mutex_);
    heartbeat_ = std::move(heartbeat);
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  std::shared_ptr<Signal> over() const { return over_; }

 private:
  const base::Duration patience_;
  const std::shared_ptr<Signal> over_ = std::make_shared<Signal>();
  std::mutex mutex_;
  std::deque<Piece> pieces_;
  std::string heartbeat_;
  std::function<void()> wake_;
  int asked_ = 0;
};

class StreamTest : public HttpTest, public testing::WithParamInterface<bool> {
 protected:
  /// A stream, and a client that has its head.
  void listen(base::Duration patience = 1h) {
    start(GetParam());
    stream_ = std::make_shared<ScriptedStream>(patience);
    over_ = stream_->over();
    api_.stream = stream_;
    client_.emplace(GetParam() ? tls_port() : port(), GetParam() ? certificate_pem_ : "");
    client_->send(request);
    head_ = client_->until("\r\n\r\n");
  }
  /// The server's part of it alone is left.
  void let_go() {
    api_.stream.reset();
    stream_.reset();
  }

  std::shared_ptr<ScriptedStream> stream_;
  std::shared_ptr<Signal> over_;
  std::optional<Client> client_;
  std::string head_;
};

INSTANTIATE_TEST_SUITE_P(Plain, StreamTest, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Tls, StreamTest, testing::Values(true));

TEST_P(StreamTest, SendsEachPieceWhenItIsThere) {
  listen();
  EXPECT_THAT(head_, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head_, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head_, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head_, Not(HasSubstr("Content-Length")));
  for (const std::string text : {"first\n", "second\n", "third\n"}) {
    stream_->say(text, State::idle);
    EXPECT_EQ(client_->until("\n"), text);
  }
  stream_->say("more\n", State::more);
  stream_->say("last\n", State::ended);
  EXPECT_EQ(client_->rest(), "more\nlast\n");
}

TEST_P(StreamTest, ManyWakesLoseNothing) {
  listen();
  std::string all;
  for (int i = 0; i < 500; ++i) {
    const auto text = std::to_string(i) + "\n";
    stream_->say(text, State::idle);
    all += text;
    if (i % 7 == 0) {
      EXPECT_THAT(client_->until("\n"), testing::EndsWith("\n"));
    }
  }
  stream_->say("end\n", State::ended);
  EXPECT_THAT(client_->rest(), testing::EndsWith("499\nend\n"));
}

TEST_P(StreamTest, AsksAgainAfterItsPatience) {
  listen(5ms);
  stream_->beat(":\n");
  EXPECT_EQ(client_->until(":\n:\n:\n"), ":\n:\n:\n");
}

TEST_P(StreamTest, AClientThatHasGoneEndsIt) {
  listen();
  let_go();
  client_->close();
  EXPECT_TRUE(over_->wait());
}

TEST_P(StreamTest, WhatTheClientSendsIsIgnored) {
  listen();
  client_->send(request);
  client_->send(std::string(10'000, 'x'));
  stream_->say("event\n", State::idle);
  EXPECT_EQ(client_->until("\n"), "event\n");
  stream_->say("last\n", State::ended);
  EXPECT_EQ(client_->until("\n"), "last\n");
}

TEST_P(StreamTest, AStoppingServerEndsItAtOnce) {
  listen();
  stream_->say("event\n", State::idle);
  EXPECT_EQ(client_->until("\n"), "event\n");
  let_go();
  stop(1h);
  EXPECT_TRUE(over_->is_set());
  EXPECT_EQ(client_->rest(), "");
}

TEST_P(StreamTest, IdleOnesHoldNoThreadOfThePool) {
  listen();
  std::vector<std::unique_ptr<Client>> others;
  for (int i = 0; i < 10; ++i) {  // more than there are threads
    others.push_back(std::make_unique<Client>(port()));
    others.back()->send(request);
    EXPECT_THAT(others.back()->until("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  }
  Client caller(port());
  EXPECT_EQ(caller.ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").status, 200);
}

}  // namespace
}  // namespace quire::http
