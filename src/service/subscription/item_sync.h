#pragma once

#include <cstddef>
#include <string>

#include "service/subscription/item_fetch.h"
#include "service/subscription/source_item_rules.h"
#include "service/subscription/sync_slots.h"
#include "service/task/task_runner.h"

namespace quire::service {

/// What the threads of one synchronization share.
struct SyncWork {
  const TaskRun& run;
  SourceLibrary& source;
  content::LibraryId library;
  content::SourceUrl url;  ///< of the subscription that it began with
  SyncFlow& flow;
  SyncSlots& slots;
  std::size_t items_max;  ///< that are fetched at a time

  Context& context() const { return run.context(); }
};

/// Brings the content that `wanted` tells of, from the publisher or from where the same bytes are already, and makes
/// the item of it in one change; until then the item is as it was. A document that has become old meanwhile is read
/// once more. Nothing to do when the item has that content. Waits for its turn to fetch. Outside of transactions; any
/// thread, but not two for one item.
///
/// Errors: of the item, which leave it as it was: ResourceInaccessible, UnableToAllocateResource, AlreadyExists,
/// InvalidArgument; Canceled when the task or the subscription is over; those of the catalog.
base::Result<void> bring_item(const SyncWork& work, const SourceDocument& wanted);

}  // namespace quire::service
