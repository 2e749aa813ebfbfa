#pragma once

#include <vector>

#include "service/subscription/sync_slots.h"
#include "service/task/task_runner.h"

namespace quire::service {

/// The tasks by which subscribed libraries and their items become what their publishers have (content-library-api.md
/// §6, §18; vcsp.md §6; decision 21). A library's: the descriptor, and when it tells of news the index; items that are
/// gone go, items that stay get their names and descriptions, and unless the library is on demand the content of each
/// is brought, several at a time. A task fails when the publisher cannot be read, or with a message for each item that
/// could not be had; all else is synchronized then. `slots` must outlive the tasks.
/// Of libraries at most `libraries_max` are synchronized at once.
std::vector<TaskKind> synchronization_tasks(SyncSlots& slots, std::size_t libraries_max);

/// When an automatic synchronization is due again after one that ended now: the service's interval with up to a tenth
/// of it more by `random`, or sooner after `failures` in a row (vcsp.md §6.5).
base::Time next_automatic_sync(base::Time now, base::Duration interval, std::int64_t failures, std::uint64_t random);

}  // namespace quire::service
