#pragma once

#include <map>
#include <mutex>
#include <string>

#include "content/authenticator.h"
#include "service/transaction/context.h"

namespace quire::service {

/// Users of the catalog, by the passwords stored there. A password that was right gets a new digest when the stored one
/// has another cost than the settings ask for now.
class CatalogAuthenticator final : public content::Authenticator {
 public:
  explicit CatalogAuthenticator(Context& context);

  /// Also the catalog's errors.
  base::Result<content::Principal> authenticate(std::string_view user, std::string_view password) override;

 private:
  /// Whether it is; a good one is remembered.
  bool verify(const content::User& user, std::string_view password);
  void renew(content::User& user, std::string_view password);
  void compare_with_nobody(std::string_view password);

  Context& context_;
  /// Argon2id is slow and hungry on purpose: one at a time, and a password that was right is remembered as a keyed
  /// digest for as long as the stored hash stays the same.
  std::mutex mutex_;
  std::string memory_key_;
  std::map<std::string, std::string, std::less<>> verified_;  ///< keyed digest of user and password -> stored hash
  std::string nobodys_hash_;                                  ///< made when it is needed
};

/// The answer to a wrong name or password.
base::Error bad_credentials();

}  // namespace quire::service
