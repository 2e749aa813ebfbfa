#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/transaction/transaction.h"

namespace quire::service {

/// Which tasks somebody asks for; an unset or empty member lets every task through.
struct TaskFilter {
  std::vector<content::TaskId> tasks = {};
  std::vector<std::string> services = {};
  std::vector<std::string> operations = {};
  std::vector<content::TaskStatus> status = {};
  std::vector<std::pair<std::string, std::string>> targets = {};  ///< resource type and identifier
  std::vector<std::string> users = {};
};

/// Tasks as their clients see them (content-library-api.md §22). A task is there for its user and for administrators,
/// who hold every privilege on the root; moments are those of the wall clock. All threads may call it.
class Tasks {
 public:
  explicit Tasks(Context& context) : context_(context) {}

  base::Result<content::Task> get(const content::Caller& caller, const content::TaskId& id);  ///< NotFound
  /// The newest thousand of those that the caller may see and that pass the filter, the newest first.
  base::Result<std::vector<content::Task>> list(const content::Caller& caller, const TaskFilter& filter);
  /// Asks the task to stop; soon after it is FAILED, with Canceled. NotFound; NotAllowedInCurrentState when it has
  /// ended.
  base::Result<void> cancel(const content::Caller& caller, const content::TaskId& id);

  /// For a worker: removes those that ended longer ago than Settings::task_retention.
  base::Result<void> remove_old();

 private:
  Context& context_;
};

/// What an operation that begins a task says of it; see content::Task.
struct TaskSpec {
  std::string service;
  std::string operation;
  std::string target_type;
  std::string target;
  base::Message description;
  content::ContentId content = {};  ///< to pin
  content::ItemId source = {};      ///< whose content it brings or waits for
};

/// Begins a task of the caller's with this change; a worker takes it after the commit. ServiceUnavailable when too many
/// have not ended.
base::Result<content::TaskId> add_task(Transaction& t, const TaskSpec& spec);

/// Ends the task, FAILED with `error` if there is one, and writes its row: the blobs that it alone held and the content
/// that it pinned go.
void end_task(Transaction& t, content::Task& task, const std::optional<base::Error>& error);

}  // namespace quire::service
