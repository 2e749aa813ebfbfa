#include "http/deadline_socket.h"

#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
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

/// A stream of which so much came at once goes on as fast, presumably.
constexpr std::size_t streaming_bytes = 64 * 1024;
/// A fast stream, of which so much came at once that the reactor is not needed for it.
constexpr std::size_t fast_stream_bytes = 256 * 1024;
/// So much of a stream is worth a wake-up, or whatever came within `gather_time`.
constexpr std::size_t gather_bytes = 1024 * 1024;
constexpr base::Duration gather_time = std::chrono::milliseconds(5);
/// Received at a time, so that other connections of the thread do not wait for long.
constexpr std::size_t receive_bytes = 1024 * 1024;
/// What waits in the system for a peer that takes nothing. A thousand of them must not take the memory that TCP has.
constexpr int unsent_bytes_max = 1024 * 1024;
/// Who has taken so much is no such peer: the system may keep as much for it as it likes, which is faster.
constexpr std::size_t proven_bytes = 8 * 1024 * 1024;
/// Less room than this is not worth sending.
constexpr std::size_t send_room_min = 16 * 1024;

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

/// An IPv4 client of a socket that takes both kinds is shown as what it is.
std::string address_of_peer(const tcp::socket& socket) {
  error_code gone;
  const auto endpoint = socket.remote_endpoint(gone);
  if (gone) return "";
  const auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

}  // namespace

/// Cancels the socket's waits when the deadline passes. The timer is not touched when a deadline moves to later, which
/// is what nearly every read and write does: it looks again when it fires.
struct DeadlineSocket::Watch : std::enable_shared_from_this<Watch> {
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

  tcp::socket* socket;  ///< nullptr once it is closed
  asio::steady_timer timer;
  Deadline deadline = Deadline::max();
  bool armed = false;
  bool expired = false;
};

DeadlineSocket::DeadlineSocket(tcp::socket socket)
    : socket_(std::move(socket)),
      local_(local_endpoint_of(socket_)),
      peer_address_(address_of_peer(socket_)),
      watch_(std::make_shared<Watch>(socket_)) {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.native_non_blocking(true, ignored);
  limit_unsent(unsent_bytes_max);
}

DeadlineSocket::~DeadlineSocket() { join_reactor(); }

/// 0 for no limit of ours.
void DeadlineSocket::limit_unsent(int bytes) {
  if (::setsockopt(descriptor(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof(bytes)) == 0) unsent_max_ = bytes;
}

void DeadlineSocket::count_sent(std::size_t bytes) {
  sent_bytes_ += bytes;
  if (unsent_max_ > 0 && sent_bytes_ >= proven_bytes) limit_unsent(0);
}

int DeadlineSocket::descriptor() { return away_ >= 0 ? away_ : socket_.native_handle(); }

/// The reactor is told of every piece that arrives, wanted or not, and wakes one or two threads each time. A socket
/// that has bytes whenever they are wanted does without.
void DeadlineSocket::leave_reactor() {
  error_code ignored;
  if (away_ < 0) away_ = socket_.release(ignored);
}

void DeadlineSocket::join_reactor() {
  if (away_ < 0) return;
  error_code error;
  socket_.assign(local_.protocol(), away_, error);
  if (error) ::close(away_);
  away_ = -1;
}

void DeadlineSocket::wake_at(std::size_t bytes) {
  if (bytes == wake_bytes_) return;
  const int value = static_cast<int>(bytes);
  if (::setsockopt(descriptor(), SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value)) == 0) wake_bytes_ = bytes;
}

bool DeadlineSocket::may_wait(Deadline deadline) {
  join_reactor();
  end_ = End::none;
  if (!socket_.is_open()) end_ = End::closed;
  if (interrupted()) end_ = End::interrupted;
  if (end_ != End::none) return false;
  watch_->set(deadline);
  return true;
}

