#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "service/transaction/context.h"

namespace quire::service {

/// The one table of login sessions behind all wires (wire-protocols.md §3.6). All threads may call it.
///
/// A session ends by logout, after `idle_timeout` without use, or at `lifetime_max`. Any authenticated call is use, and
/// so is a transfer that belongs to one of its update or download sessions (content-library-api.md §1.7).
class Logins {
 public:
  struct Settings {
    base::Duration idle_timeout = std::chrono::minutes(120);
    base::Duration lifetime_max = std::chrono::hours(48);
  };

  Logins(Context& context, Settings settings);

  /// A new session; its token, which is stored nowhere else. Unauthenticated for a wrong name or password (without
  /// telling which); ServiceUnavailable when too many sessions are alive.
  base::Result<std::string> log_in(std::string_view user, std::string_view password);

  /// Who a token is. Counts as use. Unauthenticated for an unknown, ended or expired one.
  base::Result<content::Caller> authenticate(std::string_view token);

  /// The session as stored, for `get` and SOAP `currentSession`.
  base::Result<content::LoginSession> session(const content::Caller& caller);

  base::Result<void> log_out(const content::Caller& caller);

  /// Makes or replaces a user with this password. InvalidArgument for an empty password.
  base::Result<void> set_password(std::string_view user, std::string_view password, bool administrator);
  base::Result<bool> has_user(std::string_view user);

  /// Removes sessions past their time; for the expiry worker.
  base::Result<void> remove_expired();

 private:
  struct KnownLogin {
    content::LoginSession login;
    content::Caller caller;
  };

  base::Result<KnownLogin> find(const content::LoginId& id);
  base::Result<content::User> verify(std::string_view user, std::string_view password);
  bool expired(const content::LoginSession& login, base::Time now) const;

  Context& context_;
  const Settings settings_;

  /// Argon2id is slow and hungry on purpose: one at a time, and a password that was right is remembered as a keyed
  /// digest for as long as the stored hash stays the same.
  std::mutex verify_mutex_;
  std::string memory_key_;
  std::map<std::string, std::string, std::less<>> verified_;  ///< keyed digest of user and password -> stored hash

  /// Nearly every call begins by asking for its login: what the catalog said is good until a login changes.
  std::mutex known_mutex_;
  std::optional<std::uint64_t> known_at_;  ///< the logins_version() that known_ is from
  std::unordered_map<content::LoginId, KnownLogin> known_;
};

}  // namespace quire::service
