#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/enumeration.h"
#include "content/ids.h"
#include "content/library.h"
#include "content/role.h"

namespace quire::content {

QUIRE_ENUM(PrincipalType, USER, GROUP)

/// Gives a user or group a role on the root or on one library. At most one for each of them on each object.
struct Permission {
  std::string principal;  ///< name of the user or group, as shown; matched without regard to case
  PrincipalType type = PrincipalType::USER;
  LibraryId library;  ///< empty: on the root
  std::int64_t role = 0;
  bool propagate = true;  ///< false: not on what is below the object (libraries, items)
  bool operator==(const Permission&) const = default;
};

/// Looks at what it is made of, so it is used in the call only.
struct PermissionKey {
  std::string_view principal;
  PrincipalType type;
  const LibraryId& library;
};

struct PermissionFilter {
  std::optional<LibraryId> library;      ///< an empty identifier is the root
  std::optional<std::string> principal;  ///< without regard to case
  std::optional<PrincipalType> type;
  std::optional<std::int64_t> role;
};

/// A permission that a user has, own or by a group, with what its role says.
struct GrantedRole {
  Permission permission;
  PrivilegeSet privileges;
};

/// What one user may do where, computed once from all permissions that apply, by vSphere's rules: at one object the
/// user's own permission wins over those of groups, and those of several groups unite; what is said of a library wins
/// over what the root passes on; what does not propagate holds on its object only. Immutable.
class Grants {
 public:
  Grants() : Grants(std::vector<GrantedRole>()) {}  ///< nothing
  explicit Grants(const std::vector<GrantedRole>& granted);

  static const std::shared_ptr<const Grants>& none();
  static const std::shared_ptr<const Grants>& everything();  ///< of the server itself

  const PrivilegeSet& on_root() const { return root_; }
  /// What libraries get of which nothing is said.
  const PrivilegeSet& inherited() const { return inherited_; }
  const PrivilegeSet& on_library(const LibraryId& id) const;
  const PrivilegeSet& on_items_of(const LibraryId& id) const;

  const LibrarySelection& readable_libraries() const { return readable_libraries_; }
  /// Whose items can be read.
  const LibrarySelection& readable_items() const { return readable_items_; }

  /// What is left of them for an API token: no more than `privileges` and what every login has, and with `libraries`
  /// on those only, so nothing on the root. Unset: no such bound.
  Grants limited(const std::optional<PrivilegeSet>& privileges,
                 const std::optional<std::vector<LibraryId>>& libraries) const;

  /// Nothing of `other` is missing here.
  bool cover(const Grants& other) const;

 private:
  struct OnLibrary {
    PrivilegeSet library;
    PrivilegeSet items;
  };

  /// Sets readable_libraries_ and readable_items_ from the rest.
  void find_readable();

  PrivilegeSet root_;
  PrivilegeSet inherited_;
  std::unordered_map<LibraryId, OnLibrary> libraries_;  ///< of which something is said
  LibrarySelection readable_libraries_;
  LibrarySelection readable_items_;
};

}  // namespace quire::content
