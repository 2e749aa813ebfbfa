#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "service/inventory.h"
#include "service/transaction/context.h"

namespace quire::service {

/// What whoever puts the server together knows of it.
struct ServerFacts {
  std::string version;
  std::string catalog;  ///< `sqlite` or `postgresql`
  base::Time started;
};

/// What an operator may want to know of a server at a moment.
struct ServerStateNow {
  ServerFacts facts;
  base::Time now;
  std::vector<Datastore> storages;
  std::size_t logins = 0;           ///< without API tokens
  std::size_t update_sessions = 0;  ///< ACTIVE
  std::size_t download_sessions = 0;
  std::size_t pulls = 0;  ///< files whose bytes are to be pulled and are not all there; at most pulls_counted_max
  std::size_t tasks = 0;  ///< that have not ended
  std::size_t webhook_deliveries_waiting = 0;
  std::size_t webhook_deliveries_dead = 0;
};

inline constexpr std::size_t pulls_counted_max = 1000;

/// How this server is. All threads may call it.
class ServerState {
 public:
  ServerState(Context& context, ServerFacts facts) : context_(context), facts_(std::move(facts)) {}

  /// Asks each storage for its space, so it may block. Unauthorized without Global.Diagnostics.
  base::Result<ServerStateNow> get(const content::Caller& caller) const;

 private:
  Context& context_;
  ServerFacts facts_;
};

}  // namespace quire::service
