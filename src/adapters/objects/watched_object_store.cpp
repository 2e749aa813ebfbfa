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
  return note(inner_->put(key, bytes, sha256));
}

base::Result<std::size_t> WatchedObjectStore::get(std::string_view key, std::int64_t offset,
                                                  std::span<std::byte> buffer) {
  return note(inner_->get(key, offset, buffer));
}

base::Result<void> WatchedObjectStore::remove(std::span<const std::string> keys) { return note(inner_->remove(keys)); }

base::Result<content::ObjectStore::Page> WatchedObjectStore::list(std::string_view prefix, std::string_view next) {
  return note(inner_->list(prefix, next));
}

std::optional<base::Error> WatchedObjectStore::problem() {
  const std::lock_guard lock(mutex_);
  if (!asks_ && clock_.uptime() - heard_at_ >= old_after) {
    asks_ = true;
    told_.notify_all();
  }
  return problem_;
}

template <class Value>
base::Result<Value> WatchedObjectStore::note(base::Result<Value> outcome) {
  const std::lock_guard lock(mutex_);
  heard_at_ = clock_.uptime();
  problem_.reset();
  if (!outcome && outcome.error().kind() == base::ErrorKind::service_unavailable) problem_ = outcome.error();
  return outcome;
}

void WatchedObjectStore::ask_when_told() {
  std::array<std::byte, 1> buffer{};
  std::unique_lock lock(mutex_);
  for (;;) {
    told_.wait(lock, [this] { return asks_ || ends_; });
    if (ends_) return;
    lock.unlock();
    (void)get(owner_key, 0, buffer);
    lock.lock();
    asks_ = false;
  }
}

}  // namespace quire::adapters::objects
