#include "http/transport.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <sstream>

#include "http/offload.h"

namespace quire::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
namespace {

/// Plain text encrypted at a time: large enough for few system calls, small enough to stay in the cache.
constexpr std::size_t encrypt_bytes = 256 * 1024;

/// One call of sendfile(2) and what came of it.
struct FileSending {
  FileSending(int to, int from, std::int64_t at, std::size_t bytes)
      : socket(to), file(from), offset(at), count(bytes) {}
  ssize_t run() {
    sent = ::sendfile(socket, file, &offset, count);
    error = errno;
    return sent;
  }

  int socket;
  int file;
  off_t offset;
  std::size_t count;
  ssize_t sent = 0;
  int error = 0;
};

/// A look at both ends: the system reads ahead between them. False when unknown.
bool in_page_cache(int file, std::int64_t offset, std::size_t count) {
  std::byte byte{};
  const iovec piece{&byte, 1};
  return ::preadv2(file, &piece, 1, offset, RWF_NOWAIT) == 1 &&
         ::preadv2(file, &piece, 1, offset + static_cast<std::int64_t>(count) - 1, RWF_NOWAIT) == 1;
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

/// Cancels the socket's waits when the deadline passes. The timer is not touched when a deadline moves to later, which
/// is what nearly every read and write does: it looks again when it fires.
struct Transport::Watch : std::enable_shared_from_this<Watch> {
  explicit Watch(tcp::socket& watched) : socket(&watched), timer(watched.get_executor()) {}

  void set(Deadline at) {
    expired = false;
    deadline = at;
    if (!armed || at < timer.expiry()) arm();
  }
  void clear() { deadline = Deadline::max(); }
  void stop() {
    socket = nullptr;
    timer.cancel();
  }

  void arm() {
    armed = true;
    timer.expires_at(deadline);
    timer.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) self->fired();
    });
  }

  void fired() {
    armed = false;
    if (socket == nullptr || deadline == Deadline::max()) return;
    if (std::chrono::steady_clock::now() < deadline) {
      arm();
      return;
    }
    expired = true;
    error_code ignored;
    socket->cancel(ignored);
  }

  tcp::socket* socket;  ///< nullptr once the transport is closed
  asio::steady_timer timer;
  Deadline deadline = Deadline::max();
  bool armed = false;
  bool expired = false;
};

Transport::Transport(tcp::socket socket, std::shared_ptr<SSL_CTX> tls)
    : socket_(std::move(socket)), watch_(std::make_shared<Watch>(socket_)) {
  if (tls) tls_.emplace(std::move(tls));
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.native_non_blocking(true, ignored);
}

Transport::~Transport() = default;

bool Transport::may_wait(Deadline deadline) {
  end_ = End::none;
  if (!socket_.is_open()) end_ = End::closed;
  if (interrupted()) end_ = End::interrupted;
  if (end_ != End::none) return false;
  watch_->set(deadline);
  return true;
}

void Transport::ended(const error_code& error) {
  watch_->clear();
  if (!error) return;
  end_ = End::closed;
  if (error != asio::error::operation_aborted) return;
  if (interrupted()) {
    end_ = End::interrupted;
  } else if (watch_->expired) {
    end_ = End::timed_out;
  }
}

asio::awaitable<std::size_t> Transport::receive(std::span<std::byte> out, Deadline deadline) {
  if (!may_wait(deadline)) co_return 0;
  error_code error;
  const auto buffer = asio::buffer(out.data(), out.size());
  const std::size_t count = co_await socket_.async_read_some(buffer, asio::redirect_error(asio::use_awaitable, error));
  ended(error);
  co_return error ? 0 : count;
}

asio::awaitable<bool> Transport::send(std::span<const std::byte> bytes, base::Duration stall) {
  while (!bytes.empty()) {
    if (!may_wait(after(stall))) co_return false;
    error_code error;
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    const std::size_t count =
        co_await socket_.async_write_some(buffer, asio::redirect_error(asio::use_awaitable, error));
    ended(error);
    if (error) co_return false;
    bytes = bytes.subspan(count);
  }
  co_return true;
}

asio::awaitable<bool> Transport::flush(base::Duration stall) {
  const auto output = tls_->output();
  if (output.empty()) co_return true;
  const bool sent = co_await send(output, stall);
  tls_->sent(output.size());
  co_return sent;
}

asio::awaitable<bool> Transport::flush_until(Deadline deadline) {
  if (tls_->output().empty()) co_return true;
  const auto left = std::chrono::ceil<base::Duration>(deadline - std::chrono::steady_clock::now());
  co_return co_await flush(std::max(left, base::Duration(1)));
}

bool Transport::failed_tls() {
  end_ = End::closed;
  return false;
}

std::string Transport::local_authority() const {
  error_code ignored;
  std::ostringstream text;
  text << socket_.local_endpoint(ignored);
  return text.str();
}

asio::awaitable<bool> Transport::handshake(Deadline deadline) {
  if (!tls_) co_return true;
  while (true) {
    const auto step = tls_->handshake();
    const bool flushed = co_await flush_until(deadline);
    if (!flushed) co_return false;
    if (step == TlsEngine::Step::done) co_return true;
    if (step != TlsEngine::Step::wants_input) co_return failed_tls();
    const auto space = tls_->input_space();
    const std::size_t count = co_await receive(space, deadline);
    if (count == 0) co_return false;
    tls_->received(count);
  }
}

