#include "http/http_connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cstring>
#include <limits>
#include <utility>

#include "http/response_head.h"

namespace quire::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t head_read_bytes = 8 * 1024;
constexpr std::size_t body_read_bytes = 64 * 1024;
/// Data that is expected in smaller pieces than this goes through the input buffer, to spare system calls.
constexpr std::size_t direct_read_bytes_min = 16 * 1024;
/// What an early answer leaves unread of a body is read up to here to keep the connection.
constexpr std::uint64_t drain_bytes_max = 64 * 1024;
/// What a client goes on sending after its refusal is read so long and so far, so that it sees the answer and no reset;
/// of a file, only so long.
constexpr base::Duration linger = std::chrono::seconds(2);
constexpr std::size_t linger_bytes_max = 1024 * 1024;

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> tls, const ServerLimits& limits,
                               const base::Clock& clock)
    : transport_(std::move(socket), std::move(tls)),
      alarm_(std::make_shared<asio::steady_timer>(transport_.socket().executor())),
      limits_(limits),
      clock_(clock) {}

asio::awaitable<bool> HttpConnection::handshake() {
  const bool handshake_done = co_await transport_.handshake(after(limits_.header_timeout));
  co_return handshake_done;
}

void HttpConnection::consume(std::size_t count) {
  input_begin_ += count;
  if (input_begin_ < input_.size()) return;
  input_.clear();
  input_begin_ = 0;
}

asio::awaitable<bool> HttpConnection::fill_input(std::size_t bytes_max, Deadline deadline) {
  if (input_begin_ > 0) {
    input_.erase(0, input_begin_);
    input_begin_ = 0;
  }
  const auto held = input_.size();
  input_.resize(held + bytes_max);
  const auto space = std::as_writable_bytes(std::span(input_)).subspan(held);
  const std::size_t count = co_await transport_.read_some(space, deadline);
  input_.resize(held + count);
  co_return count > 0;
}

asio::awaitable<HttpConnection::Next> HttpConnection::read_head() {
  head_.reset();
  refusal_.reset();
  body_is_file_ = false;
  body_ = Body::whole;
  if (stopping_ || transport_.socket().interrupted()) co_return Next::none;
  if (input().empty()) {
    // The buffer of a connection that only waits is given up.
    if (input_.capacity() > body_read_bytes) input_ = std::string();
    waits_for_request_ = true;
    const auto deadline = after(first_request_ ? limits_.header_timeout : limits_.idle_timeout);
    const bool filled = co_await fill_input(head_read_bytes, deadline);
    waits_for_request_ = false;
    if (!filled) co_return Next::none;
  }
  first_request_ = false;

  const auto deadline = after(limits_.header_timeout);
  std::size_t searched = 0;
  std::size_t skipped = 0;
  while (true) {
    while (input().starts_with("\r\n")) {  // RFC 9112 §2.2: an empty line before the request
      consume(2);
      skipped += 2;
      searched = 0;
    }
    if (const auto end = end_of_head(input(), searched)) {
      if (*end > limits_.header_bytes_max) break;
      auto parsed = parse_request_head(input().substr(0, *end), limits_.target_bytes_max);
      consume(*end);
      if (auto* refused = std::get_if<Refusal>(&parsed)) {
        refusal_ = std::move(*refused);
        co_return Next::refused;
      }
      head_ = std::get<RequestHead>(std::move(parsed));
      start_body();
      co_return Next::request;
    }
    if (has_bare_line_feed(input(), searched)) {
      refusal_ = Refusal(400, base::make_message("quire.http.bad_request",
                                                 "A line of the request's head does not end "
                                                 "with CR and LF."));
      co_return Next::refused;
    }
    searched = input().size();
    constexpr std::size_t beside_target_bytes_max = 64;  // method and version
    if (searched > limits_.target_bytes_max + beside_target_bytes_max &&
        input().find("\r\n") == std::string_view::npos) {
      refusal_ = Refusal(414, base::make_message("quire.http.target_too_long", "The URL is longer than {max} bytes.",
                                                 {{"max", static_cast<std::int64_t>(limits_.target_bytes_max)}}));
      co_return Next::refused;
    }
    if (skipped + searched >= limits_.header_bytes_max) break;
    const bool filled = co_await fill_input(head_read_bytes, deadline);
    if (filled) continue;
    if (transport_.socket().end() != DeadlineSocket::End::timed_out) co_return Next::none;
    refusal_ =
        Refusal(408, base::make_message("quire.http.header_timeout", "The request's head did not arrive in time."));
    co_return Next::refused;
  }
  refusal_ =
      Refusal(431, base::make_message("quire.http.header_too_long", "The request's head is longer than {max} bytes.",
                                      {{"max", static_cast<std::int64_t>(limits_.header_bytes_max)}}));
  co_return Next::refused;
}

