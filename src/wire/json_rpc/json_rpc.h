#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/operation.h"
#include "wire/request/invocation.h"
#include "wire/request/message.h"

namespace quire::wire {

/// vAPI JSON-RPC 2.0, `POST /api` (wire-protocols.md §2). Every answer has HTTP status 200. Immutable; all threads may
/// call it.
class JsonRpc {
 public:
  /// Both must outlive it.
  JsonRpc(const std::vector<api::Operation>& operations, Invoker& invoker);

  Response handle(const Request& request) const;

  /// The answer when handle() threw.
  static Response internal_error();

 private:
  Response call(const boost::json::value& id, const boost::json::value& params, const Request& request) const;
  const api::Operation* find(std::string_view service, std::string_view operation) const;

  std::map<std::string, const api::Operation*, std::less<>> operations_;  ///< by `service/operation`
  Invoker& invoker_;
};

}  // namespace quire::wire
