#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "content/object_store.h"

namespace quire::adapters::objects {

/// An object store that knows whether it answered last, for whoever watches the server and must not wait. All threads
/// may call it.
class WatchedObjectStore final : public content::ObjectStore {
 public:
  /// `clock` must outlive it.
  WatchedObjectStore(std::unique_ptr<content::ObjectStore> inner, const base::Clock& clock);
  /// Waits for the question that is under way.
  ~WatchedObjectStore() override;

  base::Result<void> put(std::string_view key, std::span<const std::byte> bytes, std::string_view sha256) override;
  base::Result<std::size_t> get(std::string_view key, std::int64_t offset, std::span<std::byte> buffer) override;
  base::Result<void> remove(std::span<const std::string> keys) override;
  base::Result<Page> list(std::string_view prefix, std::string_view next) override;

  /// The ServiceUnavailable that the last call ended by, or none. Never waits for the store: when nobody has asked it
  /// anything for two seconds, a thread of this object's does, and a later call here tells what came of it.
  std::optional<base::Error> problem();

 private:
  template <class Value>
  base::Result<Value> note(base::Result<Value> outcome);
  void ask_when_told();

  const std::unique_ptr<content::ObjectStore> inner_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::optional<base::Error> problem_;
  base::Duration heard_at_;  ///< uptime
  bool asks_ = false;
  bool ends_ = false;
  std::thread asking_;
};

}  // namespace quire::adapters::objects
