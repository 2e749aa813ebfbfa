#include "wire/soap/soap_views.h"

#include <algorithm>
#include <utility>

namespace quire::wire {

std::string SoapViews::new_id(const content::LoginId& login) const {
  return "session[" + login.text().substr(0, 8) + "]" + identities_.secret();
}

void SoapViews::add(View view) {
  const std::lock_guard lock(mutex_);
  const auto is_theirs = [&](const View& each) { return each.login == view.login; };
  const auto theirs = static_cast<std::size_t>(std::count_if(views_.begin(), views_.end(), is_theirs));
  if (theirs >= limits_.of_one_login_max) views_.erase(std::find_if(views_.begin(), views_.end(), is_theirs));
  if (views_.size() >= limits_.all_max) views_.pop_front();
  views_.push_back(std::move(view));
}

vim::Reference SoapViews::create(const content::LoginId& login, const vim::Reference& container, bool recursive,
                                 std::vector<vim::Reference> shown) {
  return keep(login, "ContainerView", [&](const vim::Reference&) -> std::vector<vim::Field> {
    return {{"view", std::move(shown)}, {"container", container}, {"recursive", recursive}};
  });
}

vim::Reference SoapViews::keep(const content::LoginId& login, const std::string& type,
                               const std::function<std::vector<vim::Field>(const vim::Reference&)>& fields) {
  const vim::Reference reference{type, new_id(login)};
  add({login, {reference, fields(reference)}});
  return reference;
}

vim::Reference SoapViews::keep_filter(const content::LoginId& login, const vim::Reference& collector,
                                      vim::FilterSpec spec) {
  const vim::Reference reference{"PropertyFilter", new_id(login)};
  add({login, {reference, {}}, collector, std::move(spec)});
  return reference;
}

std::vector<SoapViews::Filter> SoapViews::take_new_filters(const content::LoginId& login,
                                                           const vim::Reference& collector) {
  const std::lock_guard lock(mutex_);
  std::vector<Filter> filters;
  for (auto& each : views_) {
    if (each.login != login || each.reported || each.object.reference.type != "PropertyFilter" ||
        each.collector != collector)
      continue;
    each.reported = true;
    filters.push_back({each.object.reference, each.spec});
  }
  return filters;
}

std::vector<vim::ManagedObject> SoapViews::of(const content::LoginId& login) const {
  const std::lock_guard lock(mutex_);
  std::vector<vim::ManagedObject> objects;
  for (const auto& each : views_) {
    if (each.login == login) objects.push_back(each.object);
  }
  return objects;
}

bool SoapViews::remove(const content::LoginId& login, const vim::Reference& object) {
  const std::lock_guard lock(mutex_);
  std::erase_if(views_, [&](const View& each) { return each.login == login && each.collector == object; });
  return std::erase_if(views_,
                       [&](const View& each) { return each.login == login && each.object.reference == object; }) > 0;
}

void SoapViews::remove_all(const content::LoginId& login) {
  const std::lock_guard lock(mutex_);
  std::erase_if(views_, [&](const View& each) { return each.login == login; });
}

}  // namespace quire::wire
