#include "adapters/objects/memory_budget.h"

#include <algorithm>

#include "base/check.h"

namespace quire::adapters::objects {

bool MemoryBudget::try_take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (next_ticket_ != served_ || !fits(bytes)) return false;
  count(bytes);
  return true;
}

void MemoryBudget::take(std::size_t bytes) {
  std::unique_lock lock(mutex_);
  const auto ticket = next_ticket_++;
  changed_.wait(lock, [&] { return served_ == ticket; });
  head_needs_ = bytes;
  while (!fits(bytes)) {
    const auto before = used_;
    lock.unlock();
    relieve_();
    lock.lock();
    // Whoever could not let go just now does so, or asks to, before long; both wake this.
    if (!fits(bytes) && used_ == before) changed_.wait(lock);
  }
  count(bytes);
  head_needs_ = 0;
  ++served_;
  changed_.notify_all();
}

void MemoryBudget::give(std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    QUIRE_CHECK(bytes <= used_);
    used_ -= bytes;
  }
  changed_.notify_all();
}

void MemoryBudget::leaving(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  leaving_ += bytes;
}

void MemoryBudget::give_leaving(std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    QUIRE_CHECK(bytes <= leaving_ && bytes <= used_);
    leaving_ -= bytes;
    used_ -= bytes;
  }
  changed_.notify_all();
}

MemoryBudget::Lack MemoryBudget::lack() const {
  const std::lock_guard lock(mutex_);
  return lack_now();
}

void MemoryBudget::relieve_if_lacking() {
  if (lack().now > 0) relieve_();
}

std::size_t MemoryBudget::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

std::size_t MemoryBudget::most_used_bytes() const {
  const std::lock_guard lock(mutex_);
  return most_used_;
}

void MemoryBudget::count(std::size_t bytes) {
  used_ += bytes;
  most_used_ = std::max(most_used_, used_);
}

MemoryBudget::Lack MemoryBudget::lack_now() const {
  if (fits(head_needs_)) return {};
  const auto now = used_ + head_needs_ - bytes_max_;
  return {now, now - std::min(now, leaving_)};
}

}  // namespace quire::adapters::objects
