#include "service/access/logins.h"

#include <sodium.h>

#include <array>

#include "base/check.h"
#include "base/digest.h"
#include "base/hex.h"
#include "service/transaction/transaction.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using content::CatalogReader;
using content::login_access_granularity;
using content::LoginId;

constexpr std::size_t remembered_passwords_max = 1000;

LoginId id_of(std::string_view token) {
  return LoginId(base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(token))).hex);
}

Error bad_credentials() {
  return {ErrorKind::unauthenticated, "quire.session.bad_credentials", "The user name or the password is wrong."};
}

Error no_session() {
  return {ErrorKind::unauthenticated, "quire.session.not_authenticated",
          "The session has ended or never was; log in again."};
}

/// Argon2id with 19 MiB and two passes: the OWASP minimum, so that logins do not push the server's memory around.
constexpr unsigned long long hash_passes = 2;
constexpr std::size_t hash_memory_bytes = 19ULL << 20U;

std::string keyed_digest(const std::string& key, std::string_view user, std::string_view password) {
  std::array<unsigned char, crypto_generichash_BYTES> digest{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.size());
  const auto length = static_cast<std::uint64_t>(user.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&length), sizeof length);
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(user.data()), user.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(password.data()), password.size());
  crypto_generichash_final(&state, digest.data(), digest.size());
  return base::to_hex(std::as_bytes(std::span(digest)));
}

}  // namespace

Logins::Logins(Context& context, Settings settings)
    : context_(context), settings_(settings), memory_key_(context.identities.secret()) {
  QUIRE_CHECK(sodium_init() >= 0);
}

bool Logins::expired(const content::LoginSession& login, base::Time now) const {
  return login.last_accessed + settings_.idle_timeout + login_access_granularity < now ||
         login.created + settings_.lifetime_max < now;
}

base::Result<content::User> Logins::verify(std::string_view name, std::string_view password) {
  const auto user = context_.catalog.read([&](CatalogReader& reader) -> base::Result<content::User> {
    if (auto found = reader.find<content::User>(name)) return *std::move(found);
    return bad_credentials();
  });
  const std::lock_guard lock(verify_mutex_);
  const auto digest = keyed_digest(memory_key_, name, password);
  if (user) {
    const auto remembered = verified_.find(digest);
    if (remembered != verified_.end() && remembered->second == user->password_hash) return *user;
    if (crypto_pwhash_str_verify(user->password_hash.c_str(), password.data(), password.size()) != 0)
      return bad_credentials();
    if (verified_.size() >= remembered_passwords_max) verified_.clear();
    verified_[digest] = user->password_hash;
    return *user;
  }
  if (user.error().kind() == ErrorKind::unauthenticated) {
    // An unknown name must take as long as a wrong password, or names could be found out by the clock.
    std::array<char, crypto_pwhash_STRBYTES> unused{};
    QUIRE_CHECK(crypto_pwhash_str_alg(unused.data(), password.data(), password.size(), hash_passes, hash_memory_bytes,
                                      crypto_pwhash_ALG_ARGON2ID13) == 0);
  }
  return user.error();
}

base::Result<std::string> Logins::log_in(std::string_view name, std::string_view password) {
  if (password.empty()) return bad_credentials();  // no user has one, and libsodium wants a pointer
  QUIRE_ASSIGN_OR_RETURN(const auto user, verify(name, password));
  const auto token = context_.identities.secret();
  const content::Caller caller{user.name, id_of(token), user.administrator};
  QUIRE_RETURN_IF_ERROR(write(context_, caller, [&](Transaction& t) -> base::Result<void> {
    if (t->login_count() >= context_.limits.logins_max)
      return Error(ErrorKind::service_unavailable, "quire.session.too_many",
                   "There are {limit} sessions already, which is the limit; log out of some or wait until they expire.",
                   {{"limit", static_cast<std::int64_t>(context_.limits.logins_max)}});
    t->insert(content::LoginSession{caller.login, caller.user, t.now(), t.now()});
    return {};
  }));
  return token;
}

base::Result<Logins::KnownLogin> Logins::find(const LoginId& id) {
  const auto version = context_.catalog.logins_version();
  if (version) {
    const std::lock_guard lock(known_mutex_);
    if (known_at_ != version) known_.clear();
    known_at_ = version;
    if (const auto known = known_.find(id); known != known_.end()) return known->second;
  }
  auto found = context_.catalog.read([&](CatalogReader& reader) -> base::Result<KnownLogin> {
    const auto login = reader.find<content::LoginSession>(id);
    const auto user = login ? reader.find<content::User>(login->user) : std::nullopt;
    if (!user) return no_session();
    return KnownLogin{*login, {user->name, id, user->administrator}};
  });
  if (found && version) {
    const std::lock_guard lock(known_mutex_);
    if (known_at_ == version) known_.insert_or_assign(id, *found);
  }
  return found;
}

base::Result<content::Caller> Logins::authenticate(std::string_view token) {
  if (token.empty())
    return Error(ErrorKind::unauthenticated, "quire.session.missing",
                 "This needs a session; log in and send its token in the vmware-api-session-id header.");
  const auto id = id_of(token);
  const auto now = context_.leases.now();
  QUIRE_ASSIGN_OR_RETURN(auto known, find(id));
  if (expired(known.login, now)) return no_session();
  if (now < known.login.last_accessed + login_access_granularity) return std::move(known.caller);
  const auto touched = write(context_, known.caller, [&](Transaction& t) -> base::Result<void> {
    t->touch_login(id, t.now());
    return {};
  });
  // A full disk must not lock everybody out: the session is good, only its use could not be recorded.
  if (!touched && touched.error().kind() != ErrorKind::unable_to_allocate_resource) return touched.error();
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
  return write(context_, caller, [&](Transaction& t) -> base::Result<void> {
    t->remove<content::LoginSession>(caller.login);
    return {};
  });
}

base::Result<void> Logins::set_password(std::string_view user, std::string_view password, bool administrator) {
  if (password.empty())
    return Error(ErrorKind::invalid_argument, "quire.user.empty_password", "The password of {user} must not be empty.",
                 {{"user", std::string(user)}});
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), hash_passes, hash_memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return base::internal_error("Argon2id found no memory");
  return write(context_, system_caller("administration"), [&](Transaction& t) -> base::Result<void> {
    t->put(content::User{std::string(user), hash.data(), administrator});
    return {};
  });
}

base::Result<bool> Logins::has_user(std::string_view user) {
  return context_.catalog.read(
      [&](CatalogReader& reader) -> base::Result<bool> { return reader.find<content::User>(user).has_value(); });
}

base::Result<void> Logins::remove_expired() {
  return write(context_, system_caller("login expiry"), [&](Transaction& t) -> base::Result<void> {
    t->remove_logins(t.now() - settings_.idle_timeout - login_access_granularity, t.now() - settings_.lifetime_max);
    return {};
  });
}

}  // namespace quire::service
