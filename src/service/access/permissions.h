#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/transaction/context.h"

namespace quire::service {

/// What a user may do.
struct EffectivePrivileges {
  content::PrivilegeSet on_object;  ///< the root, or the library
  content::PrivilegeSet below;      ///< libraries of which nothing is said, or the library's items
};

/// Who has which role on the root or on a library. All threads may call it. Needs Authorization.ModifyPermissions there
/// (Unauthorized); who has it on the root, for all below, has it on every library, whatever is said of that: nobody can
/// lock them out. Nobody gives, or takes, a role that holds more than they hold on the object themselves.
class Permissions {
 public:
  explicit Permissions(Context& context) : context_(context) {}

  /// Of one library, or everywhere. NotFound: library.
  base::Result<std::vector<content::Permission>> list(const content::Caller& caller,
                                                      const std::optional<content::LibraryId>& library,
                                                      const std::optional<std::string>& principal);
  /// Makes it, or replaces what the principal has on the object. NotFound: library, principal, role;
  /// NotAllowedInCurrentState when the last administrator would go.
  base::Result<void> set(const content::Caller& caller, const content::Permission& permission);
  /// NotFound, also when there is none; NotAllowedInCurrentState when the last administrator would go.
  base::Result<void> remove(const content::Caller& caller, const content::Permission& permission);
  /// Of the caller, who must be able to read the library; of another `user` whoever may see the permissions there.
  /// NotFound: library, user.
  base::Result<EffectivePrivileges> effective(const content::Caller& caller, const std::optional<std::string>& user,
                                              const std::optional<content::LibraryId>& library);

 private:
  Context& context_;
};

}  // namespace quire::service
