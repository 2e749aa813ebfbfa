#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/identity.h"
#include "content/ids.h"
#include "wire/soap/vim_inventory.h"
#include "wire/soap/vim_inventory_collector.h"

namespace quire::wire {

/// Objects that logins have made, in memory only: container views, finished tasks, property collectors and their
/// filters. What a view shows is fixed when it is made, since the inventory does not change while the server runs. Past
/// a bound the oldest object is forgotten, as are those of a login that has ended without a Logout; its owner gets
/// ManagedObjectNotFound then, which clients answer by making a new one. All threads may call it.
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

  /// Keeps an object of that class that only `login` can see, under an id that nobody can guess. `fields` says which
  /// properties the object of that id has.
  vim::Reference keep(const content::LoginId& login, const std::string& type,
                      const std::function<std::vector<vim::Field>(const vim::Reference&)>& fields);

  /// Keeps a PropertyFilter of that collector, all of whose objects its next wait reports.
  vim::Reference keep_filter(const content::LoginId& login, const vim::Reference& collector, vim::FilterSpec spec);

  struct Filter {
    vim::Reference filter;
    vim::FilterSpec spec;
  };
  /// The filters of a collector that no wait has reported yet; they count as reported.
  std::vector<Filter> take_new_filters(const content::LoginId& login, const vim::Reference& collector);

  /// The objects of a login, for its inventory.
  std::vector<vim::ManagedObject> of(const content::LoginId& login) const;

  /// With the filters of a collector. False when the login has no such object.
  bool remove(const content::LoginId& login, const vim::Reference& object);
  void remove_all(const content::LoginId& login);

 private:
  struct View {
    content::LoginId login;
    vim::ManagedObject object;
    vim::Reference collector = {};  ///< of a filter
    vim::FilterSpec spec = {};
    bool reported = false;
  };
  void add(View view);
  std::string new_id(const content::LoginId& login) const;

  base::IdentitySource& identities_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::deque<View> views_;  ///< oldest first
};

}  // namespace quire::wire
