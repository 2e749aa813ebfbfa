#include "service/access/permissions.h"

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
using content::Grants;
using content::LibraryId;
using content::Permission;
using content::PrincipalType;
using content::Privilege;

bool governs_everything(const Grants& grants) {
  return grants.inherited().has(Privilege::Authorization_ModifyPermissions);
}

/// The object, the root when empty, is there and the caller may say who has which role on it.
Result<void> find_governed(View view, const LibraryId& library) {
  const auto& caller = view.caller();
  if (library.empty()) return check_privilege(caller, Privilege::Authorization_ModifyPermissions);
  if (governs_everything(*caller.grants) && view->find<content::Library>(library)) return {};
  QUIRE_RETURN_IF_ERROR(find_library(view, library, Privilege::Authorization_ModifyPermissions));
  return {};
}

/// What the caller may hand out on the object and, if it propagates, below it.
Result<void> check_may_give(View view, const Permission& permission, const content::Role& role) {
  const auto& caller = view.caller();
  const auto& grants = *caller.grants;
  const auto& id = permission.library;
  const bool by_the_root = !id.empty() && governs_everything(grants) && grants.inherited().covers(role.privileges);
  const auto& on_object = id.empty() ? grants.on_root() : grants.on_library(id);
  const auto& below = id.empty() ? grants.inherited() : grants.on_items_of(id);
  if (by_the_root || (on_object.covers(role.privileges) && (!permission.propagate || below.covers(role.privileges))))
    return {};
  return Error(ErrorKind::unauthorized, "quire.access.more_than_own",
               "Role {role} holds privileges that {user} does not have on the object; ask somebody who has them.",
               {{"role", role.name}, {"user", caller.user}});
}

/// The principal's name as shown.
Result<std::string> find_principal(View view, const Permission& permission) {
  if (permission.type == PrincipalType::GROUP) {
    QUIRE_ASSIGN_OR_RETURN(const auto group, find_group(view, permission.principal));
    return group.name;
  }
  QUIRE_ASSIGN_OR_RETURN(const auto user, find_user(view, permission.principal));
  return user.name;
}

void record(Transaction& t, EventKind kind, const Permission& permission, EventDetails details) {
  details.push_back({"type", std::string(base::name_of(permission.type))});
  t.record({kind, permission.library, content::ItemId(), permission.principal, std::move(details)});
}

}  // namespace

Result<std::vector<Permission>> Permissions::list(const Caller& caller, const std::optional<LibraryId>& library,
                                                  const std::optional<std::string>& principal) {
  return read(context_, caller, [&](View view) -> Result<std::vector<Permission>> {
    QUIRE_RETURN_IF_ERROR(find_governed(view, library.value_or(LibraryId())));
    if (principal) QUIRE_RETURN_IF_ERROR(content::check_text("principal", *principal, context_.limits.name_chars_max));
    content::PermissionFilter filter;
    filter.library = library;
    filter.principal = principal;
    return view->permissions(filter);
  });
}

Result<void> Permissions::set(const Caller& caller, const Permission& spec) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_RETURN_IF_ERROR(find_governed(t, spec.library));
    Permission permission = spec;
    QUIRE_ASSIGN_OR_RETURN(permission.principal, find_principal(t, spec));
    QUIRE_ASSIGN_OR_RETURN(const auto role, find_role(t, spec.role));
    QUIRE_RETURN_IF_ERROR(check_may_give(t, permission, role));
    const auto before = t->find<Permission>({permission.principal, permission.type, permission.library});
    if (before) {
      QUIRE_ASSIGN_OR_RETURN(const auto taken, find_role(t, before->role));
      QUIRE_RETURN_IF_ERROR(check_may_give(t, *before, taken));
    }
    if (before == permission) return {};
    if (!before) QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    t->put(permission);
    if (permission.library.empty()) QUIRE_RETURN_IF_ERROR(check_administrator_left(t));
    record(t, EventKind::permission_set, permission,
           {{"role", role.name}, {"propagate", permission.propagate ? "true" : "false"}});
    return {};
  });
}

Result<void> Permissions::remove(const Caller& caller, const Permission& spec) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_RETURN_IF_ERROR(find_governed(t, spec.library));
    const auto permission = content::code_points(spec.principal)
                                ? t->find<Permission>({spec.principal, spec.type, spec.library})
                                : std::nullopt;
    if (!permission)
      return Error(ErrorKind::not_found, "quire.access.permission_not_found",
                   "{principal} has no permission of its own on this object.", {{"principal", spec.principal}});
    QUIRE_ASSIGN_OR_RETURN(const auto role, find_role(t, permission->role));
    QUIRE_RETURN_IF_ERROR(check_may_give(t, *permission, role));
    t->remove<Permission>({permission->principal, permission->type, permission->library});
    if (permission->library.empty()) QUIRE_RETURN_IF_ERROR(check_administrator_left(t));
    record(t, EventKind::permission_deleted, *permission, {{"role", role.name}});
    return {};
  });
}

Result<EffectivePrivileges> Permissions::effective(const Caller& caller, const std::optional<std::string>& user,
                                                   const std::optional<LibraryId>& library) {
  return read(context_, caller, [&](View view) -> Result<EffectivePrivileges> {
    const bool is_other =
        user && content::code_points(*user) && content::fold_case(*user) != content::fold_case(caller.user);
    auto grants = caller.grants;
    if (is_other || (user && !content::code_points(*user))) {
      QUIRE_RETURN_IF_ERROR(find_governed(view, library.value_or(LibraryId())));
      QUIRE_ASSIGN_OR_RETURN(const auto other, find_user(view, *user));
      grants = std::make_shared<const Grants>(view->granted_roles(other.name, {}));
    } else if (library) {
      QUIRE_RETURN_IF_ERROR(find_library(view, *library, Privilege::System_Read));
    }
    if (!library) return EffectivePrivileges{grants->on_root(), grants->inherited()};
    return EffectivePrivileges{grants->on_library(*library), grants->on_items_of(*library)};
  });
}

}  // namespace quire::service
