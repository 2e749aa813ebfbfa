#include "service/subscription/sync_slots.h"

#include <chrono>

namespace quire::service {
namespace {

constexpr auto look_again = std::chrono::milliseconds(100);  // `stop` wakes nobody

}  // namespace

std::optional<SyncSlots::ItemSlot> SyncSlots::enter(const std::string& item, const std::atomic<bool>& stop) {
  std::unique_lock lock(mutex_);
  while (!stop && items_.contains(item)) left_.wait_for(lock, look_again);
  if (stop) return std::nullopt;
  items_.insert(item);
  return std::optional<ItemSlot>(std::in_place, *this, item);
}

std::optional<SyncSlots::FetchSlot> SyncSlots::begin_fetching(std::size_t items_max, const std::atomic<bool>& stop) {
  std::unique_lock lock(mutex_);
  while (!stop && fetching_ >= items_max) fetched_.wait_for(lock, look_again);
  if (stop) return std::nullopt;
  ++fetching_;
  return std::optional<FetchSlot>(std::in_place, *this);
}

void SyncSlots::leave(const std::string& item) {
  {
    const std::lock_guard lock(mutex_);
    items_.erase(item);
  }
  left_.notify_all();
}

void SyncSlots::end_fetching() {
  {
    const std::lock_guard lock(mutex_);
    --fetching_;
  }
  fetched_.notify_one();
}

}  // namespace quire::service
