#include <charconv>

#include "api/access_structures.h"
#include "api/identifiers.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "service/services.h"

/// Operations of our own about users, groups, roles and permissions.
namespace quire::api {

template <>
inline constexpr std::string_view enumeration_name<content::Privilege> = "com.quire.access.privilege";
template <>
inline constexpr std::string_view enumeration_name<content::PrivilegeTarget> = "com.quire.access.privilege_target";
template <>
inline constexpr std::string_view enumeration_name<content::PrincipalType> = "com.quire.access.principal_type";

struct RoleIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string role;
};
struct RoleCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  RoleCreateSpec create_spec;
};
struct RoleUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string role;
  RoleUpdateSpec update_spec;
};
struct UserCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  UserCreateSpec create_spec;
};
struct UserUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string user;
  UserUpdateSpec update_spec;
};
struct UserSetPasswordInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string user;
  Secret password;
};
struct UserChangePasswordInput {
  static constexpr std::string_view canonical_name = operation_input;
  PasswordChangeSpec change_spec;
};
struct GroupNameInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string group;
};
struct GroupCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  GroupCreateSpec create_spec;
};
struct GroupUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string group;
  GroupUpdateSpec update_spec;
};
struct PermissionListInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::optional<std::string> library_id;
  std::optional<std::string> principal;
};
struct PermissionSetInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "set_spec.library_id"}};
  PermissionSetSpec set_spec;
};
struct PermissionDeleteInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  content::PrincipalType type = content::PrincipalType::USER;
  std::string principal;
  std::optional<std::string> library_id;
};
struct PermissionEffectiveInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::optional<std::string> user;
  std::optional<std::string> library_id;
};
struct ApiTokenIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string token;
};
struct ApiTokenListInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::optional<std::string> user;
};
struct ApiTokenCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  ApiTokenCreateSpec create_spec;
};
BOOST_DESCRIBE_STRUCT(ApiTokenCreateSpec, (), (name, privileges, library_ids, expires))
BOOST_DESCRIBE_STRUCT(ApiTokenCreated, (), (token, secret))
BOOST_DESCRIBE_STRUCT(ApiTokenInfo, (), (token, user, name, privileges, library_ids, created, last_used, expires))
BOOST_DESCRIBE_STRUCT(ApiTokenIdInput, (), (token))
BOOST_DESCRIBE_STRUCT(ApiTokenListInput, (), (user))
BOOST_DESCRIBE_STRUCT(ApiTokenCreateInput, (), (create_spec))
BOOST_DESCRIBE_STRUCT(PrivilegeInfo, (), (privilege, needed_on))
BOOST_DESCRIBE_STRUCT(RoleInfo, (), (role, name, system, privileges))
BOOST_DESCRIBE_STRUCT(RoleCreateSpec, (), (name, privileges))
BOOST_DESCRIBE_STRUCT(RoleUpdateSpec, (), (name, privileges))
BOOST_DESCRIBE_STRUCT(UserInfo, (), (name, description, groups, enabled))
BOOST_DESCRIBE_STRUCT(UserCreateSpec, (), (name, password, description))
BOOST_DESCRIBE_STRUCT(UserUpdateSpec, (), (description, enabled))
BOOST_DESCRIBE_STRUCT(PasswordChangeSpec, (), (old_password, new_password))
BOOST_DESCRIBE_STRUCT(GroupInfo, (), (name, description, members))
BOOST_DESCRIBE_STRUCT(GroupCreateSpec, (), (name, description, members))
BOOST_DESCRIBE_STRUCT(GroupUpdateSpec, (), (description, members))
BOOST_DESCRIBE_STRUCT(PermissionInfo, (), (principal, type, library_id, role, propagate))
BOOST_DESCRIBE_STRUCT(PermissionSetSpec, (), (principal, type, library_id, role, propagate))
BOOST_DESCRIBE_STRUCT(EffectivePrivilegesInfo, (), (privileges, privileges_below))
BOOST_DESCRIBE_STRUCT(RoleIdInput, (), (role))
BOOST_DESCRIBE_STRUCT(RoleCreateInput, (), (create_spec))
BOOST_DESCRIBE_STRUCT(RoleUpdateInput, (), (role, update_spec))
BOOST_DESCRIBE_STRUCT(UserCreateInput, (), (create_spec))
BOOST_DESCRIBE_STRUCT(UserUpdateInput, (), (user, update_spec))
BOOST_DESCRIBE_STRUCT(UserSetPasswordInput, (), (user, password))
BOOST_DESCRIBE_STRUCT(UserChangePasswordInput, (), (change_spec))
BOOST_DESCRIBE_STRUCT(GroupNameInput, (), (group))
BOOST_DESCRIBE_STRUCT(GroupCreateInput, (), (create_spec))
BOOST_DESCRIBE_STRUCT(GroupUpdateInput, (), (group, update_spec))
BOOST_DESCRIBE_STRUCT(PermissionListInput, (), (library_id, principal))
BOOST_DESCRIBE_STRUCT(PermissionSetInput, (), (set_spec))
BOOST_DESCRIBE_STRUCT(PermissionDeleteInput, (), (type, principal, library_id))
BOOST_DESCRIBE_STRUCT(PermissionEffectiveInput, (), (user, library_id))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto roles_service = "com.quire.access.roles";
constexpr auto users_service = "com.quire.access.users";
constexpr auto groups_service = "com.quire.access.groups";
constexpr auto permissions_service = "com.quire.access.permissions";
constexpr auto tokens_service = "com.quire.access.tokens";

