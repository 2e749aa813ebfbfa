#include "service/access/catalog_authenticator.h"

#include <sodium.h>

#include <array>

#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"
#include "content/text.h"
#include "service/access/passwords.h"
#include "service/transaction/transaction.h"

namespace quire::service {
namespace {

constexpr std::size_t remembered_passwords_max = 1000;

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

base::Error bad_credentials() {
  return {base::ErrorKind::unauthenticated, "quire.session.bad_credentials", "The user name or the password is wrong."};
}

CatalogAuthenticator::CatalogAuthenticator(Context& context)
    : context_(context), memory_key_(context.identities.secret()) {
  QUIRE_CHECK(sodium_init() >= 0);
}

base::Result<content::Principal> CatalogAuthenticator::authenticate(std::string_view name, std::string_view password) {
  if (password.empty()) return bad_credentials();  // no user has one, and libsodium wants a pointer
  const auto user = context_.catalog.read([&](content::CatalogReader& reader) -> base::Result<content::User> {
    // Nobody has another name, and nothing else can be looked up.
    if (content::code_points(name) && name.find('\0') == std::string_view::npos)
      if (auto found = reader.find<content::User>(name)) return *std::move(found);
    return bad_credentials();
  });
  if (!user) {
    if (user.error().kind() == base::ErrorKind::unauthenticated) compare_with_nobody(password);
    return user.error();
  }
  auto found = *user;
  if (!verify(found, password) || !found.enabled) return bad_credentials();
  if (!has_cost(found.password_hash, context_.settings.password_cost)) renew(found, password);
  return content::Principal{found.name, {}, found};
}

bool CatalogAuthenticator::verify(const content::User& user, std::string_view password) {
  const std::lock_guard lock(mutex_);
  const auto digest = keyed_digest(memory_key_, user.name, password);
  const auto remembered = verified_.find(digest);
  if (remembered != verified_.end() && remembered->second == user.password_hash) return true;
  if (!is_password_of(user.password_hash, password)) return false;
  if (verified_.size() >= remembered_passwords_max) verified_.clear();
  verified_[digest] = user.password_hash;
  return true;
}

/// What goes wrong here waits for the next login: this one is good.
void CatalogAuthenticator::renew(content::User& user, std::string_view password) {
  if (!context_.has_room_to_grow()) return;
  const std::lock_guard lock(mutex_);
  const auto hash = hash_of_password(password, context_.settings.password_cost);
  const auto stored = hash ? write(context_, system_caller("renewal of passwords"),
                                   [&](Transaction& t) -> base::Result<bool> {
                                     auto now = t->find<content::User>(user.name);
                                     if (!now || now->password_hash != user.password_hash)
                                       return false;  // set anew meanwhile
                                     now->password_hash = *hash;
                                     t->update(*now);
                                     return true;
                                   })
                           : base::Result<bool>(hash.error());
  if (!stored) {
    spdlog::warn("The password of {} keeps its old digest: {} ({})", user.name, stored.error().text(),
                 stored.error().cause());
    return;
  }
  if (!*stored) return;
  user.password_hash = *hash;
  verified_[keyed_digest(memory_key_, user.name, password)] = *hash;
}

/// An unknown name must take as long as a wrong password, or names could be found out by the clock.
void CatalogAuthenticator::compare_with_nobody(std::string_view password) {
  const std::lock_guard lock(mutex_);
  if (nobodys_hash_.empty())
    if (auto hash = hash_of_password("nobody's", context_.settings.password_cost)) nobodys_hash_ = *std::move(hash);
  is_password_of(nobodys_hash_, password);
}

}  // namespace quire::service
