#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "content/authenticator.h"
#include "service/access/login_throttle.h"
#include "service/transaction/context.h"

namespace quire::service {

/// Under which the session of a token is stored.
content::LoginId login_id_of(std::string_view token);

/// The one table of login sessions behind all wires (wire-protocols.md §3.6). All threads may call it.
///
/// A session ends by logout, after `idle_timeout` without use, or at `lifetime_max`. Any authenticated call is use, and
/// so is a transfer that belongs to one of its update or download sessions (content-library-api.md §1.7). An API token
/// (api_tokens.h) is taken wherever the token of a session is, lives until it expires, and does not end by logout.
class Logins {
 public:
  struct Settings {
    base::Duration idle_timeout = std::chrono::minutes(120);
    base::Duration lifetime_max = std::chrono::hours(48);
  };

  Logins(Context& context, content::Authenticator& authenticator, Settings settings);

  /// A new session; its token, which is stored nowhere else. The authenticator's errors; Unauthenticated also while too
  /// many wrong passwords have come (login_throttle.h); ServiceUnavailable when too
  /// many sessions are alive. `origin` is of the call that brings them.
  base::Result<std::string> log_in(std::string_view user, std::string_view password,
                                   const content::CallOrigin& origin = {});

  /// Who a token is, and what they may do at this moment. Counts as use. Unauthenticated for an unknown, ended or
  /// expired one.
  base::Result<content::Caller> authenticate(std::string_view token);

  /// Who a login is now, as authenticate() says it; no use of it. For calls that last.
  base::Result<content::Caller> current(const content::LoginId& id);

  /// The session as stored, for `get` and SOAP `currentSession`.
  base::Result<content::LoginSession> session(const content::Caller& caller);

  base::Result<void> log_out(const content::Caller& caller);

  /// Removes sessions past their time; for the expiry worker.
  base::Result<void> remove_expired();

  /// What slows guessing down, wherever a password is asked for.
  LoginThrottle& throttle() { return throttle_; }

 private:
  using StoredLogin = std::shared_ptr<const content::LoginSession>;
  struct KnownLogin {
    StoredLogin login;
    content::Caller caller;
  };

  struct Versions {
    std::optional<std::uint64_t> logins;
    std::optional<std::uint64_t> access;
  };

  base::Result<KnownLogin> find(content::LoginId id);
  void forget_changed(const Versions& now);
  bool expired(const content::LoginSession& login, base::Time now) const;

  Context& context_;
  content::Authenticator& authenticator_;
  const Settings settings_;
  LoginThrottle throttle_;

  /// Nearly every call begins by asking for its login: what the catalog said is good until a login changes, and what
  /// its user may do until anybody's permissions do.
  std::mutex known_mutex_;
  Versions known_at_;  ///< that all that is known is from
  std::unordered_map<content::LoginId, StoredLogin> known_logins_;
  std::unordered_map<std::string, std::shared_ptr<const content::Grants>> known_grants_;  ///< by user and groups
};

}  // namespace quire::service