/// What is no number is the number of no role.
std::int64_t role_number(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() ? number : 0;
}

content::PrivilegeSet set_of(const std::vector<Privilege>& privileges) {
  content::PrivilegeSet set;
  for (const auto privilege : privileges) set.add(privilege);
  return set;
}

std::optional<content::LibraryId> library_of(const std::optional<std::string>& id) {
  return id ? std::optional(content::LibraryId(*id)) : std::nullopt;
}

/// Of a member that is unset for the root. An empty text names no library: it is not the root by accident.
Result<content::LibraryId> object_of(const std::optional<std::string>& id) {
  if (!id) return content::LibraryId();
  if (!id->empty()) return content::LibraryId(*id);
  return base::Error(ErrorKind::not_found, "quire.library.not_found", "No library has the identifier {library_id}.",
                     {{"library_id", ""}});
}

RoleInfo to_api(const content::Role& role) {
  return {std::to_string(role.id), role.name, role.is_system(), role.privileges.list()};
}

struct PrivilegeList {
  using Input = NoInput;
  using Output = std::vector<PrivilegeInfo>;
  static OperationFacts facts() {
    return {.service = "com.quire.access.privileges",
            .name = "list",
            .method = "GET",
            .path = "/quire/access/privileges",
            .privilege = Privilege::System_Anonymous,
            .summary = "All privileges, and what each is needed on."};
  }
  static Result<Output> run(service::Services&, const CallContext&, const Input&) {
    Output out;
    for (const auto& [privilege, name] : base::enumerators<Privilege>)
      out.push_back({privilege, content::target_of(privilege)});
    return out;
  }
};

struct RoleList {
  using Input = NoInput;
  using Output = std::vector<RoleInfo>;
  static OperationFacts facts() {
    return {.service = roles_service,
            .name = "list",
            .method = "GET",
            .path = "/quire/access/roles",
            .privilege = Privilege::System_Anonymous,
            .summary = "All roles: those of the system, then own ones by name."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_ASSIGN_OR_RETURN(const auto roles, services.roles.list(call.caller));
    Output out;
    for (const auto& role : roles) out.push_back(to_api(role));
    return out;
  }
};

struct RoleGet {
  using Input = RoleIdInput;
  using Output = RoleInfo;
  static OperationFacts facts() {
    return {.service = roles_service,
            .name = "get",
            .method = "GET",
            .path = "/quire/access/roles/{role}",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "A role."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto role, services.roles.get(call.caller, role_number(input.role)));
    return to_api(role);
  }
};

struct RoleCreate {
  using Input = RoleCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = roles_service,
            .name = "create",
            .method = "POST",
            .path = "/quire/access/roles",
            .status = 201,
            .privilege = Privilege::Authorization_ModifyRoles,
            .errors = {ErrorKind::already_exists, ErrorKind::invalid_argument, ErrorKind::unable_to_allocate_resource},
            .summary = "Makes a role; it can always read. The role's number.",
            .creates = resource::role};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto id, services.roles.create(call.caller, input.create_spec.name,
                                                                set_of(input.create_spec.privileges)));
    return std::to_string(id);
  }
};

