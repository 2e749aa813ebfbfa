#pragma once

#include "service/task/task_runner.h"

namespace quire::service {

/// The tasks by which Libraries::migrate moves the bytes of a library to another storage (content-library-api.md §4.1):
/// blob by blob, each copied before one change names the copy and lets the old one go. What fails or is canceled leaves
/// what it has moved where it is now; the library stays with the storage that it had.
TaskKind library_migration_tasks();

}  // namespace quire::service
