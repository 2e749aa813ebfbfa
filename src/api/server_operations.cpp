#include "api/inputs.h"
#include "api/operations.h"
#include "service/services.h"

/// Operations of our own, about the server itself: below com.quire, so that they never meet a published one.
namespace quire::api {

struct WorkerInfo {
  static constexpr std::string_view canonical_name = "com.quire.server.workers.info";
  std::string name;
  std::int64_t runs = 0;
  std::int64_t failures_in_a_row = 0;
  std::optional<std::string> last_error;
  std::optional<base::Time> last_error_time;
};
BOOST_DESCRIBE_STRUCT(WorkerInfo, (), (name, runs, failures_in_a_row, last_error, last_error_time))

namespace {

using base::Result;
using content::Privilege;

struct WorkerList {
  using Input = NoInput;
  using Output = std::vector<WorkerInfo>;
  static OperationFacts facts() {
    return {.service = "com.quire.server.workers",
            .name = "list",
            .method = "GET",
            .path = "/quire/server/workers",
            .privilege = Privilege::Global_Diagnostics,
            .summary = "How the server's background workers are, with their last errors. Needs Global.Diagnostics."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_ASSIGN_OR_RETURN(const auto workers, services.workers.list(call.caller));
    Output out;
    for (const auto& worker : workers)
      out.push_back({worker.name, worker.runs, worker.failures_in_a_row, worker.last_error, worker.last_error_time});
    return out;
  }
};

}  // namespace

void add_server_operations(std::vector<Operation>& all) { all.push_back(bind<WorkerList>()); }

}  // namespace quire::api