struct RoleUpdate {
  using Input = RoleUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = roles_service,
            .name = "update",
            .method = "PATCH",
            .path = "/quire/access/roles/{role}",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyRoles,
            .errors = {ErrorKind::not_found, ErrorKind::already_exists, ErrorKind::invalid_argument},
            .summary = "Changes an own role for all who have it; privileges are replaced as a whole."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    service::RoleSpec spec{input.update_spec.name, {}};
    if (input.update_spec.privileges) spec.privileges = set_of(*input.update_spec.privileges);
    return services.roles.update(call.caller, role_number(input.role), spec);
  }
};

struct RoleDelete {
  using Input = RoleIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = roles_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/quire/access/roles/{role}",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyRoles,
            .errors = {ErrorKind::not_found, ErrorKind::resource_in_use, ErrorKind::invalid_argument},
            .summary = "Removes an own role that no permission gives."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.roles.remove(call.caller, role_number(input.role));
  }
};

struct UserList {
  using Input = NoInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "list",
            .method = "GET",
            .path = "/quire/access/users",
            .privilege = Privilege::Authorization_ModifyPermissions,
            .summary = "Names of all users."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    return services.users.list(call.caller);
  }
};

struct UserGet {
  using Input = UserNameInput;
  using Output = UserInfo;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "get",
            .method = "GET",
            .path = "/quire/access/users/{user}",
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found},
            .summary = "A user and the groups that it is in."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(auto view, services.users.get(call.caller, input.user));
    return UserInfo{view.user.name, view.user.description, std::move(view.groups), view.user.enabled};
  }
};

struct UserCreate {
  using Input = UserCreateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "create",
            .method = "POST",
            .path = "/quire/access/users",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::already_exists, ErrorKind::invalid_argument, ErrorKind::unable_to_allocate_resource},
            .summary = "Makes a user, who may log in and has no permission yet.",
            .creates = resource::user};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.create_spec;
    return services.users.create(call.caller, {spec.name, "", spec.description.value_or("")}, spec.password.text);
  }
};

struct UserUpdate {
  using Input = UserUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "update",
            .method = "PATCH",
            .path = "/quire/access/users/{user}",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::not_allowed_in_current_state},
            .summary =
                "Changes the given members of a user; who is disabled cannot log in, and has no logins and "
                "sessions. Not the last administrator."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.users.update(call.caller, input.user, {input.update_spec.description, input.update_spec.enabled});
  }
};

struct UserSetPassword {
  using Input = UserSetPasswordInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "set_password",
            .method = "POST",
            .path = "/quire/access/users/{user}",
            .action = "set-password",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument},
            .summary = "Gives a user another password; all logins of the user end."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.users.set_password(call.caller, input.user, input.password.text);
  }
};

struct UserChangePassword {
  using Input = UserChangePasswordInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = users_service,
            .name = "change_password",
            .method = "POST",
            .path = "/quire/access/users",
            .action = "change-password",
            .status = 204,
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::invalid_argument, ErrorKind::not_allowed_in_current_state},
            .summary = "Changes one's own password; all other logins of the caller end."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.change_spec;
    return services.users.change_password(call.caller, spec.old_password.text, spec.new_password.text);
  }
};

struct UserDelete {
  using Input = UserNameInput;
  using Output = void;
  static OperationFacts facts() {
    return {
        .service = users_service,
        .name = "delete",
        .method = "DELETE",
        .path = "/quire/access/users/{user}",
        .status = 204,
        .privilege = Privilege::Authorization_ModifyPermissions,
        .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
        .summary = "Removes a user with its permissions; all its logins and sessions end. Not the last administrator."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.users.remove(call.caller, input.user);
  }
};

struct GroupList {
  using Input = NoInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = groups_service,
            .name = "list",
            .method = "GET",
            .path = "/quire/access/groups",
            .privilege = Privilege::Authorization_ModifyPermissions,
            .summary = "Names of all groups."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    return services.groups.list(call.caller);
  }
};

