#include "http/blob_sender.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>

namespace quire::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t sendfile_bytes = 4 * 1024 * 1024;
constexpr std::size_t piece_bytes = 128 * 1024;                 ///< read and encrypted at a time
constexpr std::size_t gathered_bytes = 1024 * 1024 + 8 * 1024;  ///< eight pieces and what TLS adds
constexpr off_t read_ahead_bytes = 4 * 1024 * 1024;             ///< asked for when the page cache has too little
constexpr std::size_t small_memory_bytes = 64 * 1024;           ///< when no buffer is free, and for small files

/// Memory that a stream has while this lives.
class LentMemory {
 public:
  LentMemory(TlsStream& stream, std::span<std::byte> memory) : stream_(stream) { stream_.lend(memory); }
  LentMemory(const LentMemory&) = delete;
  LentMemory& operator=(const LentMemory&) = delete;
  ~LentMemory() { stream_.lend({}); }

 private:
  TlsStream& stream_;
};

}  // namespace

asio::awaitable<bool> BlobSender::send(ByteRange range) {
  while (range.length > 0) {
    const std::size_t count = co_await send_piece(range);
    if (count == 0) co_return false;
    parts_.transfers.measurements().downloads.bytes.add(count);
    range.first += count;
    range.length -= count;
    const bool wanted = co_await activity_.still_wanted();
    if (!wanted) co_return false;
    if (range.length > 0) co_await transport_.socket().let_others_run();
  }
  co_return true;
}

/// How much of the beginning of `range` was sent; 0 when no more can be.
asio::awaitable<std::size_t> BlobSender::send_piece(ByteRange range) {
  const auto file = blob_->file_descriptor();
  while (true) {
    std::optional<std::size_t> sent;
    if (!transport_.secure() && file) {
      const auto slice = static_cast<std::size_t>(std::min<std::uint64_t>(range.length, sendfile_bytes));
      const auto offset = static_cast<std::int64_t>(range.first);
      sent = co_await transport_.socket().send_file_now(*file, offset, slice, parts_.transfer_pool);
    } else {
      sent = co_await send_batch(range);
    }
    if (!sent) co_return 0;
    if (*sent > 0) co_return *sent;
    const bool going_on = co_await wait_for_client();
    if (!going_on) co_return 0;
  }
}

/// Until the client has taken enough for more to be worth sending. The system tells of that late, when much has been
/// taken, so it is asked now and then: a client that takes little is no client that stalls.
asio::awaitable<bool> BlobSender::wait_for_client() {
  const auto& limits = parts_.settings.limits;
  auto& socket = transport_.socket();
  auto in_flight = socket.in_flight();
  auto stalls_at = after(limits.transfer_stall_timeout);
  while (true) {
    const auto patience = std::min(limits.activity_interval, limits.transfer_stall_timeout);
    const bool writable = co_await socket.wait_writable(patience);
    if (writable) co_return true;
    if (socket.end() != DeadlineSocket::End::timed_out) co_return false;
    const auto left = socket.in_flight();
    if (left < in_flight) {
      in_flight = left;
      stalls_at = after(limits.transfer_stall_timeout);
      const bool wanted = co_await activity_.still_wanted();
      if (!wanted) co_return false;
    } else if (std::chrono::steady_clock::now() >= stalls_at) {
      co_return false;
    }
  }
}

/// As much as the system has room for, 0 for no room; nullopt when no more can be sent. Small pieces are read at once
/// from the page cache, so that they are encrypted while the processor has them near, and go out together. What is not
/// there is read on the pool, while what was gathered goes out.
asio::awaitable<std::optional<std::size_t>> BlobSender::send_batch(ByteRange range) {
  const auto room = std::min<std::uint64_t>(transport_.socket().send_room(), range.length);
  if (room == 0) co_return std::size_t{0};
  auto pooled = range.length > small_memory_bytes ? parts_.buffers.try_take() : TransferBuffer();
  const auto own = pooled ? nullptr : std::make_unique_for_overwrite<std::byte[]>(small_memory_bytes);
  const auto memory = pooled ? pooled.bytes() : std::span(own.get(), small_memory_bytes);
  const auto space = memory.first(std::min(piece_bytes, memory.size() / 4));
  auto* const tls = transport_.tls();
  std::optional<LentMemory> lent;
  if (tls != nullptr) {
    const auto rest = memory.subspan(space.size());
    lent.emplace(*tls, rest.first(std::min(rest.size(), gathered_bytes)));
  }
  std::uint64_t done = 0;
  while (done < room) {
    const auto piece = space.first(static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), room - done)));
    if (tls != nullptr && !tls->has_room_for(piece.size())) break;
    auto count = read_cached(piece, range.first + done);
    if (count == 0) {
      auto read_call = start_read(piece, range.first + done);
      const bool going = tls == nullptr || tls->flush_now();
      const auto read = co_await read_call.wait();
      if (!going || !read || *read == 0)
        co_return std::nullopt;  // the length is promised: only a broken connection tells
      count = *read;
    }
    if (tls != nullptr) {
      if (!tls->gather(piece.first(count))) co_return std::nullopt;
    } else {
      const auto sent = transport_.socket().send_now(piece.first(count));
      if (!sent) co_return std::nullopt;
      done += *sent;
      if (*sent < count) break;
      continue;
    }
    done += count;
  }
  if (tls == nullptr) co_return static_cast<std::size_t>(done);
  if (!tls->flush_now()) co_return std::nullopt;
  lent.reset();
  pooled = TransferBuffer();
  // Seldom: the system took less than it said. What is left is little and no longer in the transfers' memory.
  while (!tls->flushed()) {
    const bool going_on = co_await wait_for_client();
    if (!going_on || !tls->flush_now()) co_return std::nullopt;
  }
  co_return static_cast<std::size_t>(done);
}

/// What the page cache has of `space` from `offset` on; 0 when nothing, or when that cannot be told.
std::size_t BlobSender::read_cached(std::span<std::byte> space, std::uint64_t offset) const {
  const auto file = blob_->file_descriptor();
  if (!file) return 0;
  const iovec piece{space.data(), space.size()};
  const ssize_t count = ::preadv2(*file, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

OffloadedCall<BlobSender::Read> BlobSender::start_read(std::span<std::byte> space, std::uint64_t offset) {
  auto call = [bytes = blob_, space, offset] {
    if (const auto file = bytes->file_descriptor())
      ::posix_fadvise(*file, static_cast<off_t>(offset), read_ahead_bytes, POSIX_FADV_WILLNEED);
    auto read = bytes->read(static_cast<std::int64_t>(offset), space);
    if (!read)  // the client cannot be told: its answer has begun
      spdlog::error("A download breaks off because its bytes cannot be read: {} {}", read.error().text(),
                    read.error().cause());
    return read;
  };
  return OffloadedCall<Read>(transport_.socket().executor(), parts_.transfer_pool, call);
}

}  // namespace quire::http
