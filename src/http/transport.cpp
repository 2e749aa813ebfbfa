#include "http/transport.h"

#include <algorithm>

namespace quire::http {
namespace asio = boost::asio;

Transport::Transport(asio::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> tls) : socket_(std::move(socket)) {
  if (tls) tls_.emplace(socket_, std::move(tls));
}

asio::awaitable<bool> Transport::handshake(Deadline deadline) {
  if (!tls_) co_return true;
  const bool done = co_await tls_->handshake(deadline);
  co_return done;
}

// What only hands on is no coroutine of its own.

asio::awaitable<std::size_t> Transport::read_some(std::span<std::byte> out, Deadline deadline) {
  return tls_ ? tls_->read_some(out, deadline) : socket_.receive(out, out.size(), deadline);
}

asio::awaitable<bool> Transport::write(std::string_view first, std::string_view second, base::Duration stall) {
  const auto head = std::as_bytes(std::span(first));
  const auto rest = std::as_bytes(std::span(second));
  return tls_ ? tls_->write(head, rest, stall) : socket_.send(head, rest, stall);
}

asio::awaitable<bool> Transport::wait_readable(std::size_t wanted, Deadline deadline) {
  while (!(tls_ && tls_->has_input()) && !socket_.readable()) {
    const bool going_on = co_await socket_.wait_for_input(wanted, deadline);
    if (going_on) continue;
    if (socket_.end() != DeadlineSocket::End::timed_out) co_return true;
    socket_.forget_timeout();
    co_return false;
  }
  co_return true;
}

void Transport::set_bulk(bool bulk) {
  socket_.set_bulk(bulk);
  if (tls_ && !bulk) tls_->trim();
}

asio::awaitable<void> Transport::close_gently(base::Duration linger, std::size_t bytes_max) {
  if (tls_ && !socket_.interrupted()) co_await tls_->close(std::max(linger, base::Duration(1)));
  co_await socket_.close_gently(linger, bytes_max);
}

}  // namespace quire::http
