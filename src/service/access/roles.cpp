#include "service/access/roles.h"

#include <algorithm>
#include <charconv>

#include "content/text.h"
#include "service/access/access_rules.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::EventKind;
using content::Privilege;
using content::PrivilegeSet;
using content::Role;

constexpr std::string_view next_id_setting = "access.next_role";
constexpr std::int64_t first_id = 1;

/// A number that no role had before.
std::int64_t take_id(Transaction& t) {
  std::int64_t id = first_id;
  if (const auto stored = t->setting(next_id_setting))
    std::from_chars(stored->data(), stored->data() + stored->size(), id);
  t->put_setting(next_id_setting, std::to_string(id + 1));
  return id;
}

/// Nobody makes a role that says more than they hold: who can also give it would give themselves the rest.
Result<void> check_privileges(const Caller& caller, const PrivilegeSet& privileges, const std::string& name) {
  for (const auto privilege : privileges.list())
    if (!caller.grants->on_root().has(privilege))
      return Error(ErrorKind::unauthorized, "quire.access.more_than_own",
                   "Role {role} would hold {privilege}, which {user} does not have on the root.",
                   {{"role", name}, {"privilege", std::string(base::name_of(privilege))}, {"user", caller.user}});
  return {};
}

Result<void> check_name(Transaction& t, const std::string& name, std::int64_t id) {
  QUIRE_RETURN_IF_ERROR(content::check_name("name", name, t.context().limits.name_chars_max));
  const auto& system = content::system_roles();
  const bool is_system = std::any_of(system.begin(), system.end(), [&](const Role& role) {
    return content::fold_case(role.name) == content::fold_case(name);
  });
  const auto other = t->role_named(name);
  if (!is_system && (!other || other->id == id)) return {};
  return Error(ErrorKind::already_exists, "quire.access.role_exists", "There is a role {role} already.",
               {{"role", name}});
}

Result<Role> find_own_role(Transaction& t, std::int64_t id) {
  QUIRE_ASSIGN_OR_RETURN(auto role, find_role(t, id));
  if (role.is_system())
    return Error(ErrorKind::invalid_argument, "quire.access.system_role",
                 "{role} is a role of the system, which never changes; make a role of your own.",
                 {{"role", role.name}});
  return role;
}

EventDetails details_of(const Role& role) {
  std::vector<std::string> names;
  for (const auto privilege : role.privileges.list()) names.emplace_back(base::name_of(privilege));
  return {{"name", role.name}, {"privileges", joined(names)}};
}

}  // namespace

Result<std::vector<Role>> Roles::list(const Caller& caller) {
  return read(context_, caller, [](View view) -> Result<std::vector<Role>> {
    auto all = content::system_roles();
    for (auto& role : view->roles()) all.push_back(std::move(role));
    return all;
  });
}

Result<Role> Roles::get(const Caller& caller, std::int64_t id) {
  return read(context_, caller, [&](View view) { return find_role(view, id); });
}

Result<std::int64_t> Roles::create(const Caller& caller, const std::string& name, const PrivilegeSet& privileges) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyRoles));
  return write(context_, caller, [&](Transaction& t) -> Result<std::int64_t> {
    QUIRE_RETURN_IF_ERROR(check_privileges(caller, privileges, name));
    QUIRE_RETURN_IF_ERROR(check_name(t, name, 0));
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    const Role role{take_id(t), name, content::with_reading(privileges)};
    t->insert(role);
    record_access(t, EventKind::role_created, std::to_string(role.id), details_of(role));
    return role.id;
  });
}

Result<void> Roles::update(const Caller& caller, std::int64_t id, const RoleSpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyRoles));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto before, find_own_role(t, id));
    Role role = before;
    if (spec.name) role.name = *spec.name;
    if (spec.privileges) role.privileges = content::with_reading(*spec.privileges);
    QUIRE_RETURN_IF_ERROR(check_privileges(caller, before.privileges, before.name));
    QUIRE_RETURN_IF_ERROR(check_privileges(caller, role.privileges, role.name));
    QUIRE_RETURN_IF_ERROR(check_name(t, role.name, id));
    if (role == before) return {};
    t->update(role);
    record_access(t, EventKind::role_updated, std::to_string(id), details_of(role));
    return {};
  });
}

Result<void> Roles::remove(const Caller& caller, std::int64_t id) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyRoles));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto role, find_own_role(t, id));
    QUIRE_RETURN_IF_ERROR(check_privileges(caller, role.privileges, role.name));
    content::PermissionFilter naming;
    naming.role = id;
    if (const auto uses = t->permissions(naming); !uses.empty())
      return Error(ErrorKind::resource_in_use, "quire.access.role_in_use",
                   "{count} permissions give role {role}, among them that of {principal}; change them first.",
                   {{"count", static_cast<std::int64_t>(uses.size())},
                    {"role", role.name},
                    {"principal", uses.front().principal}});
    t->remove<Role>(id);
    record_access(t, EventKind::role_deleted, std::to_string(id), {{"name", role.name}});
    return {};
  });
}

}  // namespace quire::service
