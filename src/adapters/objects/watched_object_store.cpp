#include "adapters/objects/watched_object_store.h"

#include <array>
#include <utility>

#include "adapters/objects/prefix_owner.h"

namespace quire::adapters::objects {
namespace {

constexpr base::Duration old_after = std::chrono::seconds(2);

}  // namespace

WatchedObjectStore::WatchedObjectStore(std::unique_ptr<content::ObjectStore> inner, const base::Clock& clock)
    : inner_(std::move(inner)), clock_(clock), heard_at_(clock.uptime()), asking_([this] { ask_when_told(); }) {}

WatchedObjectStore::~WatchedObjectStore() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  told_.notify_all();
  asking_.join();
}

base::Result<void> WatchedObjectStore::put(std::string_view key, std::span<const std::byte> bytes,
                                           std::string_view sha256) {
  return ask([&] { return inner_->put(key, bytes, sha256); });
}

base::Result<std::size_t> WatchedObjectStore::get(std::string_view key, std::int64_t offset,
                                                  std::span<std::byte> buffer) {
  return ask([&] { return inner_->get(key, offset, buffer); });
}

base::Result<void> WatchedObjectStore::remove(std::span<const std::string> keys) {
  return ask([&] { return inner_->remove(keys); });
}

base::Result<content::ObjectStore::Page> WatchedObjectStore::list(std::string_view prefix, std::string_view next) {
  return ask([&] { return inner_->list(prefix, next); });
}

std::optional<base::Error> WatchedObjectStore::problem() {
  const std::lock_guard lock(mutex_);
  if (clock_.uptime() - heard_at_ >= old_after) tell_to_ask();
  return problem_;
}

template <class Call>
auto WatchedObjectStore::ask(Call call) -> decltype(call()) {
  if (auto known = problem()) return *std::move(known);
  auto outcome = call();
  const bool answered = outcome || outcome.error().kind() != base::ErrorKind::service_unavailable;
  const std::lock_guard lock(mutex_);
  heard_at_ = clock_.uptime();
  if (answered)
    problem_.reset();
  else
    tell_to_ask();
  return outcome;
}

/// The caller holds the lock.
void WatchedObjectStore::tell_to_ask() {
  asks_ = true;
  told_.notify_all();
}

void WatchedObjectStore::ask_when_told() {
  std::array<std::byte, 1> buffer{};
  std::unique_lock lock(mutex_);
  for (;;) {
    told_.wait(lock, [this] { return asks_ || ends_; });
    if (ends_) return;
    lock.unlock();
    const auto outcome = inner_->get(owner_key, 0, buffer);
    lock.lock();
    asks_ = false;
    heard_at_ = clock_.uptime();
    problem_.reset();
    if (!outcome && outcome.error().kind() == base::ErrorKind::service_unavailable) problem_ = outcome.error();
  }
}

}  // namespace quire::adapters::objects
