#include "service/access/login_throttle.h"

#include <algorithm>
#include <utility>

#include "content/text.h"

namespace quire::service {

LoginThrottle::Keys LoginThrottle::keys_of(std::string_view user, std::string_view address) {
  auto name = content::fold_case(user);
  auto both = name + '\n' + std::string(address);
  return {std::move(name), std::string(address), std::move(both)};
}

base::Duration LoginThrottle::wait_left(const Table& table, const std::string& key, const Bound& bound,
                                        base::Duration uptime) const {
  const auto found = table.find(key);
  if (found == table.end()) return {};
  const auto& [in_a_row, last] = found->second;
  if (in_a_row < bound.free_failures || uptime - last >= settings_.forgotten_after) return {};
  auto wait = settings_.first_wait;
  for (std::size_t i = bound.free_failures; i < in_a_row && wait < bound.wait_max; ++i) wait *= 2;
  return std::max(last + std::min(wait, bound.wait_max) - uptime, base::Duration());
}

base::Result<void> LoginThrottle::check(std::string_view user, std::string_view address, base::Duration uptime,
                                        base::ErrorKind kind) {
  const auto keys = keys_of(user, address);
  const std::lock_guard lock(mutex_);
  auto left = std::max(wait_left(by_address_, keys.address, settings_.address, uptime),
                       wait_left(by_user_from_address_, keys.user_from_address, settings_.user_from_address, uptime));
  if (!known_.contains(keys.user_from_address))
    left = std::max(left, wait_left(by_user_, keys.user, settings_.user, uptime));
  if (left <= base::Duration()) return {};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  return base::Error(kind, "quire.session.too_many_failures",
                     "Too many wrong passwords came for this user or from this address. Wait {seconds} s, then try "
                     "again.",
                     {{"seconds", static_cast<std::int64_t>(seconds)}});
}

void LoginThrottle::count(Table& table, const std::string& key, base::Duration uptime) const {
  if (table.size() >= settings_.remembered_max && !table.contains(key)) forget_oldest(table, uptime);
  auto& failures = table[key];
  if (uptime - failures.last >= settings_.forgotten_after) failures.in_a_row = 0;
  ++failures.in_a_row;
  failures.last = uptime;
}

void LoginThrottle::forget_oldest(Table& table, base::Duration uptime) const {
  std::erase_if(table, [&](const auto& entry) { return uptime - entry.second.last >= settings_.forgotten_after; });
  if (table.size() < settings_.remembered_max) return;
  table.erase(std::min_element(table.begin(), table.end(),
                               [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

void LoginThrottle::failed(std::string_view user, std::string_view address, base::Duration uptime) {
  const auto keys = keys_of(user, address);
  const std::lock_guard lock(mutex_);
  count(by_user_, keys.user, uptime);
  if (address.empty()) return;
  count(by_address_, keys.address, uptime);
  count(by_user_from_address_, keys.user_from_address, uptime);
}

void LoginThrottle::succeeded(std::string_view user, std::string_view address) {
  const auto keys = keys_of(user, address);
  const std::lock_guard lock(mutex_);
  by_user_.erase(keys.user);
  if (address.empty()) return;
  by_address_.erase(keys.address);
  by_user_from_address_.erase(keys.user_from_address);
  if (known_.size() >= settings_.remembered_max) known_.clear();
  known_.insert(keys.user_from_address);
}

}  // namespace quire::service
