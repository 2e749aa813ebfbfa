#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

namespace quire::api {
namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto service_name = "com.vmware.cis.session";

struct SessionCreate {
  using Input = NoInput;
  using Output = Secret;
  static OperationFacts facts() {
    return {.service = service_name,
            .name = "create",
            .method = "POST",
            .path = "/session",
            .status = 201,
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::unauthenticated, ErrorKind::service_unavailable},
            .summary = "Logs in with the user and password of the Authorization header; the token of the new session.",
            .needs_login = false};
  }
  static Result<Secret> run(service::Services& services, const CallContext& call, const Input&) {
    if (!call.credentials)
      return base::Error(ErrorKind::unauthenticated, "quire.session.no_credentials",
                         "Creating a session needs a user name and password; send them as Basic authorization.");
    QUIRE_ASSIGN_OR_RETURN(
        auto token, services.logins.log_in(call.credentials->user, call.credentials->password, call.caller.origin));
    return Secret{std::move(token)};
  }
};

struct SessionGet {
  using Input = NoInput;
  using Output = SessionInfo;
  static OperationFacts facts() {
    return {.service = service_name,
            .name = "get",
            .method = "GET",
            .path = "/session",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::unauthenticated, ErrorKind::service_unavailable},
            .summary = "The session that the request was made in. Counts as use of it."};
  }
  static Result<SessionInfo> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_ASSIGN_OR_RETURN(const auto login, services.logins.session(call.caller));
    return SessionInfo{login.user, login.created, login.last_accessed};
  }
};

struct SessionDelete {
  using Input = NoInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = service_name,
            .name = "delete",
            .method = "DELETE",
            .path = "/session",
            .status = 204,
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::unauthenticated, ErrorKind::service_unavailable},
            .summary = "Logs out. Update and download sessions live on."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input&) {
    return services.logins.log_out(call.caller);
  }
};

}  // namespace

void add_session_operations(std::vector<Operation>& all) {
  all.push_back(bind<SessionCreate>());
  all.push_back(bind<SessionGet>());
  all.push_back(bind<SessionDelete>());
}

}  // namespace quire::api
