#include "service/access/logins.h"

#include "base/digest.h"
#include "service/access/catalog_authenticator.h"
#include "service/transaction/refusals.h"
#include "service/transaction/transaction.h"

namespace quire::service {

content::LoginId login_id_of(std::string_view token) {
  return content::LoginId(base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(token))).hex);
}

namespace {

using base::Error;
using base::ErrorKind;
using content::CatalogReader;
using content::login_access_granularity;
using content::LoginId;

/// What the permissions of a login depend on.
std::string grants_key(const content::LoginSession& login) {
  if (login.api_token) return login.id.text();
  std::string key = login.user;
  for (const auto& group : login.groups) key += '\n' + group;
  return key;
}

void record_login(Transaction& t, content::EventKind kind) {
  t.record({kind, content::LibraryId(), content::ItemId(), t.caller().user});
}

Error no_session() {
  return {ErrorKind::unauthenticated, "quire.session.not_authenticated",
          "The session has ended or never was; log in again."};
}

/// Logins end when their user is disabled; API tokens stay, and are worth nothing until the user is enabled again.
base::Result<std::shared_ptr<const content::Grants>> grants_of(CatalogReader& reader,
                                                               const content::LoginSession& login) {
  content::Grants all(reader.granted_roles(login.user, login.groups));
  if (!login.api_token) return std::make_shared<const content::Grants>(std::move(all));
  if (const auto user = reader.find<content::User>(login.user); user && !user->enabled) return no_session();
  return std::make_shared<const content::Grants>(all.limited(login.api_token->privileges, login.api_token->libraries));
}

}  // namespace

Logins::Logins(Context& context, content::Authenticator& authenticator, Settings settings)
    : context_(context), authenticator_(authenticator), settings_(settings) {}

bool Logins::expired(const content::LoginSession& login, base::Time now) const {
  if (login.api_token) return login.api_token->expires && *login.api_token->expires <= context_.clock.now();
  return login.last_accessed + settings_.idle_timeout + login_access_granularity < now ||
         login.created + settings_.lifetime_max < now;
}

base::Result<std::string> Logins::log_in(std::string_view name, std::string_view password,
                                         const content::CallOrigin& origin) {
  QUIRE_RETURN_IF_ERROR(throttle_.check(name, origin.address, context_.clock.uptime()));
  const auto verified = authenticator_.authenticate(name, password);
  if (!verified) {
    if (verified.error().kind() != ErrorKind::unauthenticated) return verified.error();
    throttle_.failed(name, origin.address, context_.clock.uptime());
    record_refusal(context_, {std::string(name), LoginId(), content::Grants::none(), {}, origin}, verified.error());
    return verified.error();
  }
  const auto& who = *verified;
  throttle_.succeeded(name, origin.address);
  const auto token = context_.identities.secret();
  const content::Caller caller{who.user, login_id_of(token), content::Grants::none(), {}, origin};
  QUIRE_RETURN_IF_ERROR(write(context_, caller, [&](Transaction& t) -> base::Result<void> {
    // Whoever is removed or disabled, or gets another password, meanwhile has no login that outlives it.
    const auto stored = who.stored ? t->find<content::User>(who.user) : std::nullopt;
    if (who.stored && (!stored || !stored->enabled || stored->password_hash != who.stored->password_hash))
      return bad_credentials();
    if (t->login_count() >= context_.limits.logins_max)
      return Error(ErrorKind::service_unavailable, "quire.session.too_many",
                   "There are {limit} sessions already, which is the limit; log out of some or wait until they expire.",
                   {{"limit", static_cast<std::int64_t>(context_.limits.logins_max)}});
    t->insert(content::LoginSession{caller.login, caller.user, t.now(), t.now(), who.groups});
    record_login(t, content::EventKind::login_created);
    return {};
  }));
  return token;
}

void Logins::forget_changed(const Versions& now) {
  if (known_at_.logins != now.logins) known_logins_.clear();
  if (known_at_.access != now.access) known_grants_.clear();
  known_at_ = now;
}

