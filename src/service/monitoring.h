#pragma once

#include <functional>
#include <string>
#include <vector>

namespace quire::service {

/// Whether this server can do its work.
struct Readiness {
  std::vector<std::string> obstacles;  ///< why it cannot; empty: it can
  std::vector<std::string> warnings;   ///< what somebody should look at although it can
};

/// How this server is, for those who watch it. Put together in a layer above; any thread calls the functions. Without
/// them nothing can be asked.
struct Monitoring {
  std::function<Readiness()> readiness;
  std::function<std::string()> metrics;  ///< in the text format of Prometheus, version 0.0.4
  /// Whether a client at this address may ask on the addresses of the API without a login.
  std::function<bool(const std::string& address)> lets_in;
};

}  // namespace quire::service
