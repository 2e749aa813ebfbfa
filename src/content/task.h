#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/enumeration.h"
#include "base/error.h"
#include "base/time.h"
#include "content/ids.h"

namespace quire::content {

/// Spelled as on the wire (content-library-api.md §22).
QUIRE_ENUM(TaskStatus, PENDING, RUNNING, BLOCKED, SUCCEEDED, FAILED)

/// Why a task has failed, as its clients read it.
struct TaskError {
  base::ErrorKind kind = base::ErrorKind::error;
  std::vector<base::Message> messages;
  bool operator==(const TaskError&) const = default;
};

/// Work that an operation began and that goes on after its answer (content-library-api.md §22). It has ended exactly
/// when `ended` is set.
struct Task {
  TaskId id;
  std::string service;      ///< of the operation: `com.vmware.content.library.item`
  std::string operation;    ///< `copy`
  std::string target_type;  ///< resource type of `target`: `com.vmware.content.library.Item`
  std::string target;       ///< identifier of what it works on
  ItemId source = {};       ///< whose content it brings or waits for; empty: none
  std::string user;         ///< who asked for it
  base::Message description;
  TaskStatus status = TaskStatus::PENDING;
  std::int64_t total = 0;  ///< in bytes; 0 while it is not known
  std::int64_t completed = 0;
  bool cancel_requested = false;
  std::optional<TaskError> error;  ///< exactly in FAILED
  ContentId content;               ///< pinned until it ends: a set of files that it reads; empty for none
  std::string claim;               ///< names the worker that has it; empty: none
  base::Time due;                  ///< no worker takes it before: until then the claim holds, or it waits
  std::int64_t attempts = 0;       ///< that have failed since it last got on
  base::Time created;
  std::optional<base::Time> started;
  std::optional<base::Time> ended;
  bool operator==(const Task&) const = default;
};

/// A blob that a task has made and that nothing else may name yet: it stays as long as the task does not end.
struct TaskBlob {
  BlobId blob;
  bool operator==(const TaskBlob&) const = default;
};

}  // namespace quire::content
