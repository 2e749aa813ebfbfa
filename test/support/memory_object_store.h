#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "content/object_store.h"

namespace quire::test_support {

/// An ObjectStore in memory, as strict as a real one and as bad as the test wants it. Outlives whatever writes into it
/// as a bucket does. All threads may call it.
class MemoryObjectStore final : public content::ObjectStore {
 public:
  /// What happens to a call.
  enum class Fate {
    works,
    fails,            ///< it has no effect: ServiceUnavailable
    loses_its_answer  ///< it is done, but the caller gets ServiceUnavailable
  };
  /// Decides on each call, by its name (`put`, `get`, `remove`, `list`) and key (of remove(): the first; of list(): the
  /// prefix). Runs on the caller's thread without a lock, so it may delay the call.
  using Script = std::function<Fate(std::string_view call, std::string_view key)>;

  /// `clock` dates the objects. A page of list() has `page_objects_max` of them.
  explicit MemoryObjectStore(const base::Clock& clock, std::size_t page_objects_max = 1000)
      : clock_(clock), page_objects_max_(page_objects_max) {}

  /// Not while calls are under way.
  void set_script(Script script) { script_ = std::move(script); }

  /// From now on list() shows what is there at this moment; with false again what is there then.
  void list_stale(bool stale) {
    const std::lock_guard lock(mutex_);
    stale_ = stale ? std::optional(objects_) : std::nullopt;
  }

  base::Result<void> put(std::string_view key, std::span<const std::byte> bytes, std::string_view sha256) override {
    check_key(key);
    return call<void>("put", key, [&]() -> base::Result<void> {
      if (base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex != sha256)
        return unavailable("the digest is wrong");
      const auto stored =
          objects_.try_emplace(std::string(key), Object{{bytes.begin(), bytes.end()}, clock_.now()}).second;
      if (!stored)
        return base::Error(base::ErrorKind::already_exists, "quire.test.key_taken", "The key is taken: {key}.",
                           {{"key", std::string(key)}});
      return {};
    });
  }

  base::Result<std::size_t> get(std::string_view key, std::int64_t offset, std::span<std::byte> buffer) override {
    check_key(key);
    QUIRE_CHECK(offset >= 0);
    if (buffer.empty()) return std::size_t{0};
    return call<std::size_t>("get", key, [&]() -> base::Result<std::size_t> {
      const auto found = objects_.find(key);
      if (found == objects_.end())
        return base::Error(base::ErrorKind::not_found, "quire.test.no_object", "There is no object {key}.",
                           {{"key", std::string(key)}});
      const std::span<const std::byte> bytes = found->second.bytes;
      const auto rest = bytes.subspan(std::min(bytes.size(), static_cast<std::size_t>(offset)));
      const auto count = std::min(rest.size(), buffer.size());
      std::copy_n(rest.begin(), count, buffer.begin());
      return count;
    });
  }

  base::Result<void> remove(std::span<const std::string> keys) override {
    if (keys.empty()) return {};
    for (const auto& key : keys) check_key(key);
    return call<void>("remove", keys.front(), [&]() -> base::Result<void> {
      for (const auto& key : keys) objects_.erase(key);
      return {};
    });
  }

  base::Result<Page> list(std::string_view prefix, std::string_view next) override {
    return call<Page>("list", prefix, [&]() -> base::Result<Page> {
      const auto& objects = stale_ ? *stale_ : objects_;
      Page page;
      for (auto at = objects.lower_bound(std::max(prefix, next)); at != objects.end(); ++at) {
        const auto& [key, object] = *at;
        if (!key.starts_with(prefix)) break;
        if (page.objects.size() == page_objects_max_) {
          page.next = key;
          break;
        }
        page.objects.push_back({key, static_cast<std::int64_t>(object.bytes.size()), object.modified});
      }
      return page;
    });
  }

 private:
  struct Object {
    std::vector<std::byte> bytes;
    base::Time modified;
  };
  using Objects = std::map<std::string, Object, std::less<>>;

  static void check_key(std::string_view key) {
    QUIRE_CHECK(!key.empty() && key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789/._-") == std::string::npos);
  }

  static base::Error unavailable(std::string reason) {
    return {base::ErrorKind::service_unavailable,
            "quire.test.unavailable",
            "The object store cannot be used: {reason}.",
            {{"reason", std::move(reason)}}};
  }

  template <class T, class Work>
  base::Result<T> call(std::string_view name, std::string_view key, Work work) {
    const auto fate = script_ ? script_(name, key) : Fate::works;
    if (fate == Fate::fails) return unavailable("the test wants so");
    const std::lock_guard lock(mutex_);
    auto done = work();
    if (fate == Fate::loses_its_answer) return unavailable("the answer was lost");
    return done;
  }

  const base::Clock& clock_;
  const std::size_t page_objects_max_;
  Script script_;
  std::mutex mutex_;
  Objects objects_;
  std::optional<Objects> stale_;  ///< what list() shows instead
};

}  // namespace quire::test_support
