#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "content/access.h"

namespace quire::service {

/// What an operator may want to know of one background worker.
struct WorkerStatus {
  std::string name;
  std::int64_t runs = 0;
  std::int64_t failures_in_a_row = 0;
  /// Of the last failure, as clients may read it: its cause stands in the log only. Unset when there never was one.
  std::optional<std::string> last_error;
  std::optional<base::Time> last_error_time;
};

/// The background workers of this server. They run in a layer above, which says how they are: `ask` is called by any
/// thread; without one there are no workers.
class Workers {
 public:
  Workers() = default;
  explicit Workers(std::function<std::vector<WorkerStatus>()> ask) : ask_(std::move(ask)) {}

  /// In the order in which they were started. Unauthorized without Global.Diagnostics.
  base::Result<std::vector<WorkerStatus>> list(const content::Caller& caller) const;

 private:
  std::function<std::vector<WorkerStatus>()> ask_;
};

}  // namespace quire::service
