#pragma once

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

#include "base/time.h"

namespace quire::http {

using Deadline = std::chrono::steady_clock::time_point;

inline Deadline after(base::Duration time) { return std::chrono::steady_clock::now() + time; }

/// A TCP connection, every wait under a deadline. Everything happens on the socket's network thread, whose other
/// connections get their turn after each large piece. Failures are no exceptions: a call returns 0 or false, and end()
/// says why.
class DeadlineSocket {
 public:
  explicit DeadlineSocket(boost::asio::ip::tcp::socket socket);
  ~DeadlineSocket();
  DeadlineSocket(const DeadlineSocket&) = delete;
  DeadlineSocket& operator=(const DeadlineSocket&) = delete;

  enum class End {
    none,
    closed,       ///< by the peer, in order or not
    timed_out,    ///< the deadline passed
    interrupted,  ///< interrupt() or break_off()
  };
  End end() const { return end_; }
  boost::asio::any_io_executor executor() { return socket_.get_executor(); }
  /// `127.0.0.1:443`: our end of the connection, as it stands in a URL.
  std::string local_authority() const;
  /// `192.0.2.1`: of the other end; empty when it has gone already.
  std::string peer_address() const;

  /// Some of `wanted` or more bytes that are still to come; 0 when the connection has ended.
  boost::asio::awaitable<std::size_t> receive(std::span<std::byte> out, std::size_t wanted, Deadline deadline);
  /// What has come, without waiting: how much, 0 when the connection has ended, nullopt for nothing.
  std::optional<std::size_t> receive_now(std::span<std::byte> out);
  /// Waits for bytes, or, in a stream of which `wanted` bytes are still to come, for many of them (set_bulk()). True
  /// when it is worth a look; false when the connection has ended.
  boost::asio::awaitable<bool> wait_for_input(std::size_t wanted, Deadline deadline);
  /// There are bytes to receive, or the connection has ended or was interrupted.
  bool readable();
  /// The deadline of a wait that could be let pass has passed.
  void forget_timeout() { end_ = End::none; }

  /// All of it; `stall` is the longest time without a byte going out.
  boost::asio::awaitable<bool> send(std::span<const std::byte> bytes, base::Duration stall);
  boost::asio::awaitable<bool> send(std::span<const std::byte> first, std::span<const std::byte> second,
                                    base::Duration stall);
  /// What the system takes without waiting; nullopt when the connection has ended.
  std::optional<std::size_t> send_now(std::span<const std::byte> bytes);
  /// About as many bytes as send_now() would take; 0 when the peer is so far behind that wait_writable() is worth it.
  std::size_t send_room();
  /// Until send_room() is not 0, for `patience` at most.
  boost::asio::awaitable<bool> wait_writable(base::Duration patience);
  /// Bytes that were sent and that the peer has not acknowledged.
  std::size_t in_flight();

  /// Up to `count` bytes of a file by sendfile(2), as many as the system takes without waiting; nullopt when the
  /// connection has ended or the file is shorter. What is not in the page cache is sent on `pool`, because the disk may
  /// be slow.
  boost::asio::awaitable<std::optional<std::size_t>> send_file_now(int file, std::int64_t offset, std::size_t count,
                                                                   boost::asio::thread_pool& pool);

  /// Holds back partial packets while on (TCP_CORK).
  void set_cork(bool on);
  /// While file bytes flow a fast stream is taken in large pieces. Its bytes may wait some milliseconds for more.
  void set_bulk(bool bulk);
  bool bulk() const { return bulk_; }

  /// For loops that may go on for long without waiting.
  boost::asio::awaitable<void> let_others_run();

  /// Ends our side, reads what still comes for at most `linger` and `bytes_max` bytes, so that a peer that is still
  /// sending sees the answer and no reset, and closes the connection.
  boost::asio::awaitable<void> close_gently(base::Duration linger, std::size_t bytes_max);
  void close();
  /// end() is `closed` from now on: what lies above cannot go on.
  void give_up() { end_ = End::closed; }

  /// Ends the present wait and refuses further ones until resume().
  void interrupt();
  void resume() { interrupted_ = false; }
  /// As interrupt(), for good.
  void break_off();
  bool interrupted() const { return interrupted_ || broken_off_; }

 private:
  /// Shared with the timer's handler, which may outlive the socket.
  struct Watch;

  bool may_wait(Deadline deadline);
  void ended(const boost::system::error_code& error);
  void limit_unsent(int bytes);
  void count_sent(std::size_t bytes);
  int descriptor();
  void leave_reactor();
  void join_reactor();
  void wake_at(std::size_t bytes);
  boost::asio::awaitable<std::size_t> receive_stream(std::span<std::byte> out, std::size_t wanted, Deadline deadline);

  boost::asio::ip::tcp::socket socket_;  ///< closed while away_ has the descriptor
  const boost::asio::ip::tcp::endpoint local_;
  const std::string peer_address_;
  int away_ = -1;  ///< the descriptor while the reactor does not watch it
  bool bulk_ = false;
  bool streaming_ = false;      ///< much came at once the last time
  std::size_t wake_bytes_ = 1;  ///< the socket counts as readable from so many bytes on
  std::shared_ptr<Watch> watch_;
  int unsent_max_ = 0;          ///< the system keeps no more for the peer than this; 0 for its own limit
  std::size_t sent_bytes_ = 0;  ///< of files
  End end_ = End::none;
  bool interrupted_ = false;
  bool broken_off_ = false;
};

}  // namespace quire::http
