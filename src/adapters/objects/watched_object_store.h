#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "content/object_store.h"

namespace quire::adapters::objects {

/// An object store that knows whether it answers, for whoever watches the server and must not wait: a thread of this
/// object's asks it after a call that ended by ServiceUnavailable, and when nobody has for two seconds. While it does
/// not answer, calls end by that error at once: the threads and the memory of transfers must not all wait for one store
/// while others could be used. All threads may call it.
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

  /// Why the store does not answer, as far as is known. Never waits for it; a later call tells what came of asking.
  std::optional<base::Error> problem();

 private:
  template <class Call>
  auto ask(Call call) -> decltype(call());
  void tell_to_ask();
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
