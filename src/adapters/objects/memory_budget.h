#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace quire::adapters::objects {

/// Counts the bytes that the writers and readers of a store hold, and makes them wait for each other. Who takes bytes
/// gives them back. All threads may call it.
///
/// No deadlock: a thread that waits in take() holds nothing itself; and whoever has bytes that can be had from it
/// (a buffer that nobody fills just now, a segment that is kept in case it is read again) lets go of them in
/// `relieve`. Bytes that become such while somebody lacks() some must be offered by calling relieve() again.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Called without a lock when some thread lacks bytes; to be set before the first take().
  void set_relieve(std::function<void()> relieve) { relieve_ = std::move(relieve); }

  /// False when there are not so many, or others wait for some.
  bool try_take(std::size_t bytes);
  /// Waits in a queue until there are so many; for more than there can ever be, until nobody else has any.
  void take(std::size_t bytes);
  void give(std::size_t bytes);

  /// These bytes will be given back without anybody's doing, so nobody else needs to let go of any for them.
  void leaving(std::size_t bytes);
  void give_leaving(std::size_t bytes);

  struct Lack {
    std::size_t now = 0;    ///< what whoever waits first lacks
    std::size_t still = 0;  ///< the same without what is leaving
  };
  Lack lack() const;
  /// Lets go of what can be let go of, when somebody lacks it.
  void relieve_if_lacking();

  std::size_t used_bytes() const;
  /// The most that was used at any moment.
  std::size_t most_used_bytes() const;

 private:
  bool fits(std::size_t bytes) const { return used_ == 0 || used_ + bytes <= bytes_max_; }
  void count(std::size_t bytes);
  Lack lack_now() const;

  const std::size_t bytes_max_;
  std::function<void()> relieve_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t used_ = 0;
  std::size_t most_used_ = 0;
  std::size_t leaving_ = 0;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t served_ = 0;    ///< whose turn it is
  std::size_t head_needs_ = 0;  ///< what the one whose turn it is waits for
};

}  // namespace quire::adapters::objects
