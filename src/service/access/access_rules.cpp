#include "service/access/access_rules.h"

#include <algorithm>

#include "content/text.h"
#include "service/transaction/find.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::PrincipalType;

Result<void> check_principal_name(const std::string& name, const content::Limits& limits) {
  QUIRE_RETURN_IF_ERROR(content::check_name("name", name, limits.name_chars_max));
  if (name.find(':') == std::string::npos && name.front() != ' ' && name.back() != ' ') return {};
  return Error(ErrorKind::invalid_argument, "quire.access.bad_name",
               "{name} cannot be the name of a user or group: it must have no colon and neither begin nor end with a "
               "blank.",
               {{"name", name}});
}

Result<content::User> find_user(View view, std::string_view name) {
  if (content::code_points(name))
    if (auto user = view->find<content::User>(name)) return *std::move(user);
  return Error(ErrorKind::not_found, "quire.access.user_not_found", "There is no user {user}.",
               {{"user", std::string(name)}});
}

Result<content::Group> find_group(View view, std::string_view name) {
  if (content::code_points(name))
    if (auto group = view->find<content::Group>(content::group_id(name))) return *std::move(group);
  return Error(ErrorKind::not_found, "quire.access.group_not_found", "There is no group {group}.",
               {{"group", std::string(name)}});
}

Result<content::Role> find_role(View view, std::int64_t id) {
  if (const auto* system = content::find_system_role(id)) return *system;
  if (auto role = view->find<content::Role>(id)) return *std::move(role);
  return Error(ErrorKind::not_found, "quire.access.role_not_found", "There is no role {role}.",
               {{"role", std::to_string(id)}});
}

Result<void> check_holds(const content::Caller& caller, const content::Grants& grants, const std::string& what) {
  if (caller.grants->cover(grants)) return {};
  return Error(ErrorKind::unauthorized, "quire.access.more_than_own",
               "The permissions of {what} hold privileges that {user} does not have; ask somebody who has them.",
               {{"what", what}, {"user", caller.user}});
}

namespace {

bool is_administrator(const content::Permission& permission) {
  return permission.role == content::administrator_role && permission.propagate;
}

bool may_log_in(View view, const std::string& name) {
  const auto user = view->find<content::User>(name);
  return user && user->enabled;
}

/// A group makes administrators of those members who have no permission of their own there, which would win.
bool makes_an_administrator(View view, const content::Permission& permission) {
  if (permission.type == PrincipalType::USER) return may_log_in(view, permission.principal);
  const auto members = view->list<content::GroupMember>(content::group_id(permission.principal));
  return std::any_of(members.begin(), members.end(), [&](const content::GroupMember& member) {
    return may_log_in(view, member.name) &&
           !view->find<content::Permission>({member.name, PrincipalType::USER, content::LibraryId()});
  });
}

}  // namespace

Result<void> check_administrator_left(Transaction& t) {
  content::PermissionFilter on_root;
  on_root.library = content::LibraryId();
  on_root.role = content::administrator_role;
  for (const auto& permission : t->permissions(on_root))
    if (is_administrator(permission) && makes_an_administrator(t, permission)) return {};
  return Error(
      ErrorKind::not_allowed_in_current_state, "quire.access.last_administrator",
      "After this nobody who may log in would have the role Administrator on the root; give it to somebody else "
      "first.");
}

void record_access(Transaction& t, content::EventKind kind, const std::string& subject, EventDetails details) {
  t.record({kind, content::LibraryId(), content::ItemId(), subject, std::move(details)});
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace quire::service
