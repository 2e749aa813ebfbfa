#include "wire/request/invocation.h"

#include <chrono>
#include <exception>
#include <string>

#include "base/log.h"
#include "base/utf8.h"
#include "service/services.h"

namespace quire::wire {

namespace {

/// Causes go to the log and nowhere else (content-library-api.md §1.8).
void log_cause(std::string_view what, std::string_view user, const base::Error& error) {
  if (error.cause().empty()) return;
  const bool ours = error.kind() == base::ErrorKind::internal_server_error;
  spdlog::log(ours ? spdlog::level::err : spdlog::level::info, "{} for {}: {} ({})", what, user, error.text(),
              error.cause());
}

}  // namespace

ServiceInvoker::ServiceInvoker(service::Services& services) : services_(services) {
  for (const auto& operation : api::all_operations())
    measurements_[&operation] = &services.measurements.operation(operation.facts.service + "." + operation.facts.name);
}

base::Result<content::Caller> ServiceInvoker::authenticate(std::string_view token) {
  auto caller = services_.logins.authenticate(token);
  if (caller) return caller;
  if (caller.error().kind() == base::ErrorKind::unauthenticated) services_.measurements.rejected_logins.add();
  log_cause("checking a token", "a client", caller.error());
  return caller;
}

base::Result<content::Caller> ServiceInvoker::log_in(const api::Credentials& credentials,
                                                     const content::CallOrigin& origin) {
  const auto token = services_.logins.log_in(credentials.user, credentials.password, origin);
  if (!token) {
    services_.measurements.rejected_logins.add();
    log_cause("a login for one call", "a client", token.error());
    return token.error();
  }
  auto caller = authenticate(*token);
  if (caller) caller->origin = origin;
  return caller;
}

void ServiceInvoker::log_out(const content::Caller& caller) {
  const auto done = services_.logins.log_out(caller);
  if (!done) spdlog::warn("a login for one call could not be ended; it expires: {}", done.error().text());
}

base::Result<void> ServiceInvoker::run(const api::Operation& operation, const api::CallContext& call, const void* input,
                                       void* output) {
  const auto known = measurements_.find(&operation);
  auto* const measured = known == measurements_.end() ? nullptr : known->second;
  const base::LogScope scope(call.caller.origin.operation_id);
  const auto begin = std::chrono::steady_clock::now();
  base::Result<void> done;
  try {
    done = operation.run(services_, call, input, output);
  } catch (const std::exception& exception) {
    done = base::internal_error(std::string("exception: ") + exception.what());
  }
  if (measured != nullptr) {
    measured->durations.add(std::chrono::steady_clock::now() - begin);
    if (done)
      measured->succeeded.add();
    else
      measured->count_failure(done.error().kind());
  }
  if (done) return done;
  if (!services_.audit.record_if_refused(call.caller, done.error()))
    log_cause(operation.full_name, call.caller.user, done.error());
  return done;
}

base::Error operation_not_found(std::string_view what) {
  return base::Error(base::ErrorKind::operation_not_found, "quire.wire.operation_not_found",
                     "There is no operation {operation} on this server.", {{"operation", base::displayable(what)}});
}

base::Result<std::shared_ptr<void>> invoke(Invoker& invoker, const api::Operation& operation,
                                           const api::CallContext& call, const void* input) {
  std::shared_ptr<void> output;
  if (operation.output) output = operation.make_output();
  QUIRE_RETURN_IF_ERROR(invoker.run(operation, call, input, output.get()));
  return output;
}

}  // namespace quire::wire
