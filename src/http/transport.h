#pragma once

#include <openssl/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/tls_engine.h"

namespace quire::http {

using Deadline = std::chrono::steady_clock::time_point;

inline Deadline after(base::Duration time) { return std::chrono::steady_clock::now() + time; }

/// The bytes of one connection, plain or TLS, every wait under a deadline. Everything happens on the socket's
/// network thread. Failures are no exceptions: a call returns 0 or false, and end() says why.
class Transport {
 public:
  /// TLS when `tls` is set.
  Transport(boost::asio::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> tls);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  enum class End {
    none,
    closed,       ///< by the peer, in order or not
    timed_out,    ///< the deadline passed
    interrupted,  ///< interrupt() or break_off()
  };
  End end() const { return end_; }
  bool secure() const { return tls_.has_value(); }
  boost::asio::any_io_executor executor() { return socket_.get_executor(); }
  /// `127.0.0.1:443`: our end of the connection, as it stands in a URL.
  std::string local_authority() const;

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
  boost::asio::awaitable<bool> write(std::span<const std::byte> bytes, base::Duration stall);

  /// As write(), but with TLS the cipher text stays in the lent space until as many bytes would no longer fit there.
  boost::asio::awaitable<bool> write_gathering(std::span<const std::byte> bytes, base::Duration stall);
  /// Sends what was gathered.
  boost::asio::awaitable<bool> flush(base::Duration stall);
  /// Memory, the caller's, that write_gathering() may use until this is called with an empty span; what was not
  /// flushed then is lost. One send of a megabyte costs far less than several smaller ones.
  void lend(std::span<std::byte> space);

  /// Up to `count` bytes of a file by sendfile(2), as many as the socket takes after at most one wait; only without
  /// TLS. 0 when the connection has ended or the file is shorter. What is not in the page cache is sent on `pool`,
  /// because the disk may be slow.
  boost::asio::awaitable<std::size_t> send_file_some(int file, std::int64_t offset, std::size_t count,
                                                     boost::asio::thread_pool& pool, base::Duration stall);

  /// Holds back partial packets while on (TCP_CORK).
  void set_cork(bool on);
  /// While file bytes flow a fast stream is taken in large pieces. Its bytes may wait some milliseconds for more.
  void set_bulk(bool bulk);

  /// Other connections of the thread get their turn: for loops that may go on for long without waiting.
  boost::asio::awaitable<void> let_others_run();

  /// Ends our side, reads what still comes for at most `linger` and `bytes_max` bytes, so that a peer that is still
  /// sending sees the answer and no reset, and closes the connection.
  boost::asio::awaitable<void> close_gently(base::Duration linger, std::size_t bytes_max);
  void close();

  /// Ends the present wait and refuses further ones until resume().
  void interrupt();
  void resume();
  /// As interrupt(), for good.
  void break_off();
  bool interrupted() const { return interrupted_ || broken_off_; }

 private:
  /// Shared with the timer's handler, which may outlive the transport.
  struct Watch;

  bool may_wait(Deadline deadline);
  void ended(const boost::system::error_code& error);
  int descriptor();
  void leave_reactor();
  void join_reactor();
  void wake_at(std::size_t bytes);
  bool readable();
  std::optional<std::size_t> take(std::span<std::byte> out);
  bool takes_much(std::size_t out_bytes) const;
  boost::asio::awaitable<bool> wait_for_cipher_text(std::size_t out_bytes, Deadline deadline);
  TlsEngine::Step read_taking(std::span<std::byte> out, std::size_t& count);
  boost::asio::awaitable<bool> wait_for_input(std::size_t wanted, Deadline deadline);
  boost::asio::awaitable<std::size_t> receive_stream(std::span<std::byte> out, std::size_t wanted, Deadline deadline);
  boost::asio::awaitable<std::size_t> receive(std::span<std::byte> out, std::size_t wanted, Deadline deadline);
  boost::asio::awaitable<bool> send(std::span<const std::byte> bytes, base::Duration stall);
  boost::asio::awaitable<bool> flush_until(Deadline deadline);
  bool failed_tls();

  boost::asio::ip::tcp::socket socket_;  ///< closed while away_ has the descriptor
  const boost::asio::ip::tcp::endpoint local_;
  int away_ = -1;  ///< the descriptor while the reactor does not watch it
  bool bulk_ = false;
  bool streaming_ = false;      ///< much came at once the last time
  std::size_t wake_bytes_ = 1;  ///< the socket counts as readable from so many bytes on
  std::shared_ptr<Watch> watch_;
  std::optional<TlsEngine> tls_;
  End end_ = End::none;
  bool interrupted_ = false;
  bool broken_off_ = false;
};

}  // namespace quire::http
