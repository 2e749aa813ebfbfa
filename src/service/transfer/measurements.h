#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/instruments.h"

namespace quire::service {

/// One operation of the API: how often it was called, with what result, and how long it took.
struct OperationMeasurements {
  explicit OperationMeasurements(std::string_view operation) : name(operation) {}

  const std::string name;  ///< `com.vmware.content.library.item.create`, `vim25.Login`
  base::Durations durations;
  base::Counter succeeded;
  std::array<base::Counter, base::error_kind_count> failed;  ///< by kind

  void count_failure(base::ErrorKind kind) { failed[static_cast<std::size_t>(kind)].add(); }
};

/// One kind of transfer of file bytes.
struct TransferMeasurements {
  base::Level running;
  base::Counter whole;   ///< ended with all bytes
  base::Counter broken;  ///< ended otherwise, refusals before the first byte included
  base::Counter bytes;
};

/// One transfer, as long as it lives: broken unless it was said to be whole.
class CountedTransfer {
 public:
  explicit CountedTransfer(TransferMeasurements& of_kind) : of_kind_(of_kind) { of_kind_.running.rise(); }
  CountedTransfer(const CountedTransfer&) = delete;
  CountedTransfer& operator=(const CountedTransfer&) = delete;
  ~CountedTransfer() {
    of_kind_.running.fall();
    (whole_ ? of_kind_.whole : of_kind_.broken).add();
  }
  void passed(std::size_t bytes) { of_kind_.bytes.add(bytes); }
  void is_whole() { whole_ = true; }

 private:
  TransferMeasurements& of_kind_;
  bool whole_ = false;
};

/// What became of telling webhooks of events.
struct WebhookMeasurements {
  base::Counter delivered;
  base::Counter refused;    ///< the receiver answered, and not with success
  base::Counter unreached;  ///< no answer came
  base::Counter died;       ///< deliveries that were given up after their last attempt
};

/// What the server counts of itself while it works, for whoever watches it. All threads may add and read at any time;
/// nothing here waits.
class Measurements {
 public:
  base::Durations catalog_reads;
  base::Durations catalog_writes;
  TransferMeasurements uploads;  ///< of pushed files
  TransferMeasurements pulls;
  TransferMeasurements downloads;
  WebhookMeasurements webhooks;
  base::Counter rejected_logins;  ///< calls whose token or credentials were refused

  /// For wires that are being set up; it stays as long as this does. The same one for the same name.
  OperationMeasurements& operation(std::string_view name) {
    const std::lock_guard lock(mutex_);
    for (auto& known : operations_)
      if (known.name == name) return known;
    return operations_.emplace_back(name);
  }
  template <class Visitor>
  void for_each_operation(Visitor&& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& operation : operations_) visit(operation);
  }

 private:
  mutable std::mutex mutex_;
  std::list<OperationMeasurements> operations_;  ///< guarded by mutex_; each one may be used without
};

}  // namespace quire::service
