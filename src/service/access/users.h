#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/access/login_throttle.h"
#include "service/transaction/context.h"

namespace quire::service {

/// Of an update: unset members stay.
struct UserSpec {
  std::optional<std::string> description;
  std::optional<bool> enabled;
};

struct UserView {
  content::User user;
  std::vector<std::string> groups;  ///< names
};

/// Who may log in by a password of the catalog. All threads may call it. Every call but change_password() needs
/// Authorization.ModifyPermissions on the root (Unauthorized). Nobody changes a user who holds more than themselves.
class Users {
 public:
  /// `throttle` slows down whoever guesses at change_password(); it outlives the object.
  Users(Context& context, LoginThrottle& throttle) : context_(context), throttle_(throttle) {}

  base::Result<std::vector<std::string>> list(const content::Caller& caller);
  base::Result<UserView> get(const content::Caller& caller, const std::string& name);  ///< NotFound
  /// Without any permission yet. AlreadyExists; InvalidArgument: name, description, password too short.
  base::Result<void> create(const content::Caller& caller, const content::User& user, const std::string& password);
  /// Disabling ends the user's logins and sessions. NotFound, InvalidArgument; NotAllowedInCurrentState for the last
  /// administrator.
  base::Result<void> update(const content::Caller& caller, const std::string& name, const UserSpec& spec);
  /// The user's logins end. NotFound, InvalidArgument.
  base::Result<void> set_password(const content::Caller& caller, const std::string& name, const std::string& password);
  /// The caller's own, by anybody who knows the old one; all other logins of theirs end. InvalidArgument: the old one
  /// is wrong, the new one too short; NotAllowedInCurrentState for a user from outside, and while too many wrong
  /// passwords have come (login_throttle.h).
  base::Result<void> change_password(const content::Caller& caller, const std::string& old_password,
                                     const std::string& new_password);
  /// With permissions and memberships; logins and sessions end and tasks have no user any more, as the next user of the
  /// name would own them. NotFound; NotAllowedInCurrentState for the last administrator.
  base::Result<void> remove(const content::Caller& caller, const std::string& name);

  /// At the first start: makes the first user, with the role Administrator on the root. No effect when there are users.
  /// `password` must not be empty; how long it is, is the operator's choice.
  base::Result<void> make_administrator(const std::string& name, const std::string& password);
  base::Result<bool> has_any();

 private:
  /// That `password` is the one of `hash`, the caller's.
  base::Result<void> check_old_password(const content::Caller& caller, const std::string& hash,
                                        const std::string& password);

  Context& context_;
  LoginThrottle& throttle_;
};

}  // namespace quire::service
