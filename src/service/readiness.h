#pragma once

#include <vector>

#include "service/monitoring.h"
#include "service/transaction/context.h"
#include "service/workers.h"

namespace quire::service {

/// Whether the server can do its work: the catalog answers, and every storage does. A catalog's disk without room and
/// workers that fail again and again are warnings, because most of the work goes on. Asks both, so it blocks as long as
/// they do.
Readiness readiness_of(Context& context, const std::vector<WorkerStatus>& workers);

}  // namespace quire::service
