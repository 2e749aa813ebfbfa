#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/transaction/context.h"

namespace quire::service {

/// Unset = unchanged.
struct RoleSpec {
  std::optional<std::string> name;
  std::optional<content::PrivilegeSet> privileges;
};

/// Roles: the system's, which never change, and own ones. All threads may call it. Anybody who is logged in may look;
/// changes need Authorization.ModifyRoles on the root, and all privileges of the role (Unauthorized).
class Roles {
 public:
  explicit Roles(Context& context) : context_(context) {}

  base::Result<std::vector<content::Role>> list(const content::Caller& caller);
  base::Result<content::Role> get(const content::Caller& caller, std::int64_t id);  ///< NotFound
  /// The number of the new role. What reading needs is always part of it. AlreadyExists: name taken; InvalidArgument.
  base::Result<std::int64_t> create(const content::Caller& caller, const std::string& name,
                                    const content::PrivilegeSet& privileges);
  /// NotFound; AlreadyExists; InvalidArgument, also for a role of the system.
  base::Result<void> update(const content::Caller& caller, std::int64_t id, const RoleSpec& spec);
  /// NotFound; ResourceInUse while a permission names it; InvalidArgument for a role of the system.
  base::Result<void> remove(const content::Caller& caller, std::int64_t id);

 private:
  Context& context_;
};

}  // namespace quire::service
