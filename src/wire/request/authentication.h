#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "api/operation.h"
#include "base/result.h"
#include "wire/request/invocation.h"
#include "wire/request/message.h"

namespace quire::wire {

/// What a request says about who sent it, believed by nobody yet.
struct Identification {
  std::optional<std::string> token;
  std::optional<api::Credentials> credentials;
};

/// REST (content-library-api.md §1.7): the token from the cookie `vmware-api-session-id`, the header of that name, or
/// the cookie `vmware_soap_session`, in this order, else from `Authorization: Bearer`; Basic credentials from
/// Authorization.
Identification identification_of(const Headers& headers);

/// JSON-RPC (wire-protocols.md §2.3): the header's token wins over `security`, the request's securityCtx (nullptr:
/// none); without either, as REST. `user_pass` gives credentials. Schemes that need an identity provider identify
/// nobody.
Identification identification_of(const Headers& headers, const boost::json::object* security);

/// The value of the first cookie of that name, without quotes around it.
std::optional<std::string> find_cookie(const Headers& headers, std::string_view name);

/// RFC 7617, UTF-8. nullopt for anything else.
std::optional<api::Credentials> basic_credentials(std::string_view authorization);
/// RFC 6750. nullopt for anything else.
std::optional<std::string> bearer_token(std::string_view authorization);

/// What a call brings along, whoever makes it: the address that it came to, and its origin. The identifier that the
/// client gives it comes from `vapi-ctx-opid` (wire-protocols.md §2.2), else from X-Request-ID, else it is
/// `operation_id`. The log's debug level tells each call. `request` and the two texts outlive what is returned.
api::CallContext call_context(const Request& request, std::string_view operation, std::string_view operation_id = {});

/// Lets `call` in to `operation`: needs a token unless the operation needs no login. Unauthenticated.
base::Result<api::CallContext> admit(Invoker& invoker, const api::Operation& operation, const Identification& who,
                                     api::CallContext call);

/// The refusal of a request that says nothing about who sent it.
base::Error login_required();

/// The same for what is no operation: the caller, with the origin of `call`.
base::Result<content::Caller> admit(Invoker& invoker, const Identification& who, const api::CallContext& call);
/// How one logs in for it.
inline constexpr std::string_view login_challenge = "SessionId realm=\"quire\"";

/// For WWW-Authenticate and the `challenge` member: how one logs in to call `operation`.
std::string_view challenge_for(const api::Operation& operation);

}  // namespace quire::wire
