#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "api/operation.h"
#include "base/result.h"
#include "content/access.h"

namespace quire::service {
struct OperationMeasurements;
}

namespace quire::wire {

/// What the bindings need below them: who a client is, and operations to be run. The seam that lets a binding be tested
/// with operations of the test's own. All threads may call it.
class Invoker {
 public:
  virtual ~Invoker() = default;

  /// Who the token of a login session is; counts as use. Unauthenticated.
  virtual base::Result<content::Caller> authenticate(std::string_view token) = 0;

  /// A login for one call of `origin` that brought a user and password instead of a token; end it with log_out.
  /// Unauthenticated.
  virtual base::Result<content::Caller> log_in(const api::Credentials& credentials,
                                               const content::CallOrigin& origin) = 0;
  virtual void log_out(const content::Caller& caller) = 0;

  /// Runs the operation; `output` as Operation::run has it. Never throws.
  virtual base::Result<void> run(const api::Operation& operation, const api::CallContext& call, const void* input,
                                 void* output) = 0;
};

/// The server's own: over the services. Logs the causes of errors, records refusals for the audit trail, and turns
/// exceptions into InternalServerError.
class ServiceInvoker final : public Invoker {
 public:
  explicit ServiceInvoker(service::Services& services);
  base::Result<content::Caller> authenticate(std::string_view token) override;
  base::Result<content::Caller> log_in(const api::Credentials& credentials, const content::CallOrigin& origin) override;
  void log_out(const content::Caller& caller) override;
  base::Result<void> run(const api::Operation& operation, const api::CallContext& call, const void* input,
                         void* output) override;

 private:
  service::Services& services_;
  std::unordered_map<const api::Operation*, service::OperationMeasurements*> measurements_;  ///< of the registry
};

/// The operation's output, made and filled; nullptr for void.
base::Result<std::shared_ptr<void>> invoke(Invoker& invoker, const api::Operation& operation,
                                           const api::CallContext& call, const void* input);

/// The answer to a call of an operation that is not in the registry.
base::Error operation_not_found(std::string_view what);

}  // namespace quire::wire