struct GroupGet {
  using Input = GroupNameInput;
  using Output = GroupInfo;
  static OperationFacts facts() {
    return {.service = groups_service,
            .name = "get",
            .method = "GET",
            .path = "/quire/access/groups/{group}",
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found},
            .summary = "A group and its members."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(auto view, services.groups.get(call.caller, input.group));
    return GroupInfo{view.group.name, view.group.description, std::move(view.members)};
  }
};

struct GroupCreate {
  using Input = GroupCreateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = groups_service,
            .name = "create",
            .method = "POST",
            .path = "/quire/access/groups",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::already_exists, ErrorKind::invalid_argument,
                       ErrorKind::unable_to_allocate_resource},
            .summary = "Makes a group of users.",
            .creates = resource::group};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.create_spec;
    return services.groups.create(call.caller, spec.name, {spec.description, spec.members});
  }
};

struct GroupUpdate {
  using Input = GroupUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = groups_service,
            .name = "update",
            .method = "PATCH",
            .path = "/quire/access/groups/{group}",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::not_allowed_in_current_state},
            .summary = "Changes the given members of a group; its list of users is replaced as a whole."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.groups.update(call.caller, input.group, {input.update_spec.description, input.update_spec.members});
  }
};

struct GroupDelete {
  using Input = GroupNameInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = groups_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/quire/access/groups/{group}",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "Removes a group with its permissions; its users stay."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.groups.remove(call.caller, input.group);
  }
};

struct PermissionList {
  using Input = PermissionListInput;
  using Output = std::vector<PermissionInfo>;
  static OperationFacts facts() {
    return {.service = permissions_service,
            .name = "list",
            .method = "GET",
            .path = "/quire/access/permissions",
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument},
            .summary = "The permissions on a library, or all of them; those of one user or group if given."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    if (input.library_id) QUIRE_RETURN_IF_ERROR(object_of(input.library_id));
    QUIRE_ASSIGN_OR_RETURN(const auto permissions,
                           services.permissions.list(call.caller, library_of(input.library_id), input.principal));
    Output out;
    for (const auto& permission : permissions) {
      PermissionInfo info{
          permission.principal, permission.type, {}, std::to_string(permission.role), permission.propagate};
      if (!permission.library.empty()) info.library_id = permission.library.text();
      out.push_back(std::move(info));
    }
    return out;
  }
};

struct PermissionSet {
  using Input = PermissionSetInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = permissions_service,
            .name = "set",
            .method = "PUT",
            .path = "/quire/access/permissions",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state,
                       ErrorKind::unable_to_allocate_resource},
            .summary = "Gives a user or group a role on a library, or on the root; replaces what they had there."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.set_spec;
    QUIRE_ASSIGN_OR_RETURN(const auto library, object_of(spec.library_id));
    return services.permissions.set(
        call.caller, {spec.principal, spec.type, library, role_number(spec.role), spec.propagate.value_or(true)});
  }
};

struct PermissionDelete {
  using Input = PermissionDeleteInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = permissions_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/quire/access/permissions",
            .status = 204,
            .privilege = Privilege::Authorization_ModifyPermissions,
            .errors = {ErrorKind::not_found, ErrorKind::not_allowed_in_current_state},
            .summary = "Takes the role of a user or group on a library, or on the root, away."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto library, object_of(input.library_id));
    return services.permissions.remove(call.caller, {input.principal, input.type, library, 0, true});
  }
};

