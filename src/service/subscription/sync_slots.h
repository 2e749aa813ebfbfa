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

/// What all synchronizations of this server share: that no item is worked on twice at a time, how many are fetched at a
/// time, and how fast. All threads may call it.
class SyncSlots {
 public:
  /// The right to work on an item, for as long as it lives.
  class ItemSlot {
   public:
    ItemSlot(SyncSlots& slots, std::string item) : slots_(&slots), item_(std::move(item)) {}
    ItemSlot(ItemSlot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)), item_(std::move(other.item_)) {}
    ItemSlot& operator=(ItemSlot&&) = delete;
    ~ItemSlot() {
      if (slots_ != nullptr) slots_->leave(item_);
    }

   private:
    SyncSlots* slots_;
    std::string item_;
  };

  /// The right to fetch from a publisher, for as long as it lives. Who has one must not wait for an ItemSlot.
  class FetchSlot {
   public:
    explicit FetchSlot(SyncSlots& slots) : slots_(&slots) {}
    FetchSlot(FetchSlot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    FetchSlot& operator=(FetchSlot&&) = delete;
    ~FetchSlot() {
      if (slots_ != nullptr) slots_->end_fetching();
    }

   private:
    SyncSlots* slots_;
  };

  /// Waits until nobody works on `item`, named in any unique way. nullopt when `stop` was set meanwhile.
  std::optional<ItemSlot> enter(const std::string& item, const std::atomic<bool>& stop);

  /// Waits until fewer than `items_max` are fetched. nullopt when `stop` was set meanwhile.
  std::optional<FetchSlot> begin_fetching(std::size_t items_max, const std::atomic<bool>& stop);

  TransferRate& rate() { return rate_; }

 private:
  void leave(const std::string& item);
  void end_fetching();

  std::mutex mutex_;
  std::condition_variable left_;
  std::condition_variable fetched_;
  std::set<std::string> items_;
  std::size_t fetching_ = 0;
  TransferRate rate_{0};
};

}  // namespace quire::service