void DeadlineSocket::ended(const error_code& error) {
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

asio::awaitable<bool> DeadlineSocket::wait_for_input(std::size_t wanted, Deadline deadline) {
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

std::optional<std::size_t> DeadlineSocket::receive_now(std::span<std::byte> out) {
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
asio::awaitable<std::size_t> DeadlineSocket::receive_stream(std::span<std::byte> out, std::size_t wanted,
                                                            Deadline deadline) {
  while (!interrupted()) {
    const auto count = receive_now(out.first(std::min(out.size(), receive_bytes)));
    if (count) {
      if (*count >= fast_stream_bytes) co_await let_others_run();
      co_return *count;
    }
    const bool going_on = co_await wait_for_input(wanted, deadline);
    if (!going_on) co_return 0;
  }
  end_ = End::interrupted;
  co_return 0;
}

asio::awaitable<std::size_t> DeadlineSocket::receive(std::span<std::byte> out, std::size_t wanted, Deadline deadline) {
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

asio::awaitable<bool> DeadlineSocket::send(std::span<const std::byte> bytes, base::Duration stall) {
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

std::string DeadlineSocket::peer_address() const { return peer_address_; }

std::string DeadlineSocket::local_authority() const {
  std::ostringstream text;
  text << local_;
  return text.str();
}

bool DeadlineSocket::readable() {
  if (interrupted()) return true;
  if (!socket_.is_open() && away_ < 0) return true;
  std::byte first{};
  return ::recv(descriptor(), &first, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

asio::awaitable<bool> DeadlineSocket::send(std::span<const std::byte> first, std::span<const std::byte> second,
                                           base::Duration stall) {
  if (!may_wait(after(stall))) co_return false;
  error_code error;
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(first.data(), first.size()),
                                                     asio::buffer(second.data(), second.size())};
  std::size_t count = co_await socket_.async_write_some(buffers, asio::redirect_error(asio::use_awaitable, error));
  ended(error);
  if (error) co_return false;
  const auto of_first = std::min(count, first.size());
  const auto first_left = first.subspan(of_first);
  const auto second_left = second.subspan(count - of_first);
  const bool first_sent = co_await send(first_left, stall);
  if (!first_sent) co_return false;
  const bool second_sent = co_await send(second_left, stall);
  co_return second_sent;
}

std::optional<std::size_t> DeadlineSocket::send_now(std::span<const std::byte> bytes) {
  if (interrupted()) {
    end_ = End::interrupted;
    return std::nullopt;
  }
  ssize_t count = 0;
  do {
    count = ::send(descriptor(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count >= 0) {
    count_sent(static_cast<std::size_t>(count));
    return static_cast<std::size_t>(count);
  }
  if (errno == EAGAIN) return 0;
  end_ = End::closed;
  return std::nullopt;
}

std::size_t DeadlineSocket::send_room() {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof(memory);
  int unsent = 0;
  const bool known = ::getsockopt(descriptor(), SOL_SOCKET, SO_MEMINFO, memory.data(), &size) == 0 &&
                     ::ioctl(descriptor(), SIOCOUTQNSD, &unsent) == 0;
  if (!known) return send_room_min;
  const std::int64_t queued = memory[SK_MEMINFO_WMEM_QUEUED];
  // The system throws away what waits for a peer that has reset the connection, and goes on counting it: sending tells.
  if (queued == 0) unsent = 0;
  // As the system says that a socket is writable, and a quarter less than it takes: it counts more than the bytes.
  const auto room = static_cast<std::int64_t>(memory[SK_MEMINFO_SNDBUF]) - queued;
  const std::int64_t unsent_max = unsent_max_ > 0 ? unsent_max_ : memory[SK_MEMINFO_SNDBUF];
  if (room < queued / 2 || 2 * unsent >= unsent_max) return 0;
  return std::max(send_room_min, static_cast<std::size_t>(std::min<std::int64_t>(room / 4 * 3, unsent_max - unsent)));
}

asio::awaitable<bool> DeadlineSocket::wait_writable(base::Duration patience) {
  if (!may_wait(after(patience))) co_return false;
  error_code error;
  co_await socket_.async_wait(tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
  ended(error);
  co_return !error;
}

std::size_t DeadlineSocket::in_flight() {
  int bytes = 0;
  if (::ioctl(descriptor(), SIOCOUTQ, &bytes) != 0) return 0;
  return static_cast<std::size_t>(bytes);
}

asio::awaitable<std::optional<std::size_t>> DeadlineSocket::send_file_now(int file, std::int64_t offset,
                                                                          std::size_t count, asio::thread_pool& pool) {
  FileSending sending(descriptor(), file, offset, count);
  if (in_page_cache(file, offset, count)) {
    sending.run();
  } else {
    auto call = [&sending] { return sending.run(); };
    co_await offload(pool, call);
  }
  if (interrupted()) {
    end_ = End::interrupted;
    co_return std::nullopt;
  }
  if (sending.sent > 0) {
    count_sent(static_cast<std::size_t>(sending.sent));
    co_return static_cast<std::size_t>(sending.sent);
  }
  if (sending.sent < 0 && (sending.error == EAGAIN || sending.error == EINTR)) co_return std::size_t{0};
  end_ = End::closed;
  co_return std::nullopt;
}

void DeadlineSocket::set_cork(bool on) {
  error_code ignored;
  socket_.set_option(asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_CORK>(on), ignored);
}

void DeadlineSocket::set_bulk(bool bulk) {
  bulk_ = bulk;
  streaming_ = false;
  if (!bulk) {
    join_reactor();
    wake_at(1);
  }
}

asio::awaitable<void> DeadlineSocket::let_others_run() { co_await asio::post(executor(), asio::use_awaitable); }

asio::awaitable<void> DeadlineSocket::close_gently(base::Duration linger, std::size_t bytes_max) {
  const auto deadline = after(linger);
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

void DeadlineSocket::close() {
  watch_->stop();
  join_reactor();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

void DeadlineSocket::interrupt() {
  interrupted_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void DeadlineSocket::break_off() {
  broken_off_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace quire::http
