#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "content/object_store.h"
#include "support/faults.h"

namespace quire::test_support {

/// An object store whose calls fail as `faults` says: before they have an effect, or after it, when the answer is lost.
/// `inner` and `faults` must outlive it. All threads may call it. Not for Faults::Kind::crash, as it is called in the
/// background, where nobody could catch that: with Afterwards::is_gone the same stays behind as of a process that died.
class FailingObjectStore final : public content::ObjectStore {
 public:
  enum class Afterwards {
    works,    ///< the fault was the only one
    is_gone,  ///< nothing works any more, as for a process that has died
  };

  FailingObjectStore(content::ObjectStore& inner, Faults& faults, Afterwards afterwards = Afterwards::works)
      : inner_(inner), faults_(faults), afterwards_(afterwards) {}

  base::Result<void> put(std::string_view key, std::span<const std::byte> bytes, std::string_view sha256) override {
    return effect("put", [&] { return inner_.put(key, bytes, sha256); });
  }

  base::Result<std::size_t> get(std::string_view key, std::int64_t offset, std::span<std::byte> buffer) override {
    if (strikes(FaultPoint::before_object_call, "get")) return error();
    auto got = inner_.get(key, offset, buffer);
    const std::lock_guard lock(mutex_);
    gets_.emplace_back(key);
    if (got && damaged_gets_ > 0 && *got > 0 && key.find(damaged_) != std::string_view::npos) {
      --damaged_gets_;
      damage_(buffer, *got);
    }
    return got;
  }

  base::Result<void> remove(std::span<const std::string> keys) override {
    return effect("remove", [&] { return inner_.remove(keys); });
  }

  base::Result<Page> list(std::string_view prefix, std::string_view next) override {
    if (strikes(FaultPoint::before_object_call, "list")) return error();
    return inner_.list(prefix, next);
  }

  using Damage = std::function<void(std::span<std::byte> buffer, std::size_t& got)>;
  static void flip_a_bit(std::span<std::byte> buffer, std::size_t& got) { buffer[got / 2] ^= std::byte{1}; }
  static void lose_a_byte(std::span<std::byte>, std::size_t& got) { --got; }

  /// The next `times` answers with bytes of objects whose keys contain `part` are damaged on the way.
  void damage(std::string part, int times, Damage how = flip_a_bit) {
    const std::lock_guard lock(mutex_);
    damaged_ = std::move(part);
    damaged_gets_ = times;
    damage_ = std::move(how);
  }

  /// The keys that were read, in their order.
  std::vector<std::string> gets() const {
    const std::lock_guard lock(mutex_);
    return gets_;
  }

 private:
  template <class Call>
  base::Result<void> effect(std::string_view name, Call call) {
    if (strikes(FaultPoint::before_object_call, name)) return error();
    auto done = call();
    if (done && strikes(FaultPoint::after_object_call, name)) return error();
    return done;
  }

  bool strikes(FaultPoint point, std::string_view call) {
    return faults_.strikes(point, call) || (afterwards_ == Afterwards::is_gone && faults_.struck());
  }

  base::Error error() const {
    return {base::ErrorKind::service_unavailable, "test.object.unavailable", "The object store does not answer.", {}};
  }

  content::ObjectStore& inner_;
  Faults& faults_;
  const Afterwards afterwards_;
  mutable std::mutex mutex_;
  std::string damaged_;
  int damaged_gets_ = 0;
  Damage damage_;
  std::vector<std::string> gets_;
};

}  // namespace quire::test_support
