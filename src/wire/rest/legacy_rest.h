#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/operation.h"
#include "wire/request/invocation.h"
#include "wire/request/message.h"
#include "wire/request/request_target.h"
#include "wire/rest/legacy_mapping.h"

namespace quire::wire {

/// Legacy REST, everything under `/rest` (content-library-api.md §1.2; wire-protocols.md §3.2). Besides its canonical
/// request, every operation is served as `POST <service>[/id:{id}]?~action=<name>`, with the ID in the path or in the
/// body, and an operation named get without inputs as a plain GET. Immutable; all threads may call it.
class LegacyRest {
 public:
  /// Both must outlive it.
  LegacyRest(const std::vector<api::Operation>& operations, Invoker& invoker);

  Response handle(const Request& request) const;

 private:
  struct Route {
    const api::Operation* operation;
    LegacyMapping mapping;
  };

  /// nullptr when nothing is served for this method and `~action` at a service path with or without `/id:`.
  static const Route* select(const std::vector<Route>& routes, std::string_view method,
                             const std::optional<std::string>& action, bool has_id);
  /// The value of Allow for that place; empty when there is nothing at all.
  static std::string allowed(const std::vector<Route>& routes, bool has_id);
  Response run(const Route& route, const Request& request, const RequestTarget& target,
               const std::optional<std::string>& id) const;

  std::map<std::string, std::vector<Route>, std::less<>> services_;  ///< by service path
  Invoker& invoker_;
};

}  // namespace quire::wire
