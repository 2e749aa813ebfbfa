#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/transaction/context.h"

namespace quire::service {

struct GroupView {
  content::Group group;
  std::vector<std::string> members;  ///< names of users
};

/// Unset = empty or unchanged.
struct GroupSpec {
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> members;  ///< all of them
};

/// Groups of users. All threads may call it. Every call needs Authorization.ModifyPermissions on the root
/// (Unauthorized). Nobody changes a group that holds more than themselves.
class Groups {
 public:
  explicit Groups(Context& context) : context_(context) {}

  base::Result<std::vector<std::string>> list(const content::Caller& caller);
  base::Result<GroupView> get(const content::Caller& caller, const std::string& name);  ///< NotFound
  /// AlreadyExists; NotFound: a member is no user; InvalidArgument: name, description, too many members.
  base::Result<void> create(const content::Caller& caller, const std::string& name, const GroupSpec& spec);
  /// As create, and NotFound for the group; NotAllowedInCurrentState when the last administrator would go.
  base::Result<void> update(const content::Caller& caller, const std::string& name, const GroupSpec& spec);
  /// With its permissions. NotFound; NotAllowedInCurrentState when the last administrator would go.
  base::Result<void> remove(const content::Caller& caller, const std::string& name);

 private:
  Context& context_;
};

}  // namespace quire::service
