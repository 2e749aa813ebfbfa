#pragma once

#include <openssl/types.h>

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <span>

#include "http/deadline_socket.h"
#include "http/tls_engine.h"

namespace quire::http {

/// The server's side of TLS on a socket. As there: one thread, deadlines, no exceptions; socket.end() says why a call
/// returned 0 or false.
class TlsStream {
 public:
  /// `socket` outlives the stream.
  TlsStream(DeadlineSocket& socket, std::shared_ptr<SSL_CTX> context);

  boost::asio::awaitable<bool> handshake(Deadline deadline);

  /// At least one byte, or 0 when the connection has ended.
  boost::asio::awaitable<std::size_t> read_some(std::span<std::byte> out, Deadline deadline);
  /// Bytes have come that the socket does not know of any more, though perhaps less than a record.
  bool has_input() const { return engine_.has_input(); }

  /// All of it; `stall` is the longest time without a byte going out.
  boost::asio::awaitable<bool> write(std::span<const std::byte> bytes, base::Duration stall);
  /// The first one and what fits beside it go out together.
  boost::asio::awaitable<bool> write(std::span<const std::byte> first, std::span<const std::byte> second,
                                     base::Duration stall);

  /// Memory, the caller's, where gather() keeps cipher text until this is called with an empty span; what has not been
  /// sent then moves to memory of the stream's own. One send of a megabyte costs far less than several smaller ones.
  void lend(std::span<std::byte> space) { engine_.lend(space); }
  bool has_room_for(std::size_t plain_bytes) const { return engine_.has_room_for(plain_bytes); }
  /// Encrypts; sends nothing.
  bool gather(std::span<const std::byte> bytes);
  /// Sends what goes without waiting. False when the connection has ended.
  bool flush_now();
  bool flushed() const { return engine_.output().empty(); }
  boost::asio::awaitable<bool> flush(base::Duration stall);

  /// Tells the peer that nothing more comes.
  boost::asio::awaitable<void> close(base::Duration stall);
  /// Gives back the memory that a large output took.
  void trim() { engine_.trim(); }

 private:
  bool fail();
  bool takes_much(std::size_t out_bytes) const;
  boost::asio::awaitable<bool> wait_for_cipher_text(std::size_t out_bytes, Deadline deadline);
  TlsEngine::Step read_taking(std::span<std::byte> out, std::size_t& count);
  boost::asio::awaitable<bool> flush_until(Deadline deadline);

  DeadlineSocket& socket_;
  TlsEngine engine_;
};

}  // namespace quire::http
