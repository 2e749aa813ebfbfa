#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/identity.h"
#include "content/ids.h"
#include "wire/soap/vim_inventory.h"

namespace quire::wire {

/// The container views of all logins, in memory only. What a view shows is fixed when it is made, since the inventory
/// does not change while the server runs. Past a bound the oldest view is forgotten, as are those of a login that has
/// ended without a Logout; its owner gets ManagedObjectNotFound then, which clients answer by making a new one. All
/// threads may call it.
class SoapViews {
 public:
  struct Limits {
    std::size_t of_one_login_max = 64;
    std::size_t all_max = 4096;
  };

  explicit SoapViews(base::IdentitySource& identities) : SoapViews(identities, Limits()) {}
  SoapViews(base::IdentitySource& identities, Limits limits) : identities_(identities), limits_(limits) {}

  /// Keeps a ContainerView that only `login` can see, under an id that nobody can guess.
  vim::Reference create(const content::LoginId& login, const vim::Reference& container, bool recursive,
                        std::vector<vim::Reference> shown);

  /// The views of a login, as objects for its inventory.
  std::vector<vim::ManagedObject> of(const content::LoginId& login) const;

  /// False when the login has no such view.
  bool remove(const content::LoginId& login, const vim::Reference& view);
  void remove_all(const content::LoginId& login);

 private:
  struct View {
    content::LoginId login;
    vim::ManagedObject object;
  };

  base::IdentitySource& identities_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::deque<View> views_;  ///< oldest first
};

}  // namespace quire::wire
