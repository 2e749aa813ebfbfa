#include "http/transport.h"

#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
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
/// A stream of which so much came at once goes on as fast, presumably.
constexpr std::size_t streaming_bytes = 64 * 1024;
/// A fast stream, of which so much came at once that the reactor is not needed for it.
constexpr std::size_t fast_stream_bytes = 256 * 1024;
/// So much of a stream is worth a wake-up, or whatever came within `gather_time`.
constexpr std::size_t gather_bytes = 1024 * 1024;
constexpr base::Duration gather_time = std::chrono::milliseconds(5);
/// Received at a time, so that other connections of the thread do not wait for long. Each thread has room for as much
/// cipher text, because OpenSSL leaves nothing of it there.
constexpr std::size_t receive_bytes = 1024 * 1024;

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

tcp::endpoint local_endpoint_of(const tcp::socket& socket) {
  error_code ignored;
  return socket.local_endpoint(ignored);
}

std::span<std::byte> cipher_text_space() {
  thread_local const auto space = std::make_unique_for_overwrite<std::byte[]>(receive_bytes);
  return {space.get(), receive_bytes};
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
    : socket_(std::move(socket)), local_(local_endpoint_of(socket_)), watch_(std::make_shared<Watch>(socket_)) {
  if (tls) tls_.emplace(std::move(tls));
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.native_non_blocking(true, ignored);
}

Transport::~Transport() { join_reactor(); }

int Transport::descriptor() { return away_ >= 0 ? away_ : socket_.native_handle(); }

/// The reactor is told of every piece that arrives, wanted or not, and wakes one or two threads each time. A socket
/// that has bytes whenever they are wanted does without.
void Transport::leave_reactor() {
  error_code ignored;
  if (away_ < 0) away_ = socket_.release(ignored);
}

void Transport::join_reactor() {
  if (away_ < 0) return;
  error_code error;
  socket_.assign(local_.protocol(), away_, error);
  if (error) ::close(away_);
  away_ = -1;
}

void Transport::wake_at(std::size_t bytes) {
  if (bytes == wake_bytes_) return;
  const int value = static_cast<int>(bytes);
  if (::setsockopt(descriptor(), SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value)) == 0) wake_bytes_ = bytes;
}

