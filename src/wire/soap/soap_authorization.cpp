#include "wire/soap/soap_authorization.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "content/privilege.h"
#include "wire/soap/soap_values.h"

namespace quire::wire {
namespace {

using base::ErrorKind;
using content::Permission;
using content::PrincipalType;
using content::Privilege;
using content::Role;
using vim::Answer;
using vim::DataObject;
using vim::Fault;
using vim::Reference;

const Reference root_folder{"Folder", std::string(vim::root_folder_id)};

/// Clients name vSphere's own roles so (govc takes `Admin` where none is given); people read the label.
std::string name_of(const Role& role) {
  switch (role.id) {
    case content::administrator_role:
      return "Admin";
    case content::read_only_role:
      return "ReadOnly";
    case content::no_access_role:
      return "NoAccess";
    default:
      return role.name;
  }
}

DataObject to_vim(const Role& role) {
  std::vector<std::string> privileges;
  for (const auto privilege : role.privileges.list()) privileges.emplace_back(base::name_of(privilege));
  return {"AuthorizationRole",
          {{"roleId", role.id},
           {"system", role.is_system()},
           {"name", name_of(role)},
           {"info", DataObject{"Description", {{"label", role.name}, {"summary", role.name}}, true}},
           {"privilege", std::move(privileges)}}};
}

DataObject to_vim(const Permission& permission) {
  DataObject object{"Permission", {}};
  if (permission.library.empty()) object.fields.push_back({"entity", root_folder});
  object.fields.push_back({"principal", permission.principal});
  object.fields.push_back({"group", permission.type == PrincipalType::GROUP});
  object.fields.push_back({"roleId", permission.role});
  object.fields.push_back({"propagate", permission.propagate});
  return object;
}

/// What the error says of a message's parameter; empty when it has none of that name.
std::string told(const base::Error& error, std::string_view parameter) {
  for (const auto& [name, value] : error.messages().front().params)
    if (name == parameter)
      if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return {};
}

/// A service's error, which answers the call, as one of vim25's classes (wire-protocols.md §4.4).
Fault fault_of(const SoapCall& call, const base::Error& error) {
  record_if_refused(call, error);
  const auto& id = error.messages().front().id;
  switch (error.kind()) {
    case ErrorKind::unauthorized: {
      auto privilege = told(error, "privilege");
      if (privilege.empty()) privilege = base::name_of(Privilege::Authorization_ModifyPermissions);
      return {"NoPermission", error.text(), {{"object", root_folder}, {"privilegeId", std::move(privilege)}}};
    }
    case ErrorKind::not_found:
      if (id == "quire.access.user_not_found" || id == "quire.access.group_not_found")
        return {"UserNotFound",
                error.text(),
                {{"principal", told(error, "user") + told(error, "group")}, {"unresolved", true}}};
      return {"NotFound", error.text(), {}};
    case ErrorKind::already_exists:
      return {"AlreadyExists", error.text(), {{"name", child_text(call.arguments, "name")}}};
    case ErrorKind::invalid_argument:
      return vim::invalid_argument("", error.text());
    case ErrorKind::resource_in_use:
      return {"RemoveFailed", error.text(), {}};
    case ErrorKind::not_allowed_in_current_state:
      return {"AuthMinimumAdminPermission", error.text(), {}};
    default:
      return system_error(call.method, error);
  }
}

Answer<std::int64_t> role_in(const XmlElement& element, const char* member) {
  const auto text = child_text(element, member);
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size())
    return tl::unexpected(vim::invalid_argument(member, "A role is told by its number."));
  return number;
}

Answer<content::PrivilegeSet> privileges_in(const SoapCall& call) {
  content::PrivilegeSet set;
  for (const auto& name : child_texts(call.arguments, "privIds")) {
    const auto privilege = base::enumerator_named<Privilege>(name);
    if (!privilege) return tl::unexpected(vim::invalid_argument("privIds", "There is no privilege " + name + "."));
    set.add(*privilege);
  }
  return set;
}

/// True: the root; false: an entity below it, which has no permissions of its own.
Answer<bool> entity_is_root(const SoapCall& call) {
  const auto entity = child_reference(call.arguments, "entity");
  if (!entity) return tl::unexpected(vim::invalid_argument("entity", "The entity is missing."));
  const vim::Inventory inventory(vim::datastores(call.services.storages));
  const auto* found = inventory.find(*entity);
  if (found == nullptr || !vim::is_kind_of(found->reference.type, "ManagedEntity"))
    return tl::unexpected(vim::object_not_found(*entity));
  return found->reference == root_folder;
}

Answer<void> check_root(const SoapCall& call) {
  const auto is_root = entity_is_root(call);
  if (!is_root) return tl::unexpected(is_root.error());
  if (*is_root) return {};
  return tl::unexpected(Fault{"NotSupported",
                              "Permissions are given on the root folder, or on a library by "
                              "com.quire.access.permissions.",
                              {}});
}

template <class F>
Answer<void> write_permissions(const SoapCall& call, SoapReply& reply, const std::optional<content::LibraryId>& object,
                               F is_wanted) {
  const auto all = call.services.permissions.list(call.session->caller, object, std::nullopt);
  if (!all) return tl::unexpected(fault_of(call, all.error()));
  for (const auto& permission : *all)
    if (is_wanted(permission)) write_field(reply.out, "returnval", to_vim(permission));
  return {};
}

Answer<void> done(const SoapCall& call, const base::Result<void>& result) {
  if (!result) return tl::unexpected(fault_of(call, result.error()));
  return {};
}

Answer<void> add_role(const SoapCall& call, SoapReply& reply) {
  const auto privileges = privileges_in(call);
  if (!privileges) return tl::unexpected(privileges.error());
  const auto id = call.services.roles.create(call.session->caller, child_text(call.arguments, "name"), *privileges);
  if (!id) return tl::unexpected(fault_of(call, id.error()));
  write_field(reply.out, "returnval", *id);
  return {};
}

Answer<void> update_role(const SoapCall& call, SoapReply&) {
  const auto role = role_in(call.arguments, "roleId");
  if (!role) return tl::unexpected(role.error());
  const auto privileges = privileges_in(call);
  if (!privileges) return tl::unexpected(privileges.error());
  return done(call, call.services.roles.update(call.session->caller, *role,
                                               {child_text(call.arguments, "newName"), *privileges}));
}

/// A role that a permission gives stays, whatever `failIfUsed` says: nobody loses what they have by a slip.
Answer<void> remove_role(const SoapCall& call, SoapReply&) {
  const auto role = role_in(call.arguments, "roleId");
  if (!role) return tl::unexpected(role.error());
  return done(call, call.services.roles.remove(call.session->caller, *role));
}

Answer<void> retrieve_all_permissions(const SoapCall& call, SoapReply& reply) {
  return write_permissions(call, reply, std::nullopt, [](const Permission&) { return true; });
}

Answer<void> retrieve_role_permissions(const SoapCall& call, SoapReply& reply) {
  const auto role = role_in(call.arguments, "roleId");
  if (!role) return tl::unexpected(role.error());
  if (const auto found = call.services.roles.get(call.session->caller, *role); !found)
    return tl::unexpected(fault_of(call, found.error()));
  return write_permissions(call, reply, std::nullopt,
                           [&](const Permission& permission) { return permission.role == *role; });
}

Answer<void> retrieve_entity_permissions(const SoapCall& call, SoapReply& reply) {
  const auto is_root = entity_is_root(call);
  if (!is_root) return tl::unexpected(is_root.error());
  const bool inherited = is_true(call.arguments.child("inherited"));
  return write_permissions(call, reply, content::LibraryId(), [&](const Permission& permission) {
    return *is_root || (inherited && permission.propagate);
  });
}

Answer<void> set_entity_permissions(const SoapCall& call, SoapReply&) {
  if (auto root = check_root(call); !root) return root;
  for (const auto& element : call.arguments.children) {
    if (element.name != "permission") continue;
    const auto role = role_in(element, "roleId");
    if (!role) return tl::unexpected(role.error());
    const auto type = is_true(element.child("group")) ? PrincipalType::GROUP : PrincipalType::USER;
    const auto set = call.services.permissions.set(
        call.session->caller,
        {child_text(element, "principal"), type, content::LibraryId(), *role, is_true(element.child("propagate"))});
    if (!set) return tl::unexpected(fault_of(call, set.error()));
  }
  return {};
}

Answer<void> remove_entity_permission(const SoapCall& call, SoapReply&) {
  if (auto root = check_root(call); !root) return root;
  const auto type = is_true(call.arguments.child("isGroup")) ? PrincipalType::GROUP : PrincipalType::USER;
  return done(call, call.services.permissions.remove(
                        call.session->caller, {child_text(call.arguments, "user"), type, content::LibraryId(), 0}));
}

}  // namespace

