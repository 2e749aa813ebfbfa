#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/time.h"

namespace quire::http {

class TransferBuffers;

/// One chunk of transfer memory, given back on destruction. Move-only; empty when default-made.
class TransferBuffer {
 public:
  TransferBuffer() = default;
  TransferBuffer(TransferBuffer&& other) noexcept { swap(other); }
  TransferBuffer& operator=(TransferBuffer&& other) noexcept {
    TransferBuffer taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~TransferBuffer();

  explicit operator bool() const { return !bytes_.empty(); }
  std::span<std::byte> bytes() const { return bytes_; }

 private:
  friend class TransferBuffers;
  TransferBuffer(TransferBuffers& home, std::span<std::byte> bytes) : home_(&home), bytes_(bytes) {}
  void swap(TransferBuffer& other) noexcept {
    std::swap(home_, other.home_);
    std::swap(bytes_, other.bytes_);
  }

  TransferBuffers* home_ = nullptr;
  std::span<std::byte> bytes_;
};

/// The memory of all transfers: chunks of one size at addresses that direct I/O likes, recycled and never given back to
/// the system, because fresh memory is dear (performance.md "What profiles showed"). All threads may call it.
///
/// A transfer that has no chunk waits in line with take(); one that has some asks with try_take(), which gives nothing
/// while others wait. So everybody moves, and nobody waits holding a chunk that others need.
class TransferBuffers {
 public:
  /// At least one buffer, whatever `bytes_max` says.
  TransferBuffers(std::size_t buffer_bytes, std::size_t bytes_max);
  TransferBuffers(const TransferBuffers&) = delete;
  TransferBuffers& operator=(const TransferBuffers&) = delete;

  /// A free buffer, in the order of asking; empty when `wait` ran out first or was cancelled. Every wait is on `alarm`,
  /// which nobody else waits on meanwhile.
  boost::asio::awaitable<TransferBuffer> take(std::shared_ptr<boost::asio::steady_timer> alarm, base::Duration wait);

  /// Empty when none is free or somebody waits.
  TransferBuffer try_take();

  /// Somebody waits: who has more than one should give one back.
  bool wanted() const;

  std::size_t buffer_bytes() const { return buffer_bytes_; }
  /// Buffers that are out.
  std::size_t taken() const;

 private:
  friend class TransferBuffer;
  struct Waiter;
  struct Free {
    void operator()(std::byte* memory) const;
  };
  void give_back(std::span<std::byte> bytes);

  const std::size_t buffer_bytes_;
  const std::size_t count_;
  const std::unique_ptr<std::byte, Free> memory_;
  mutable std::mutex mutex_;
  std::vector<std::span<std::byte>> free_;  ///< the last one given back is the next one out: it is warm
  std::deque<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace quire::http