bool Transport::may_wait(Deadline deadline) {
  join_reactor();
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

/// Waits for bytes, or, in a stream of which `wanted` bytes are still to come, for many of them. True when it is worth
/// a look; false when the connection has ended.
asio::awaitable<bool> Transport::wait_for_input(std::size_t wanted, Deadline deadline) {
  const auto gathered = after(gather_time);
  const bool gather = streaming_ && wanted >= streaming_bytes && gathered < deadline;
  wake_at(gather ? std::min(wanted, gather_bytes) : 1);
  if (!may_wait(gather ? gathered : deadline)) co_return false;
  error_code error;
  co_await socket_.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
  ended(error);
  if (gather && end_ == End::timed_out) {
    streaming_ = false;
    end_ = End::none;
    co_return true;
  }
  co_return !error;
}

/// What has come, without waiting: how much, 0 when the connection has ended, nullopt for nothing.
std::optional<std::size_t> Transport::take(std::span<std::byte> out) {
  if (!socket_.is_open() && away_ < 0) {
    end_ = End::closed;
    return 0;
  }
  ssize_t count = 0;
  do {
    count = ::recv(descriptor(), out.data(), out.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return std::nullopt;
  end_ = count > 0 ? End::none : End::closed;
  const auto taken = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  streaming_ = taken >= streaming_bytes;
  if (taken >= fast_stream_bytes) leave_reactor();
  return taken;
}

/// As receive(), in pieces as large as they come.
asio::awaitable<std::size_t> Transport::receive_stream(std::span<std::byte> out, std::size_t wanted,
                                                       Deadline deadline) {
  while (!interrupted()) {
    const auto count = take(out.first(std::min(out.size(), receive_bytes)));
    if (count) co_return *count;
    const bool going_on = co_await wait_for_input(wanted, deadline);
    if (!going_on) co_return 0;
  }
  end_ = End::interrupted;
  co_return 0;
}

/// Some of `wanted` or more bytes that are still to come.
asio::awaitable<std::size_t> Transport::receive(std::span<std::byte> out, std::size_t wanted, Deadline deadline) {
  if (bulk_) {
    const std::size_t streamed = co_await receive_stream(out, wanted, deadline);
    co_return streamed;
  }
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
  bool sent = true;
  while (tls_ && !tls_->output().empty()) {
    const auto output = tls_->output();
    if (sent) sent = co_await send(output, stall);
    tls_->sent(output.size());
  }
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
  std::ostringstream text;
  text << local_;
  return text.str();
}

asio::awaitable<bool> Transport::handshake(Deadline deadline) {
  if (!tls_) co_return true;
  while (true) {
    const auto step = tls_->handshake();
    const bool flushed = co_await flush_until(deadline);
    if (step == TlsEngine::Step::done) co_return true;  // what a peer that is gone sent before is still to be read
    if (!flushed) co_return false;
    if (step != TlsEngine::Step::wants_input) co_return failed_tls();
    const bool came = co_await wait_for_cipher_text(1, deadline);
    if (!came) co_return false;
  }
}

asio::awaitable<std::size_t> Transport::read_some(std::span<std::byte> out, Deadline deadline) {
  if (!tls_) {
    const std::size_t count = co_await receive(out, out.size(), deadline);
    co_return count;
  }
  while (true) {
    std::size_t count = 0;
    auto step = tls_->read(out, count);
    if (step == TlsEngine::Step::wants_input && takes_much(out.size())) step = read_taking(out, count);
    const bool flushed = co_await flush_until(deadline);  // answers to key updates, alerts
    if (step == TlsEngine::Step::done) co_return count;
    if (!flushed) co_return 0;
    if (step != TlsEngine::Step::wants_input) {
      failed_tls();
      co_return 0;
    }
    const bool came = co_await wait_for_cipher_text(out.size(), deadline);
    if (!came) co_return 0;
  }
}

/// As much as gives `out_bytes` of plain text or less. It is taken here if it is not for read_taking().
asio::awaitable<bool> Transport::wait_for_cipher_text(std::size_t out_bytes, Deadline deadline) {
  // What has come of a record that is not whole yet is part of what is wanted.
  const auto wanted = out_bytes - std::min(out_bytes, TlsEngine::record_bytes_max);
  if (takes_much(out_bytes)) {
    const bool came = co_await wait_for_input(wanted, deadline);
    co_return came;
  }
  const auto space = tls_->input_space();
  const std::size_t received = co_await receive(space, wanted, deadline);
  tls_->received(received);
  co_return received > 0;
}

bool Transport::takes_much(std::size_t out_bytes) const {
  return bulk_ && out_bytes >= 2 * TlsEngine::record_bytes_max;
}

/// Decrypts much that has come, without waiting.
TlsEngine::Step Transport::read_taking(std::span<std::byte> out, std::size_t& count) {
  if (interrupted()) return TlsEngine::Step::wants_input;
  const auto space = cipher_text_space();
  const auto size = std::min(space.size(), out.size() - TlsEngine::record_bytes_max);
  const auto taken = take(space.first(size));
  if (!taken) return TlsEngine::Step::wants_input;
  if (*taken == 0) return TlsEngine::Step::closed;
  return tls_->read(out, count, space.first(*taken));
}

bool Transport::readable() {
  if (interrupted() || (tls_ && tls_->has_input())) return true;
  if (!socket_.is_open() && away_ < 0) return true;
  std::byte first{};
  return ::recv(descriptor(), &first, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

asio::awaitable<bool> Transport::wait_readable(std::size_t wanted, Deadline deadline) {
  while (!readable()) {
    const bool going_on = co_await wait_for_input(wanted, deadline);
    if (going_on) continue;
    if (end_ != End::timed_out) co_return true;
    end_ = End::none;
    co_return false;
  }
  co_return true;
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

asio::awaitable<bool> Transport::write_gathering(std::span<const std::byte> bytes, base::Duration stall) {
  if (!tls_) {
    const bool sent = co_await send(bytes, stall);
    co_return sent;
  }
  if (tls_->write(bytes) != TlsEngine::Step::done) co_return failed_tls();
  if (tls_->has_room_for(bytes.size())) co_return true;
  const bool flushed = co_await flush(stall);
  co_return flushed;
}

void Transport::lend(std::span<std::byte> space) {
  if (tls_) tls_->lend(space);
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
  bulk_ = bulk;
  streaming_ = false;
  if (!bulk) {
    join_reactor();
    wake_at(1);
  }
  if (tls_ && !bulk) tls_->trim();
}

asio::awaitable<void> Transport::let_others_run() { co_await asio::post(executor(), asio::use_awaitable); }

asio::awaitable<void> Transport::close_gently(base::Duration linger, std::size_t bytes_max) {
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
    const std::size_t count = co_await receive(space, 1, deadline);
    if (count == 0 || count >= bytes_max) break;
    bytes_max -= count;
  }
  close();
}

void Transport::close() {
  watch_->stop();
  join_reactor();
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
