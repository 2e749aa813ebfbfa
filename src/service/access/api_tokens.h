#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/transaction/context.h"

namespace quire::service {

/// A new token: the only time that its secret can be read.
struct NewApiToken {
  content::LoginId id;
  std::string secret;  ///< begins with `quire_`, so that scanners for secrets find it
};

/// Secrets for pipelines, which stand for a user without a password (content::ApiTokenScope). Users make and remove
/// their own, and whoever holds Authorization.ModifyPermissions on the root sees and removes everybody's. Nobody makes
/// one with another. All threads may call it.
class ApiTokens {
 public:
  explicit ApiTokens(Context& context) : context_(context) {}

  /// For the caller. InvalidArgument: no name, a moment that has passed, no privilege or no library in a list;
  /// NotFound: a library that the caller cannot read; AlreadyExists: a token of that name; NotAllowedInCurrentState:
  /// for a caller with a token; UnableToAllocateResource: too many.
  base::Result<NewApiToken> create(const content::Caller& caller, const content::ApiTokenScope& scope);
  /// Of `user`, unset: the caller. Unauthorized for somebody else's without the privilege.
  base::Result<std::vector<content::LoginSession>> list(const content::Caller& caller,
                                                        const std::optional<std::string>& user);
  base::Result<content::LoginSession> get(const content::Caller& caller, const content::LoginId& id);  ///< NotFound
  base::Result<void> remove(const content::Caller& caller, const content::LoginId& id);                ///< NotFound

 private:
  Context& context_;
};

}  // namespace quire::service