Answer<vim::ManagedObject> authorization_manager_object(const SoapCall& call) {
  const auto roles = call.services.roles.list(call.session->caller);
  if (!roles) return tl::unexpected(fault_of(call, roles.error()));
  vim::DataObjects listed{"AuthorizationRole", {}};
  for (const auto& role : *roles) listed.items.push_back(to_vim(role));
  vim::DataObjects privileges{"AuthorizationPrivilege", {}};
  for (const auto& [privilege, name] : base::enumerators<Privilege>) {
    const auto dot = name.find('.');
    privileges.items.push_back({"AuthorizationPrivilege",
                                {{"privId", std::string(name)},
                                 {"onParent", false},
                                 {"name", std::string(name.substr(dot + 1))},
                                 {"privGroupName", std::string(name.substr(0, dot))}}});
  }
  return vim::ManagedObject{authorization_manager,
                            {{"privilegeList", std::move(privileges)}, {"roleList", std::move(listed)}}};
}

const std::vector<SoapMethod>& authorization_methods() {
  static const std::vector<SoapMethod> all{
      {vim_space, "AddAuthorizationRole", authorization_manager, true, add_role},
      {vim_space, "UpdateAuthorizationRole", authorization_manager, true, update_role},
      {vim_space, "RemoveAuthorizationRole", authorization_manager, true, remove_role},
      {vim_space, "RetrieveAllPermissions", authorization_manager, true, retrieve_all_permissions},
      {vim_space, "RetrieveRolePermissions", authorization_manager, true, retrieve_role_permissions},
      {vim_space, "RetrieveEntityPermissions", authorization_manager, true, retrieve_entity_permissions},
      {vim_space, "SetEntityPermissions", authorization_manager, true, set_entity_permissions},
      {vim_space, "RemoveEntityPermission", authorization_manager, true, remove_entity_permission},
  };
  return all;
}

}  // namespace quire::wire
