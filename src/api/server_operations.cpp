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
struct ServerStorage {
  static constexpr std::string_view canonical_name = "com.quire.server.state.storage";
  std::string datastore;
  std::string name;
  bool accessible = false;
  std::optional<std::int64_t> capacity;
  std::optional<std::int64_t> free_space;
};
struct ServerStateInfo {
  static constexpr std::string_view canonical_name = "com.quire.server.state.info";
  std::string version;
  std::string catalog;
  std::string server_guid;
  base::Time started;
  base::Time now;
  std::vector<ServerStorage> storages;
  std::int64_t logins = 0;
  std::int64_t update_sessions = 0;
  std::int64_t download_sessions = 0;
  std::int64_t pulls = 0;
  std::int64_t tasks = 0;
  std::int64_t webhook_deliveries_waiting = 0;
  std::int64_t webhook_deliveries_dead = 0;
};
BOOST_DESCRIBE_STRUCT(ServerStorage, (), (datastore, name, accessible, capacity, free_space))
BOOST_DESCRIBE_STRUCT(ServerStateInfo, (),
                      (version, catalog, server_guid, started, now, storages, logins, update_sessions,
                       download_sessions, pulls, tasks, webhook_deliveries_waiting, webhook_deliveries_dead))
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

struct ServerStateGet {
  using Input = NoInput;
  using Output = ServerStateInfo;
  static OperationFacts facts() {
    return {.service = "com.quire.server.state",
            .name = "get",
            .method = "GET",
            .path = "/quire/server/state",
            .privilege = Privilege::Global_Diagnostics,
            .summary = "The server's version, storages, and how much it has to do. Needs Global.Diagnostics."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_ASSIGN_OR_RETURN(const auto state, services.server_state.get(call.caller));
    const auto count = [](std::size_t number) { return static_cast<std::int64_t>(number); };
    Output out{state.facts.version,
               state.facts.catalog,
               services.server_guid,
               state.facts.started,
               state.now,
               {},
               count(state.logins),
               count(state.update_sessions),
               count(state.download_sessions),
               count(state.pulls),
               count(state.tasks),
               count(state.webhook_deliveries_waiting),
               count(state.webhook_deliveries_dead)};
    for (const auto& one : state.storages) {
      ServerStorage storage{one.id, one.name, one.accessible, std::nullopt, std::nullopt};
      if (one.accessible) {
        storage.capacity = one.capacity_bytes;
        storage.free_space = one.free_bytes;
      }
      out.storages.push_back(std::move(storage));
    }
    return out;
  }
};

}  // namespace

void add_server_operations(std::vector<Operation>& all) {
  all.push_back(bind<WorkerList>());
  all.push_back(bind<ServerStateGet>());
}

}  // namespace quire::api
