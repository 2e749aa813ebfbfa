#include "content/role.h"

#include <algorithm>

namespace quire::content {
namespace {

PrivilegeSet reading() { return {Privilege::System_Anonymous, Privilege::System_View, Privilege::System_Read}; }

/// All about libraries and their items, and nothing about users.
PrivilegeSet everything_about_content() {
  PrivilegeSet set = reading();
  for (const auto& [privilege, name] : base::enumerators<Privilege>)
    if (name.starts_with("ContentLibrary.")) set.add(privilege);
  for (const auto privilege :
       {Privilege::Datastore_AllocateSpace, Privilege::Datastore_Browse, Privilege::Datastore_FileManagement})
    set.add(privilege);
  return set;
}

}  // namespace

const std::vector<Role>& system_roles() {
  static const std::vector<Role> roles = {
      {administrator_role, "Administrator", PrivilegeSet::all()},
      {read_only_role, "Read-only", reading()},
      {no_access_role, "No access", {}},
      {content_library_administrator_role, "Content library administrator", everything_about_content()},
      {contributor_role, "Contributor",
       with_reading({Privilege::ContentLibrary_TypeIntrospection, Privilege::ContentLibrary_AddLibraryItem,
                     Privilege::ContentLibrary_UpdateLibraryItem, Privilege::ContentLibrary_DeleteLibraryItem,
                     Privilege::ContentLibrary_UpdateSession, Privilege::ContentLibrary_DownloadSession})}};
  return roles;
}

const Role* find_system_role(std::int64_t id) {
  const auto& roles = system_roles();
  const auto found = std::find_if(roles.begin(), roles.end(), [&](const Role& role) { return role.id == id; });
  return found == roles.end() ? nullptr : &*found;
}

PrivilegeSet with_reading(PrivilegeSet privileges) {
  privileges |= reading();
  return privileges;
}

}  // namespace quire::content
