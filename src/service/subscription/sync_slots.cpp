#include "service/subscription/sync_slots.h"

#include <chrono>

namespace quire::service {

std::optional<SyncSlots::Slot> SyncSlots::enter(const std::string& item, std::size_t items_max,
                                                const std::atomic<bool>& stop) {
  constexpr auto look_again = std::chrono::milliseconds(100);  // `stop` wakes nobody
  std::unique_lock lock(mutex_);
  while (items_.size() >= items_max || items_.contains(item)) {
    if (stop) return std::nullopt;
    left_.wait_for(lock, look_again);
  }
  if (stop) return std::nullopt;
  items_.insert(item);
  return std::optional<Slot>(std::in_place, *this, item);
}

void SyncSlots::leave(const std::string& item) {
  {
    const std::lock_guard lock(mutex_);
    items_.erase(item);
  }
  left_.notify_all();
}

}  // namespace quire::service
