#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace quire::http {

/// One TLS connection's server side, apart from any socket: cipher text goes in and out through memory that the caller
/// moves to and from the network (performance.md "What profiles showed"). One thread at a time.
class TlsEngine {
 public:
  /// A record of cipher text at most: 16 KiB of plain text and its frame.
  static constexpr std::size_t record_bytes_max = 17 * 1024;

  explicit TlsEngine(std::shared_ptr<SSL_CTX> context);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  enum class Step {
    done,
    wants_input,  ///< send output(), put more bytes into input_space() and try again
    closed,       ///< the peer has ended the TLS connection in order
    failed,       ///< for good; an alert may be in output()
  };

  Step handshake();
  /// Decrypts as much into `out` as fits and has come; `count` says how much. done: at least one byte.
  Step read(std::span<std::byte> out, std::size_t& count);
  /// The same with `more` bytes from the peer, the caller's, behind those in input_space(). For after a Step
  /// wants_input; `out` is longer than `more` by record_bytes_max or more. So nothing of them is left: OpenSSL keeps a
  /// part of a record.
  Step read(std::span<std::byte> out, std::size_t& count, std::span<const std::byte> more);
  /// Encrypts all of `plain` into output(); never wants_input.
  Step write(std::span<const std::byte> plain);
  /// Puts the end of our side into output().
  void close();

  /// Bytes from the peer are here that have not been read, though perhaps less than a record.
  bool has_input() const;
  /// Where bytes from the peer belong; never empty after a Step wants_input.
  std::span<std::byte> input_space();
  void received(std::size_t count) { input_end_ += count; }
  /// The next bytes to send; there may be more behind them.
  std::span<const std::byte> output() const;
  void sent(std::size_t count);

  /// From now on output() is kept in `space`, the caller's, as far as it has room. An empty span ends that; what has
  /// not been sent from there moves to memory of the engine's own.
  void lend(std::span<std::byte> space);
  /// That much plain text, encrypted, would find room in the lent space.
  bool has_room_for(std::size_t plain_bytes) const;

  /// Gives back the memory that a large output took.
  void trim();

 private:
  friend struct TlsMemory;
  Step outcome(int result);
  std::size_t take_input(std::span<std::byte> out);
  void add_output(std::span<const std::byte> bytes);

  std::shared_ptr<SSL_CTX> context_;
  SSL* ssl_;
  const std::unique_ptr<std::byte[]> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::span<const std::byte> more_;  ///< comes behind what is in input_
  std::span<std::byte> lent_;
  std::size_t lent_begin_ = 0;
  std::size_t lent_end_ = 0;
  std::vector<std::byte> output_;  ///< comes behind what is in lent_
  std::size_t output_begin_ = 0;
};

}  // namespace quire::http
