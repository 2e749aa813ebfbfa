#pragma once

#include <cstddef>
#include <initializer_list>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace quire::test_support {

/// Thrown where the process is meant to die. Only the test catches it.
class Crash {};

/// Where a fault can strike.
enum class FaultPoint {
  before_blob_call,    ///< the call has no effect
  after_blob_call,     ///< create, append, commit, remove: done, but the caller does not learn it
  before_object_call,  ///< the call has no effect
  after_object_call,   ///< put, remove: done, but the caller does not learn it
  before_transaction,  ///< nothing runs
  in_transaction,      ///< at one read or change inside: the transaction rolls back
  after_commit,        ///< of a write transaction: committed, but the caller does not learn it
};

/// Decides which call fails: the k-th fault point that is passed, counted over everything that shares this object
/// (FailingBlobStore, FailingObjectStore, FailingCatalog). All threads may call it.
///
///     for (std::size_t k = 1;; ++k) {
///       Faults faults(Faults::Kind::error, k);
///       ... a fresh world with FailingCatalog(catalog, faults), FailingBlobStore(blobs, faults) ...
///       ... act, catching Crash for Kind::crash ...
///       if (!faults.struck()) break;  // every call has failed once
///       SCOPED_TRACE(faults.where());
///       ... what must hold ...
///     }
class Faults {
 public:
  enum class Kind {
    error,  ///< the call fails, once; all others work
    crash,  ///< the call throws Crash, and so does everything after it: the process is dead
  };

  Faults(Kind kind, std::size_t k) : kind_(kind), k_(k) {}
  /// Counts the given points only.
  Faults(Kind kind, std::size_t k, std::set<FaultPoint> points) : kind_(kind), k_(k), points_(std::move(points)) {}

  /// Passes a fault point. True when the call that `call` names is to fail now; throws Crash when the process is dead.
  bool strikes(FaultPoint point, std::string_view call) {
    const std::scoped_lock lock(mutex_);
    if (struck_ && kind_ == Kind::crash) throw Crash();
    if (struck_ || !points_.contains(point)) return false;
    if (++passed_ < k_) return false;
    struck_ = true;
    where_ = std::string(name_of(point)) + " " + std::string(call) + " (fault point " + std::to_string(k_) + ")";
    if (kind_ == Kind::crash) throw Crash();
    return true;
  }

  /// How many fault points have been passed without a fault.
  std::size_t passed() const {
    const std::scoped_lock lock(mutex_);
    return passed_;
  }

  bool struck() const {
    const std::scoped_lock lock(mutex_);
    return struck_;
  }
  bool crashed() const { return kind_ == Kind::crash && struck(); }

  /// Which call failed, for a test's messages.
  std::string where() const {
    const std::scoped_lock lock(mutex_);
    return where_;
  }

  base::Error error() const { return base::internal_error("injected fault " + where()); }

 private:
  static std::string_view name_of(FaultPoint point) {
    switch (point) {
      case FaultPoint::before_blob_call:
        return "before blob";
      case FaultPoint::after_blob_call:
        return "after blob";
      case FaultPoint::before_object_call:
        return "before object";
      case FaultPoint::after_object_call:
        return "after object";
      case FaultPoint::before_transaction:
        return "before transaction";
      case FaultPoint::in_transaction:
        return "in transaction at";
      case FaultPoint::after_commit:
        return "after commit of";
    }
    return "";
  }

  const Kind kind_;
  const std::size_t k_;
  const std::set<FaultPoint> points_ = {FaultPoint::before_blob_call,   FaultPoint::after_blob_call,
                                        FaultPoint::before_object_call, FaultPoint::after_object_call,
                                        FaultPoint::before_transaction, FaultPoint::in_transaction,
                                        FaultPoint::after_commit};
  mutable std::mutex mutex_;
  std::size_t passed_ = 0;
  bool struck_ = false;
  std::string where_;
};

}  // namespace quire::test_support
