#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "content/ids.h"
#include "content/permission.h"
#include "content/text.h"

namespace quire::content {

/// Somebody who may log in.
struct User {
  std::string name;           ///< as shown, `administrator@vsphere.local`; matched without regard to case
  std::string password_hash;  ///< Argon2id in its text form
  std::string description = {};
  bool enabled = true;  ///< else nobody logs in by it
  bool operator==(const User&) const = default;
};

inline GroupId group_id(std::string_view name) { return GroupId(fold_case(name)); }

/// Users that have permissions together.
struct Group {
  GroupId id;        ///< group_id(name)
  std::string name;  ///< as shown; matched without regard to case
  std::string description;
  bool operator==(const Group&) const = default;
};

/// A user of a group.
struct GroupMember {
  std::string name;  ///< of the user
  bool operator==(const GroupMember&) const = default;
};

/// Uses of a login within this time of the last one recorded are not recorded: a row written for each call would be a
/// waste. Logins live longer by it.
constexpr base::Duration login_access_granularity = std::chrono::seconds(10);

/// What makes a login an API token: a secret for pipelines, which stands for its user, can be limited to a part of what
/// that user may do, and lives until it expires or is removed.
struct ApiTokenScope {
  std::string name;                                      ///< for people; unique among those of the user
  std::optional<PrivilegeSet> privileges = {};           ///< unset: all that the user has
  std::optional<std::vector<LibraryId>> libraries = {};  ///< unset: everywhere; else on these and nowhere else
  std::optional<base::Time> expires = {};                ///< by the wall clock; unset: never
  bool operator==(const ApiTokenScope&) const = default;
};

/// A login, shared by all four wires (wire-protocols.md §3.6), or an API token.
struct LoginSession {
  LoginId id;
  std::string user;
  base::Time created;
  base::Time last_accessed;
  std::vector<std::string> groups = {};  ///< that the user has from outside (authenticator.h), besides the catalog's
  std::optional<ApiTokenScope> api_token = {};  ///< unset: a login
  bool operator==(const LoginSession&) const = default;
};

/// Where a call comes from and what it asks, as the audit trail tells it; nothing for the server's own work and for
/// transfers. Views of the registry and of the request, since few calls have anything to tell: they are good while the
/// call lasts, and whoever keeps a Caller for longer keeps it without them.
struct CallOrigin {
  std::string_view operation;     ///< `com.vmware.content.library.item.create`
  std::string_view address;       ///< of the client, as numbers; empty where there is none
  std::string_view operation_id;  ///< that the client gave the call, as sent (wire-protocols.md §2.2); empty for none
};

/// Who asks, and what they may do. Every service call takes one.
struct Caller {
  std::string user;
  LoginId login;
  std::shared_ptr<const Grants> grants = Grants::none();  ///< never null
  std::string api_token = {};                             ///< name of the one that the call was made with; else empty
  CallOrigin origin = {};
};

/// What a `client_token` made before (content-library-api.md §1.10, §28.1).
struct ClientToken {
  std::string user;
  std::string operation;  ///< `com.vmware.content.library.item.create`
  std::string token;
  std::string spec_digest;  ///< of the create spec; another spec under the same token is refused
  std::string result_id;
  base::Time created;
  bool operator==(const ClientToken&) const = default;
};

}  // namespace quire::content