struct PermissionEffective {
  using Input = PermissionEffectiveInput;
  using Output = EffectivePrivilegesInfo;
  static OperationFacts facts() {
    return {.service = permissions_service,
            .name = "effective",
            .method = "GET",
            .path = "/quire/access/permissions/effective",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary =
                "What a user may do on a library, or on the root. Of oneself when no user is given; of others it "
                "needs Authorization.ModifyPermissions there."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    if (input.library_id) QUIRE_RETURN_IF_ERROR(object_of(input.library_id));
    QUIRE_ASSIGN_OR_RETURN(const auto effective,
                           services.permissions.effective(call.caller, input.user, library_of(input.library_id)));
    return EffectivePrivilegesInfo{effective.on_object.list(), effective.below.list()};
  }
};

ApiTokenInfo to_api(const content::LoginSession& token) {
  ApiTokenInfo info;
  info.token = token.id.text();
  info.user = token.user;
  info.name = token.api_token->name;
  if (token.api_token->privileges) info.privileges = token.api_token->privileges->list();
  if (token.api_token->libraries) {
    auto& ids = info.library_ids.emplace();
    for (const auto& id : *token.api_token->libraries) ids.push_back(id.text());
  }
  info.created = token.created;
  if (token.last_accessed != token.created) info.last_used = token.last_accessed;
  info.expires = token.api_token->expires;
  return info;
}

struct ApiTokenCreate {
  using Input = ApiTokenCreateInput;
  using Output = ApiTokenCreated;
  static OperationFacts facts() {
    return {.service = tokens_service,
            .name = "create",
            .method = "POST",
            .path = "/quire/access/tokens",
            .status = 201,
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::already_exists, ErrorKind::invalid_argument, ErrorKind::not_found,
                       ErrorKind::not_allowed_in_current_state, ErrorKind::unable_to_allocate_resource},
            .summary =
                "Makes an API token of the caller, for pipelines: it is sent where the token of a session is, "
                "or as `Authorization: Bearer`. It does what its user may do, on these libraries and with these "
                "privileges only. The secret is shown here and never again.",
            .creates = resource::api_token};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.create_spec;
    content::ApiTokenScope scope{spec.name};
    if (spec.privileges) scope.privileges = set_of(*spec.privileges);
    if (spec.library_ids) {
      auto& libraries = scope.libraries.emplace();
      for (const auto& id : *spec.library_ids) libraries.emplace_back(id);
    }
    scope.expires = spec.expires;
    QUIRE_ASSIGN_OR_RETURN(auto made, services.api_tokens.create(call.caller, scope));
    return ApiTokenCreated{made.id.text(), Secret{std::move(made.secret)}};
  }
};

struct ApiTokenList {
  using Input = ApiTokenListInput;
  using Output = std::vector<ApiTokenInfo>;
  static OperationFacts facts() {
    return {.service = tokens_service,
            .name = "list",
            .method = "GET",
            .path = "/quire/access/tokens",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "The caller's API tokens. Those of another user need Authorization.ModifyPermissions."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto tokens, services.api_tokens.list(call.caller, input.user));
    Output out;
    for (const auto& token : tokens) out.push_back(to_api(token));
    return out;
  }
};

struct ApiTokenGet {
  using Input = ApiTokenIdInput;
  using Output = ApiTokenInfo;
  static OperationFacts facts() {
    return {.service = tokens_service,
            .name = "get",
            .method = "GET",
            .path = "/quire/access/tokens/{token}",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "An API token of the caller, or with Authorization.ModifyPermissions anybody's."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto token, services.api_tokens.get(call.caller, content::LoginId(input.token)));
    return to_api(token);
  }
};

struct ApiTokenDelete {
  using Input = ApiTokenIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = tokens_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/quire/access/tokens/{token}",
            .status = 204,
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "Removes an API token; from the next call on it is worth nothing."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.api_tokens.remove(call.caller, content::LoginId(input.token));
  }
};

}  // namespace

void add_access_operations(std::vector<Operation>& all) {
  all.push_back(bind<PrivilegeList>());
  all.push_back(bind<RoleList>());
  all.push_back(bind<RoleGet>());
  all.push_back(bind<RoleCreate>());
  all.push_back(bind<RoleUpdate>());
  all.push_back(bind<RoleDelete>());
  all.push_back(bind<UserList>());
  all.push_back(bind<UserGet>());
  all.push_back(bind<UserCreate>());
  all.push_back(bind<UserUpdate>());
  all.push_back(bind<UserSetPassword>());
  all.push_back(bind<UserChangePassword>());
  all.push_back(bind<UserDelete>());
  all.push_back(bind<GroupList>());
  all.push_back(bind<GroupGet>());
  all.push_back(bind<GroupCreate>());
  all.push_back(bind<GroupUpdate>());
  all.push_back(bind<GroupDelete>());
  all.push_back(bind<PermissionList>());
  all.push_back(bind<PermissionSet>());
  all.push_back(bind<PermissionDelete>());
  all.push_back(bind<PermissionEffective>());
  all.push_back(bind<ApiTokenCreate>());
  all.push_back(bind<ApiTokenList>());
  all.push_back(bind<ApiTokenGet>());
  all.push_back(bind<ApiTokenDelete>());
}

}  // namespace quire::api
