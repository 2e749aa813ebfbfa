#include "wire/invocation.h"

#include <exception>
#include <string>

#include "base/log.h"
#include "service/services.h"

namespace quire::wire {

base::Result<content::Caller> ServiceInvoker::authenticate(std::string_view token) {
  return services_.logins.authenticate(token);
}

base::Result<content::Caller> ServiceInvoker::log_in(const api::Credentials& credentials) {
  const auto token = services_.logins.log_in(credentials.user, credentials.password);
  if (!token) return token.error();
  return services_.logins.authenticate(*token);
}

void ServiceInvoker::log_out(const content::Caller& caller) {
  const auto done = services_.logins.log_out(caller);
  if (!done) spdlog::warn("a login of one call could not be ended; it expires: {}", done.error().text());
}

base::Result<void> ServiceInvoker::run(const api::Operation& operation, const api::CallContext& call, const void* input,
                                       void* output) {
  base::Result<void> done;
  try {
    done = operation.run(services_, call, input, output);
  } catch (const std::exception& exception) {
    done = base::internal_error(std::string("exception: ") + exception.what());
  }
  if (!done && !done.error().cause().empty()) {
    const bool ours = done.error().kind() == base::ErrorKind::internal_server_error;
    spdlog::log(ours ? spdlog::level::err : spdlog::level::info, "{}.{} for {}: {} ({})", operation.facts.service,
                operation.facts.name, call.caller.user, done.error().text(), done.error().cause());
  }
  return done;
}

base::Result<std::shared_ptr<void>> invoke(Invoker& invoker, const api::Operation& operation,
                                           const api::CallContext& call, const void* input) {
  std::shared_ptr<void> output;
  if (operation.output) output = operation.make_output();
  if (auto done = invoker.run(operation, call, input, output.get()); !done) return done.error();
  return output;
}

}  // namespace quire::wire
