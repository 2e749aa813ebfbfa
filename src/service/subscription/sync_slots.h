#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "service/subscription/transfer_rate.h"

namespace quire::service {

/// What all synchronizations of this server share: how many items are fetched at a time, none of them twice, and how
/// fast. All threads may call it.
class SyncSlots {
 public:
  /// The right to fetch one item, for as long as it lives.
  class Slot {
   public:
    Slot(SyncSlots& slots, std::string item) : slots_(&slots), item_(std::move(item)) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)), item_(std::move(other.item_)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (slots_ != nullptr) slots_->leave(item_);
    }

   private:
    SyncSlots* slots_;
    std::string item_;
  };

  /// Waits until fewer than `items_max` items are fetched and `item`, named in any unique way, is not among them.
  /// nullopt when `stop` was set meanwhile.
  std::optional<Slot> enter(const std::string& item, std::size_t items_max, const std::atomic<bool>& stop);

  TransferRate& rate() { return rate_; }

 private:
  void leave(const std::string& item);

  std::mutex mutex_;
  std::condition_variable left_;
  std::set<std::string> items_;
  TransferRate rate_{0};
};

}  // namespace quire::service
