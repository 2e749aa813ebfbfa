#pragma once

#include <openssl/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "http/deadline_socket.h"
#include "http/tls_stream.h"

namespace quire::http {

/// The bytes of one connection, whether plain or TLS. The rules are those of its two parts.
class Transport {
 public:
  /// TLS when `tls` is set.
  Transport(boost::asio::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> tls);

  DeadlineSocket& socket() { return socket_; }
  const DeadlineSocket& socket() const { return socket_; }
  /// nullptr on a plain connection.
  TlsStream* tls() { return tls_ ? &*tls_ : nullptr; }
  bool secure() const { return tls_.has_value(); }

  /// For TLS; true at once otherwise.
  boost::asio::awaitable<bool> handshake(Deadline deadline);

  /// At least one byte, or 0 when the connection has ended.
  boost::asio::awaitable<std::size_t> read_some(std::span<std::byte> out, Deadline deadline);

  /// Waits until read_some() would not: there are bytes, or the connection has ended. False when the deadline passes
  /// first; that ends nothing. True when it was interrupted. `wanted` bytes or more are still to come, which lets a
  /// stream of them gather (set_bulk()).
  boost::asio::awaitable<bool> wait_readable(std::size_t wanted, Deadline deadline);

  /// Both texts, whole; `stall` is the longest time without a byte going out.
  boost::asio::awaitable<bool> write(std::string_view first, std::string_view second, base::Duration stall);

  void set_bulk(bool bulk);

  /// DeadlineSocket::close_gently(), with the end of TLS before it.
  boost::asio::awaitable<void> close_gently(base::Duration linger, std::size_t bytes_max);

 private:
  DeadlineSocket socket_;
  std::optional<TlsStream> tls_;
};

}  // namespace quire::http