void HttpConnection::start_body() {
  framing_ = ChunkedFraming();
  body_left_ = head_->content_length.value_or(0);
  body_ = head_->chunked || body_left_ > 0 ? Body::more : Body::whole;
  continue_wanted_ = head_->expects_continue && body_ == Body::more;
}

asio::awaitable<bool> HttpConnection::send_continue() {
  if (!continue_wanted_) co_return true;
  continue_wanted_ = false;
  if (!input().empty()) co_return true;  // the client did not wait
  const std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
  const std::string_view nothing;
  const bool written = co_await transport_.write(interim, nothing, limits_.write_timeout);
  co_return written;
}

asio::awaitable<std::size_t> HttpConnection::read_body(std::span<std::byte> out, Deadline deadline) {
  if (body_ != Body::more || out.empty()) co_return 0;
  const bool invited = co_await send_continue();
  if (!invited) {
    body_ = Body::broken;
    co_return 0;
  }
  while (true) {
    if (head_->chunked) {
      consume(framing_.consume(input()));
      if (framing_.state() == ChunkedFraming::State::done) body_ = Body::whole;
      if (framing_.state() == ChunkedFraming::State::malformed) body_ = Body::malformed;
      if (body_ != Body::more) co_return 0;
    }
    const bool at_data = !head_->chunked || framing_.state() == ChunkedFraming::State::data;
    const auto data_left = head_->chunked ? framing_.data_left() : body_left_;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(at_data ? data_left : 0, out.size()));
    std::size_t count = 0;
    if (at_data && !input().empty()) {
      count = std::min(wanted, input().size());
      std::memcpy(out.data(), input().data(), count);
      consume(count);
    } else if (at_data && (!head_->chunked || wanted >= direct_read_bytes_min)) {
      const auto space = out.first(wanted);
      count = co_await transport_.read_some(space, deadline);
      if (count == 0) body_ = Body::broken;
    } else {
      const bool filled = co_await fill_input(body_read_bytes, deadline);
      if (filled) continue;
      body_ = Body::broken;
    }
    if (count == 0) co_return 0;
    if (head_->chunked) {
      framing_.took(count);
    } else {
      body_left_ -= count;
      if (body_left_ == 0) body_ = Body::whole;
    }
    co_return count;
  }
}

asio::awaitable<bool> HttpConnection::wait_for_body(std::size_t space, Deadline deadline) {
  if (body_ != Body::more || !input().empty()) co_return true;
  const bool invited = co_await send_continue();
  if (!invited) co_return true;
  const auto data_left = head_->chunked ? framing_.data_left() : body_left_;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(data_left, space));
  const bool readable = co_await transport_.wait_readable(wanted, deadline);
  co_return readable;
}

bool HttpConnection::body_is_soon_read() const {
  if (body_ == Body::whole) return true;
  return body_ == Body::more && !head_->chunked && !continue_wanted_ && body_left_ <= drain_bytes_max;
}

asio::awaitable<bool> HttpConnection::respond(const wire::Response& response) {
  keeps_alive_ = head_ && head_->keep_alive && !stopping_ && body_is_soon_read();
  const auto text = response_head(response.status, response.headers, response.body.size(), keeps_alive_, clock_.now());
  std::string_view body = response.body;
  if (response.status == 204 || (head_ && head_->method == "HEAD")) body = {};
  const bool written = co_await transport_.write(text, body, limits_.write_timeout);
  if (!written) keeps_alive_ = false;
  co_return written;
}

