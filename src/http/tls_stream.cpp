#include "http/tls_stream.h"

#include <algorithm>
#include <chrono>

namespace quire::http {
namespace asio = boost::asio;
namespace {

/// Plain text encrypted at a time: large enough for few system calls, small enough to stay in the cache.
constexpr std::size_t encrypt_bytes = 256 * 1024;
/// Received at a time, so that other connections of the thread do not wait for long. Each thread has room for as much
/// cipher text, because OpenSSL leaves nothing of it there.
constexpr std::size_t receive_bytes = 1024 * 1024;
/// Other connections get a turn after so many bytes that came without a wait.
constexpr std::size_t much_bytes = 256 * 1024;

std::span<std::byte> cipher_text_space() {
  thread_local const auto space = std::make_unique_for_overwrite<std::byte[]>(receive_bytes);
  return {space.get(), receive_bytes};
}

}  // namespace

TlsStream::TlsStream(DeadlineSocket& socket, std::shared_ptr<SSL_CTX> context)
    : socket_(socket), engine_(std::move(context)) {}

bool TlsStream::fail() {
  socket_.give_up();
  return false;
}

asio::awaitable<bool> TlsStream::flush(base::Duration stall) {
  bool sent = true;
  while (!engine_.output().empty()) {
    const auto output = engine_.output();
    if (sent) sent = co_await socket_.send(output, stall);
    engine_.sent(output.size());
  }
  co_return sent;
}

asio::awaitable<bool> TlsStream::flush_until(Deadline deadline) {
  if (engine_.output().empty()) co_return true;
  const auto left = std::chrono::ceil<base::Duration>(deadline - std::chrono::steady_clock::now());
  co_return co_await flush(std::max(left, base::Duration(1)));
}

asio::awaitable<bool> TlsStream::handshake(Deadline deadline) {
  while (true) {
    const auto step = engine_.handshake();
    const bool flushed = co_await flush_until(deadline);
    if (step == TlsEngine::Step::done) co_return true;  // what a peer that is gone sent before is still to be read
    if (!flushed) co_return false;
    if (step != TlsEngine::Step::wants_input) co_return fail();
    const bool came = co_await wait_for_cipher_text(1, deadline);
    if (!came) co_return false;
  }
}

asio::awaitable<std::size_t> TlsStream::read_some(std::span<std::byte> out, Deadline deadline) {
  while (true) {
    std::size_t count = 0;
    auto step = engine_.read(out, count);
    if (step == TlsEngine::Step::wants_input && takes_much(out.size())) step = read_taking(out, count);
    const bool flushed = co_await flush_until(deadline);  // answers to key updates, alerts
    if (step == TlsEngine::Step::done) {
      if (count >= much_bytes) co_await socket_.let_others_run();
      co_return count;
    }
    if (!flushed) co_return 0;
    if (step != TlsEngine::Step::wants_input) {
      fail();
      co_return 0;
    }
    const bool came = co_await wait_for_cipher_text(out.size(), deadline);
    if (!came) co_return 0;
  }
}

/// As much as gives `out_bytes` of plain text or less. It is taken here if it is not for read_taking().
asio::awaitable<bool> TlsStream::wait_for_cipher_text(std::size_t out_bytes, Deadline deadline) {
  // What has come of a record that is not whole yet is part of what is wanted.
  const auto wanted = out_bytes - std::min(out_bytes, TlsEngine::record_bytes_max);
  if (takes_much(out_bytes)) {
    const bool came = co_await socket_.wait_for_input(wanted, deadline);
    co_return came;
  }
  const auto space = engine_.input_space();
  const std::size_t received = co_await socket_.receive(space, wanted, deadline);
  engine_.received(received);
  co_return received > 0;
}

bool TlsStream::takes_much(std::size_t out_bytes) const {
  return socket_.bulk() && out_bytes >= 2 * TlsEngine::record_bytes_max;
}

/// Decrypts much that has come, without waiting.
TlsEngine::Step TlsStream::read_taking(std::span<std::byte> out, std::size_t& count) {
  if (socket_.interrupted()) return TlsEngine::Step::wants_input;
  const auto space = cipher_text_space();
  const auto size = std::min(space.size(), out.size() - TlsEngine::record_bytes_max);
  const auto taken = socket_.receive_now(space.first(size));
  if (!taken) return TlsEngine::Step::wants_input;
  if (*taken == 0) return TlsEngine::Step::closed;
  return engine_.read(out, count, space.first(*taken));
}

asio::awaitable<bool> TlsStream::write(std::span<const std::byte> first, std::span<const std::byte> second,
                                       base::Duration stall) {
  const auto beside = second.first(std::min(second.size(), encrypt_bytes));
  const auto rest = second.subspan(beside.size());
  if (!gather(first) || !gather(beside)) co_return false;
  const bool flushed = co_await flush(stall);
  if (!flushed) co_return false;
  const bool written = co_await write(rest, stall);
  co_return written;
}

asio::awaitable<bool> TlsStream::write(std::span<const std::byte> bytes, base::Duration stall) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), encrypt_bytes));
    bytes = bytes.subspan(piece.size());
    if (!gather(piece)) co_return false;
    const bool flushed = co_await flush(stall);
    if (!flushed) co_return false;
  }
  co_return true;
}

bool TlsStream::gather(std::span<const std::byte> bytes) {
  return engine_.write(bytes) == TlsEngine::Step::done || fail();
}

bool TlsStream::flush_now() {
  while (!flushed()) {
    const auto sent = socket_.send_now(engine_.output());
    if (!sent) return false;
    if (*sent == 0) break;
    engine_.sent(*sent);
  }
  return true;
}

asio::awaitable<void> TlsStream::close(base::Duration stall) {
  engine_.close();
  co_await flush(stall);
}

}  // namespace quire::http
