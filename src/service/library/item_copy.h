#pragma once

#include "service/task/task_runner.h"

namespace quire::service {

/// The tasks by which Items::copy brings much content to another storage: blob by blob, then the item gets its files in
/// one change. The item of a copy that fails goes (content-library-api.md §11.1).
TaskKind item_copy_tasks();

/// Whether `item`, which has never had content, is being filled by such a task.
bool is_being_copied(View view, const content::Item& item);

}  // namespace quire::service
