#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/chunked_framing.h"
#include "http/request_head.h"
#include "http/server.h"
#include "http/transport.h"
#include "wire/request/message.h"

namespace quire::http {

/// HTTP/1.1 on one connection, one request after the other: heads in, bodies in, answers out. Knows nothing of what is
/// asked. Everything happens on the socket's network thread, except request_stop(), break_off(), wake() and
/// interrupt_while(), which post there.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(boost::asio::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> tls, const ServerLimits& limits,
                 const base::Clock& clock);

  Transport& transport() { return transport_; }
  /// Waits that are no socket waits sit on this timer, so that interrupt() and break_off() reach them.
  const std::shared_ptr<boost::asio::steady_timer>& alarm() const { return alarm_; }

  boost::asio::awaitable<bool> handshake();

  enum class Next {
    request,  ///< head() is the next one
    refused,  ///< refusal() is the answer; the connection ends after it
    none,     ///< nothing more will come
  };
  boost::asio::awaitable<Next> read_head();
  const RequestHead& head() const { return *head_; }
  const Refusal& refusal() const { return *refusal_; }

  enum class Body {
    more,       ///< not at its end
    whole,      ///< every announced byte, or the last chunk, has been read
    broken,     ///< the connection ended first; transport().socket().end() says how
    malformed,  ///< the chunks are no chunks
  };
  Body body() const { return body_; }
  /// The next bytes of the body; 0 when it is no longer `more`. Sends `100 Continue` when the client waits for it.
  boost::asio::awaitable<std::size_t> read_body(std::span<std::byte> out, Deadline deadline);

  /// Waits until read_body() would find bytes or an end. Sends `100 Continue` as it does. False when the deadline
  /// passes first; that ends nothing. The next read_body() has room for `space` bytes.
  boost::asio::awaitable<bool> wait_for_body(std::size_t space, Deadline deadline);

  /// The answer; its body is left out for HEAD. Settles whether the connection goes on: see keeps_alive(). False when
  /// it could not be sent.
  boost::asio::awaitable<bool> respond(const wire::Response& response);
  /// Only the head, for a body of `content_length` bytes that the caller sends on the transport.
  boost::asio::awaitable<bool> respond_head(int status, const wire::Headers& headers, std::uint64_t content_length);

  /// Only the head, for a body that the caller sends and that ends with the connection.
  boost::asio::awaitable<bool> respond_endless_head(int status, const wire::Headers& headers);
  /// For an answer that goes on when there is something to say: waits until wake(), which counts from the last wait on,
  /// or until the deadline. What the client sends meanwhile is ignored. False when it has gone or the server stops.
  boost::asio::awaitable<bool> wait_for_wake(Deadline deadline);
  /// From any thread.
  void wake();

  /// The bytes promised by the last answer did not all go out: the connection cannot go on.
  void abandon_answer() { keeps_alive_ = false; }

  /// Reads what is left of the body when the connection goes on after the answer.
  boost::asio::awaitable<bool> ready_for_next();

  /// The body of this request is a file. A refused one may be far larger than that of a call, and clients that send
  /// all of it before they read the answer are the rule: what is left of it is read for as long, but as fast as it
  /// comes.
  void expect_file() { body_is_file_ = true; }

  /// Closes so that the peer still gets the last answer.
  boost::asio::awaitable<void> close();

  /// The last request gets its answer, then the connection closes; one without a request closes at once.
  void request_stop();
  /// Ends every wait, for good.
  void break_off();
  /// Ends the present wait, and the next ones until transport().socket().resume(), if `*live` still holds there by
  /// then. For a transfer that somebody stops.
  void interrupt_while(std::shared_ptr<const bool> live);

  /// `https://host:port` as the client sees this server.
  std::string base_url() const;

 private:
  std::string_view input() const { return std::string_view(input_).substr(input_begin_); }
  void consume(std::size_t count);
  boost::asio::awaitable<bool> fill_input(std::size_t bytes_max, Deadline deadline);
  boost::asio::awaitable<bool> send_continue();
  void start_body();
  void body_ended_early();
  bool body_is_soon_read() const;

  Transport transport_;
  std::shared_ptr<boost::asio::steady_timer> alarm_;
  const ServerLimits& limits_;
  const base::Clock& clock_;
  std::string input_;  ///< received and not yet used, from input_begin_ on
  std::size_t input_begin_ = 0;
  std::optional<RequestHead> head_;
  bool body_is_file_ = false;
  std::optional<Refusal> refusal_;
  Body body_ = Body::whole;
  std::uint64_t body_left_ = 0;  ///< with Content-Length
  ChunkedFraming framing_;
  bool continue_wanted_ = false;
  bool keeps_alive_ = true;
  bool waits_for_request_ = false;
  bool waits_for_wake_ = false;
  bool woken_ = false;
  bool first_request_ = true;
  std::atomic<bool> stopping_ = false;
};

}  // namespace quire::http
