#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "service/services.h"
#include "wire/request/message.h"

namespace quire::wire {

/// Answers every request that is no transfer of file bytes: the three API bindings, the OpenAPI document, the web page,
/// the SOAP façade and the files of datastores (wire-protocols.md §1). Blocking; all threads may call it.
class Router {
 public:
  explicit Router(service::Services& services);
  ~Router();

  Response handle(const Request& request) const;

  /// The same at the address for monitoring: its pages and nothing else, without a login.
  Response watch(const Request& request) const;

  /// The answer to a request that the HTTP layer itself refuses (content-library-api.md §28.4): `status` with an
  /// INVALID_REQUEST body in the form of the binding that `target` belongs to; new REST form for unknown ones.
  static Response refuse(std::string_view target, int status, const base::Message& message);

  /// The answer of a transfer endpoint that failed with `error`: the new REST form's body under `status`.
  static Response transfer_error(int status, const base::Error& error);

 private:
  struct Routes;
  std::unique_ptr<Routes> routes_;
};

}  // namespace quire::wire
