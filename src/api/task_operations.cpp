#include <map>

#include "api/dynamic_id.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

namespace quire::api {

struct TaskProgress {
  static constexpr std::string_view canonical_name = "com.vmware.cis.task.progress";
  std::int64_t total = 0;
  std::int64_t completed = 0;
  LocalizableMessage message;
};
struct TaskInfo {
  static constexpr std::string_view canonical_name = "com.vmware.cis.task.info";
  std::optional<TaskProgress> progress;
  LocalizableMessage description;
  std::string service;
  std::string operation;
  std::optional<std::string> parent;
  std::optional<DynamicId> target;
  content::TaskStatus status = content::TaskStatus::PENDING;
  bool cancelable = false;
  std::optional<ErrorValue> error;
  std::optional<base::Time> start_time;
  std::optional<base::Time> end_time;
  std::optional<std::string> user;
};
struct TaskFilterSpec {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tasks.filter_spec";
  std::optional<std::vector<std::string>> tasks;
  std::optional<std::vector<std::string>> services;
  std::optional<std::vector<std::string>> operations;
  std::optional<std::vector<content::TaskStatus>> status;
  std::optional<std::vector<DynamicId>> targets;
  std::optional<std::vector<std::string>> users;
};
/// Tasks have no result but their target, so nothing of it changes an answer.
struct TaskGetSpec {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tasks.get_spec";
  std::optional<bool> return_all;
  std::optional<bool> exclude_result;
};
struct TaskIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::task, "task"}};
  std::string task;
};
struct TaskGetInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::task, "task"}};
  std::string task;
  std::optional<TaskGetSpec> spec;
};
struct TaskListInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::optional<TaskFilterSpec> filter_spec;
  std::optional<TaskGetSpec> result_spec;
};
BOOST_DESCRIBE_STRUCT(TaskProgress, (), (total, completed, message))
BOOST_DESCRIBE_STRUCT(TaskInfo, (),
                      (progress, description, service, operation, parent, target, status, cancelable, error, start_time,
                       end_time, user))
BOOST_DESCRIBE_STRUCT(TaskFilterSpec, (), (tasks, services, operations, status, targets, users))
BOOST_DESCRIBE_STRUCT(TaskGetSpec, (), (return_all, exclude_result))
BOOST_DESCRIBE_STRUCT(TaskIdInput, (), (task))
BOOST_DESCRIBE_STRUCT(TaskGetInput, (), (task, spec))
BOOST_DESCRIBE_STRUCT(TaskListInput, (), (filter_spec, result_spec))

namespace {

using base::ErrorKind;
using base::Result;
constexpr auto tasks_service = "com.vmware.cis.tasks";

/// Which members may and must be set follows from the status: the clients' runtimes check it (§1.4).
TaskInfo to_api(const content::Task& task) {
  TaskInfo info;
  info.description = message_to_api(task.description);
  info.service = task.service;
  info.operation = task.operation;
  info.target = DynamicId{task.target_type, task.target};
  info.status = task.status;
  info.cancelable = !task.ended;
  if (!task.user.empty()) info.user = task.user;
  if (task.status == content::TaskStatus::PENDING) return info;
  info.progress =
      TaskProgress{task.total, task.completed,
                   message_to_api(base::make_message("quire.task.progress", "{completed} of {total} bytes",
                                                     {{"completed", task.completed}, {"total", task.total}}))};
  info.start_time = task.started;
  info.end_time = task.ended;
  if (task.error) info.error = ErrorValue{task.error->kind, task.error->messages};
  return info;
}

struct TaskGet {
  using Input = TaskGetInput;
  using Output = TaskInfo;
  static OperationFacts facts() {
    return {.service = tasks_service,
            .name = "get",
            .method = "GET",
            .path = "/cis/tasks/{task}",
            .privilege = content::Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "How far an operation is that goes on after its answer.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto task, services.tasks.get(call.caller, content::TaskId(input.task)));
    return to_api(task);
  }
};

struct TaskList {
  using Input = TaskListInput;
  using Output = std::map<std::string, TaskInfo>;
  static OperationFacts facts() {
    return {.service = tasks_service,
            .name = "list",
            .method = "POST",
            .path = "/cis/tasks",
            .action = "list",
            .privilege = content::Privilege::System_Anonymous,
            .errors = {ErrorKind::invalid_argument},
            .summary =
                "The newest thousand tasks that match every given member of the filter: the caller's, for "
                "administrators everybody's.",
            .legacy_at_path = true,
            .optional_body = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    service::TaskFilter filter;
    if (const auto& spec = input.filter_spec) {
      for (const auto& id : spec->tasks.value_or(std::vector<std::string>())) filter.tasks.emplace_back(id);
      filter.services = spec->services.value_or(filter.services);
      filter.operations = spec->operations.value_or(filter.operations);
      filter.status = spec->status.value_or(filter.status);
      for (const auto& target : spec->targets.value_or(std::vector<DynamicId>()))
        filter.targets.emplace_back(target.type, target.id);
      filter.users = spec->users.value_or(filter.users);
    }
    QUIRE_ASSIGN_OR_RETURN(const auto tasks, services.tasks.list(call.caller, filter));
    Output out;
    for (const auto& task : tasks) out.emplace(task.id.text(), to_api(task));
    return out;
  }
};

struct TaskCancel {
  using Input = TaskIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = tasks_service,
            .name = "cancel",
            .method = "POST",
            .path = "/cis/tasks/{task}",
            .action = "cancel",
            .status = 204,
            .privilege = content::Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "Asks a task to stop; soon after it has failed as canceled, and what it began is taken back.",
            .legacy_at_path = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.tasks.cancel(call.caller, content::TaskId(input.task));
  }
};

}  // namespace

void add_task_operations(std::vector<Operation>& all) {
  all.push_back(bind<TaskGet>());
  all.push_back(bind<TaskList>());
  all.push_back(bind<TaskCancel>());
}

}  // namespace quire::api
