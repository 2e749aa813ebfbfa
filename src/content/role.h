#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "content/privilege.h"

namespace quire::content {

/// A named set of privileges. Those below zero are the system's: they are made here, stand in no table and never
/// change; the others are rows.
struct Role {
  std::int64_t id = 0;
  std::string name;  ///< unique, without regard to case
  PrivilegeSet privileges;
  bool is_system() const { return id < 0; }
  bool operator==(const Role&) const = default;
};

// The numbers that vSphere gives to the roles that it has too; -101 and on are ours.
inline constexpr std::int64_t administrator_role = -1;
inline constexpr std::int64_t read_only_role = -2;
inline constexpr std::int64_t no_access_role = -5;
inline constexpr std::int64_t content_library_administrator_role = -101;
inline constexpr std::int64_t contributor_role = -102;

/// The one definition of the system's roles.
const std::vector<Role>& system_roles();
/// nullptr when there is none.
const Role* find_system_role(std::int64_t id);

/// What every role of one's own holds whatever it was made with, as vSphere has it: who holds it sees the object.
PrivilegeSet with_reading(PrivilegeSet privileges);

}  // namespace quire::content