base::Result<Logins::KnownLogin> Logins::find(LoginId id) {
  const Versions versions{context_.catalog.logins_version(), context_.catalog.access_version()};
  const bool may_remember = versions.logins && versions.access;
  StoredLogin login;
  std::shared_ptr<const content::Grants> grants;
  const auto look_up_grants = [&] {
    const bool plain = login->groups.empty() && !login->api_token;
    const auto known = plain ? known_grants_.find(login->user) : known_grants_.find(grants_key(*login));
    if (known != known_grants_.end()) grants = known->second;
  };
  if (may_remember) {
    const std::lock_guard lock(known_mutex_);
    forget_changed(versions);
    if (const auto known = known_logins_.find(id); known != known_logins_.end()) login = known->second;
    if (login) look_up_grants();
  }
  if (!login || !grants) {
    QUIRE_RETURN_IF_ERROR(context_.catalog.read([&](CatalogReader& reader) -> base::Result<void> {
      if (!login) {
        auto found = reader.find<content::LoginSession>(id);
        if (!found) return no_session();
        login = std::make_shared<const content::LoginSession>(*std::move(found));
      }
      if (may_remember && !grants) {
        const std::lock_guard lock(known_mutex_);
        if (known_at_.access == versions.access) look_up_grants();
      }
      if (grants) return {};
      QUIRE_ASSIGN_OR_RETURN(grants, grants_of(reader, *login));
      return {};
    }));
    if (may_remember) {
      const std::lock_guard lock(known_mutex_);
      if (known_at_.logins == versions.logins) known_logins_.insert_or_assign(id, login);
      if (known_at_.access == versions.access) known_grants_.insert_or_assign(grants_key(*login), grants);
    }
  }
  content::Caller caller{login->user, std::move(id), std::move(grants), login->api_token ? login->api_token->name : ""};
  return KnownLogin{std::move(login), std::move(caller)};
}

base::Result<content::Caller> Logins::authenticate(std::string_view token) {
  if (token.empty())
    return Error(ErrorKind::unauthenticated, "quire.session.missing",
                 "This needs a session; log in and send its token in the vmware-api-session-id header.");
  const auto now = context_.leases.now();
  QUIRE_ASSIGN_OR_RETURN(auto known, find(login_id_of(token)));
  if (expired(*known.login, now)) return no_session();
  if (now < known.login->last_accessed + login_access_granularity) return std::move(known.caller);
  const auto touched = write(context_, known.caller, [&](Transaction& t) -> base::Result<void> {
    t->touch_login(known.login->id, t.now());
    return {};
  });
  // A full disk must not lock everybody out: the session is good, only its use could not be recorded.
  if (!touched && touched.error().kind() != ErrorKind::unable_to_allocate_resource) return touched.error();
  return std::move(known.caller);
}

base::Result<content::Caller> Logins::current(const LoginId& id) {
  QUIRE_ASSIGN_OR_RETURN(auto known, find(id));
  if (expired(*known.login, context_.leases.now())) return no_session();
  return std::move(known.caller);
}

base::Result<content::LoginSession> Logins::session(const content::Caller& caller) {
  return write(context_, caller, [&](Transaction& t) -> base::Result<content::LoginSession> {
    t->touch_login(caller.login, t.now());
    auto login = t->find<content::LoginSession>(caller.login);
    if (!login) return no_session();
    login->created = context_.leases.shown(login->created);
    login->last_accessed = context_.leases.shown(t.now());
    return *std::move(login);
  });
}

base::Result<void> Logins::log_out(const content::Caller& caller) {
  if (!caller.api_token.empty()) return {};  // clients log out as they go; the next one needs it still
  return write(context_, caller, [&](Transaction& t) -> base::Result<void> {
    t->remove<content::LoginSession>(caller.login);
    record_login(t, content::EventKind::login_ended);
    return {};
  });
}

base::Result<void> Logins::remove_expired() {
  return write(context_, system_caller("login expiry"), [&](Transaction& t) -> base::Result<void> {
    t->remove_logins(t.now() - settings_.idle_timeout - login_access_granularity, t.now() - settings_.lifetime_max);
    return {};
  });
}

}  // namespace quire::service
