#pragma once

#include <cstddef>

#include "service/transaction/context.h"

namespace quire::work {

struct SweepResult {
  std::size_t blobs_seen = 0;
  std::size_t orphans_removed = 0;
};

/// Removes bytes that no catalog row names: what a crash left between a blob and its row (architecture.md invariant 1).
/// Only before the server takes requests: an upload's bytes are durable a moment before their row.
base::Result<SweepResult> sweep_orphans(service::Context& context);

}  // namespace quire::work
