#include "wire/soap/soap_views.h"

#include <algorithm>
#include <utility>

namespace quire::wire {

vim::Reference SoapViews::create(const content::LoginId& login, const vim::Reference& container, bool recursive,
                                 std::vector<vim::Reference> shown) {
  View view{login, {{"ContainerView", "session[" + login.text().substr(0, 8) + "]" + identities_.secret()}, {}}};
  view.object.properties.push_back({"view", std::move(shown)});
  view.object.properties.push_back({"container", container});
  view.object.properties.push_back({"recursive", recursive});
  const vim::Reference reference = view.object.reference;

  const std::lock_guard lock(mutex_);
  const auto is_theirs = [&](const View& each) { return each.login == login; };
  const auto theirs = static_cast<std::size_t>(std::count_if(views_.begin(), views_.end(), is_theirs));
  if (theirs >= limits_.of_one_login_max) views_.erase(std::find_if(views_.begin(), views_.end(), is_theirs));
  if (views_.size() >= limits_.all_max) views_.pop_front();
  views_.push_back(std::move(view));
  return reference;
}

std::vector<vim::ManagedObject> SoapViews::of(const content::LoginId& login) const {
  const std::lock_guard lock(mutex_);
  std::vector<vim::ManagedObject> objects;
  for (const auto& each : views_) {
    if (each.login == login) objects.push_back(each.object);
  }
  return objects;
}

bool SoapViews::remove(const content::LoginId& login, const vim::Reference& view) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(views_, [&](const View& each) { return each.login == login && each.object.reference == view; }) >
         0;
}

void SoapViews::remove_all(const content::LoginId& login) {
  const std::lock_guard lock(mutex_);
  std::erase_if(views_, [&](const View& each) { return each.login == login; });
}

}  // namespace quire::wire