asio::awaitable<bool> HttpConnection::respond_head(int status, const wire::Headers& headers,
                                                   std::uint64_t content_length) {
  keeps_alive_ = head_->keep_alive && !stopping_ && body_is_soon_read();
  const auto text = response_head(status, headers, content_length, keeps_alive_, clock_.now());
  const std::string_view nothing;
  const bool written = co_await transport_.write(text, nothing, limits_.write_timeout);
  if (!written) keeps_alive_ = false;
  co_return written;
}

asio::awaitable<bool> HttpConnection::respond_endless_head(int status, const wire::Headers& headers) {
  keeps_alive_ = false;
  const auto text = endless_response_head(status, headers, clock_.now());
  const std::string_view nothing;
  const bool written = co_await transport_.write(text, nothing, limits_.write_timeout);
  co_return written;
}

asio::awaitable<bool> HttpConnection::wait_for_wake(Deadline deadline) {
  std::array<std::byte, 512> ignored;
  const std::span<std::byte> space(ignored);
  auto& socket = transport_.socket();
  bool in_time = true;
  bool connected = true;
  while (connected && in_time && !woken_ && !stopping_ && !socket.interrupted()) {
    waits_for_wake_ = true;
    in_time = co_await transport_.wait_readable(1, deadline);
    if (in_time && !socket.interrupted()) {
      const std::size_t count = co_await transport_.read_some(space, deadline);
      connected = count > 0 || socket.end() != DeadlineSocket::End::closed;
      if (socket.end() == DeadlineSocket::End::timed_out) in_time = false;
    }
    waits_for_wake_ = false;
  }
  if (std::exchange(woken_, false)) socket.resume();
  co_return connected && !stopping_ && !socket.interrupted();
}

void HttpConnection::wake() {
  asio::post(transport_.socket().executor(), [self = shared_from_this()] {
    self->woken_ = true;
    if (self->waits_for_wake_) self->transport_.socket().interrupt();
  });
}

asio::awaitable<bool> HttpConnection::ready_for_next() {
  if (!keeps_alive_) co_return false;
  const auto deadline = after(linger);
  std::array<std::byte, 8 * 1024> discarded;
  const std::span<std::byte> space(discarded);
  while (body_ == Body::more) co_await read_body(space, deadline);
  co_return body_ == Body::whole;
}

asio::awaitable<void> HttpConnection::close() {
  // Without unread bytes a close sends no reset, so nobody has to wait.
  const bool unread = body_ == Body::more || body_ == Body::malformed || refusal_ || !input().empty();
  const auto wait = unread && !transport_.socket().interrupted() ? linger : base::Duration::zero();
  const std::size_t bytes_max = body_is_file_ ? std::numeric_limits<std::size_t>::max() : linger_bytes_max;
  co_await transport_.close_gently(wait, bytes_max);
}

void HttpConnection::request_stop() {
  stopping_ = true;  // at once: the thread may be busy with a call
  asio::post(transport_.socket().executor(), [self = shared_from_this()] {
    if (self->waits_for_request_ || self->waits_for_wake_) self->transport_.socket().interrupt();
  });
}

void HttpConnection::break_off() {
  asio::post(transport_.socket().executor(), [self = shared_from_this()] {
    self->transport_.socket().break_off();
    self->alarm_->cancel();
  });
}

void HttpConnection::interrupt_while(std::shared_ptr<const bool> live) {
  asio::post(transport_.socket().executor(), [self = shared_from_this(), live = std::move(live)] {
    if (!*live) return;
    self->transport_.socket().interrupt();
    self->alarm_->cancel();
  });
}

std::string HttpConnection::base_url() const {
  const std::string scheme = transport_.secure() ? "https://" : "http://";
  if (!head_->host.empty()) return scheme + head_->host;
  return scheme + transport_.socket().local_authority();
}

}  // namespace quire::http