asio::awaitable<std::size_t> Transport::read_some(std::span<std::byte> out, Deadline deadline) {
  if (!tls_) {
    const std::size_t count = co_await receive(out, deadline);
    co_return count;
  }
  while (true) {
    std::size_t count = 0;
    const auto step = tls_->read(out, count);
    const bool flushed = co_await flush_until(deadline);  // answers to key updates, alerts
    if (step == TlsEngine::Step::done) co_return count;
    if (!flushed) co_return 0;
    if (step != TlsEngine::Step::wants_input) {
      failed_tls();
      co_return 0;
    }
    const auto space = tls_->input_space();
    const std::size_t received = co_await receive(space, deadline);
    if (received == 0) co_return 0;
    tls_->received(received);
  }
}

bool Transport::readable() const {
  if (!socket_.is_open() || interrupted() || (tls_ && tls_->has_input())) return true;
  pollfd wanted{const_cast<tcp::socket&>(socket_).native_handle(), POLLIN, 0};
  return ::poll(&wanted, 1, 0) != 0;
}

asio::awaitable<bool> Transport::wait_readable(Deadline deadline) {
  if (readable() || !may_wait(deadline)) co_return true;
  error_code error;
  co_await socket_.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
  ended(error);
  if (end_ != End::timed_out) co_return true;
  end_ = End::none;
  co_return false;
}

asio::awaitable<bool> Transport::write(std::string_view first, std::string_view second, base::Duration stall) {
  const auto head = bytes_of(first);
  auto rest = bytes_of(second);
  if (tls_) {
    // The head and what fits beside it go out together.
    const auto beside = rest.first(std::min(rest.size(), encrypt_bytes));
    rest = rest.subspan(beside.size());
    const bool encrypted = tls_->write(head) == TlsEngine::Step::done && tls_->write(beside) == TlsEngine::Step::done;
    if (!encrypted) co_return failed_tls();
    const bool flushed = co_await flush(stall);
    if (!flushed) co_return false;
    const bool written = co_await write(rest, stall);
    co_return written;
  }
  if (!may_wait(after(stall))) co_return false;
  error_code error;
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head.data(), head.size()),
                                                     asio::buffer(rest.data(), rest.size())};
  std::size_t count = co_await socket_.async_write_some(buffers, asio::redirect_error(asio::use_awaitable, error));
  ended(error);
  if (error) co_return false;
  const auto of_head = std::min(count, head.size());
  const auto head_left = head.subspan(of_head);
  const auto rest_left = rest.subspan(count - of_head);
  const bool head_sent = co_await send(head_left, stall);
  if (!head_sent) co_return false;
  const bool rest_sent = co_await send(rest_left, stall);
  co_return rest_sent;
}

asio::awaitable<bool> Transport::write(std::span<const std::byte> bytes, base::Duration stall) {
  if (!tls_) {
    const bool sent = co_await send(bytes, stall);
    co_return sent;
  }
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), encrypt_bytes));
    bytes = bytes.subspan(piece.size());
    if (tls_->write(piece) != TlsEngine::Step::done) co_return failed_tls();
    const bool flushed = co_await flush(stall);
    if (!flushed) co_return false;
  }
  co_return true;
}

asio::awaitable<std::size_t> Transport::send_file_some(int file, std::int64_t offset, std::size_t count,
                                                       asio::thread_pool& pool, base::Duration stall) {
  while (true) {
    if (interrupted()) {
      end_ = End::interrupted;
      co_return 0;
    }
    FileSending sending(socket_.native_handle(), file, offset, count);
    if (in_page_cache(file, offset, count)) {
      sending.run();
    } else {
      auto call = [&sending] { return sending.run(); };
      co_await offload(pool, call);
    }
    if (sending.sent >= 0) {
      end_ = sending.sent == 0 ? End::closed : End::none;
      co_return static_cast<std::size_t>(sending.sent);
    }
    if (sending.error == EINTR) continue;
    if (sending.error != EAGAIN) {
      end_ = End::closed;
      co_return 0;
    }
    if (!may_wait(after(stall))) co_return 0;
    error_code error;
    co_await socket_.async_wait(tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
    ended(error);
    if (error) co_return 0;
  }
}

void Transport::set_cork(bool on) {
  error_code ignored;
  socket_.set_option(asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_CORK>(on), ignored);
}

void Transport::set_bulk(bool bulk) {
  if (tls_) tls_->set_bulk(bulk);
}

asio::awaitable<void> Transport::close_gently(base::Duration linger) {
  const auto deadline = after(linger);
  if (tls_ && !interrupted()) {
    tls_->close();
    co_await flush(std::max(linger, base::Duration(1)));
  }
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  std::array<std::byte, 16 * 1024> discarded;
  const std::span<std::byte> space(discarded);
  while (linger > base::Duration::zero()) {
    const std::size_t count = co_await receive(space, deadline);
    if (count == 0) break;
  }
  close();
}

void Transport::close() {
  watch_->stop();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

void Transport::interrupt() {
  interrupted_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::resume() { interrupted_ = false; }

void Transport::break_off() {
  broken_off_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace quire::http
