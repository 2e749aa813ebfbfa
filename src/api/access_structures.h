#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/type.h"
#include "content/permission.h"

/// The structures of the operations about users, groups, roles and permissions, which are this server's own.
namespace quire::api {

struct PrivilegeInfo {
  static constexpr std::string_view canonical_name = "com.quire.access.privileges.info";
  content::Privilege privilege = content::Privilege::System_Anonymous;
  content::PrivilegeTarget needed_on = content::PrivilegeTarget::ROOT;
};

struct RoleInfo {
  static constexpr std::string_view canonical_name = "com.quire.access.roles.info";
  std::string role;  ///< its number: below zero for one of the system
  std::string name;
  bool system = false;
  std::vector<content::Privilege> privileges;
};
struct RoleCreateSpec {
  static constexpr std::string_view canonical_name = "com.quire.access.roles.create_spec";
  std::string name;
  std::vector<content::Privilege> privileges;
};
struct RoleUpdateSpec {
  static constexpr std::string_view canonical_name = "com.quire.access.roles.update_spec";
  std::optional<std::string> name;
  std::optional<std::vector<content::Privilege>> privileges;
};

struct UserInfo {
  static constexpr std::string_view canonical_name = "com.quire.access.users.info";
  std::string name;
  std::string description;
  std::vector<std::string> groups;
  bool enabled = true;
};
struct UserCreateSpec {
  static constexpr std::string_view canonical_name = "com.quire.access.users.create_spec";
  std::string name;
  Secret password;
  std::optional<std::string> description;
};
struct UserUpdateSpec {
  static constexpr std::string_view canonical_name = "com.quire.access.users.update_spec";
  std::optional<std::string> description;
  std::optional<bool> enabled;
};
struct PasswordChangeSpec {
  static constexpr std::string_view canonical_name = "com.quire.access.users.password_change_spec";
  Secret old_password;
  Secret new_password;
};

struct GroupInfo {
  static constexpr std::string_view canonical_name = "com.quire.access.groups.info";
  std::string name;
  std::string description;
  std::vector<std::string> members;
};
struct GroupCreateSpec {
  static constexpr std::string_view canonical_name = "com.quire.access.groups.create_spec";
  std::string name;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> members;
};
struct GroupUpdateSpec {
  static constexpr std::string_view canonical_name = "com.quire.access.groups.update_spec";
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> members;
};

struct PermissionInfo {
  static constexpr std::string_view canonical_name = "com.quire.access.permissions.info";
  std::string principal;
  content::PrincipalType type = content::PrincipalType::USER;
  std::optional<std::string> library_id;  ///< unset: on the root
  std::string role;
  bool propagate = true;
};
struct PermissionSetSpec {
  static constexpr std::string_view canonical_name = "com.quire.access.permissions.set_spec";
  std::string principal;
  content::PrincipalType type = content::PrincipalType::USER;
  std::optional<std::string> library_id;
  std::string role;
  std::optional<bool> propagate;
};
struct EffectivePrivilegesInfo {
  static constexpr std::string_view canonical_name = "com.quire.access.permissions.effective_info";
  std::vector<content::Privilege> privileges;        ///< on the root, or the library
  std::vector<content::Privilege> privileges_below;  ///< on libraries of which nothing is said, or the library's items
};

struct ApiTokenCreateSpec {
  static constexpr std::string_view canonical_name = "com.quire.access.tokens.create_spec";
  std::string name;
  std::optional<std::vector<content::Privilege>> privileges;
  std::optional<std::vector<std::string>> library_ids;
  std::optional<base::Time> expires;
};
struct ApiTokenCreated {
  static constexpr std::string_view canonical_name = "com.quire.access.tokens.created";
  std::string token;  ///< its identifier
  Secret secret;      ///< to be sent with calls; cannot be read again
};
struct ApiTokenInfo {
  static constexpr std::string_view canonical_name = "com.quire.access.tokens.info";
  std::string token;
  std::string user;
  std::string name;
  std::optional<std::vector<content::Privilege>> privileges;
  std::optional<std::vector<std::string>> library_ids;
  base::Time created;
  std::optional<base::Time> last_used;  ///< exact to 10 s
  std::optional<base::Time> expires;
};

}  // namespace quire::api
