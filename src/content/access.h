#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
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

/// A login, shared by all four wires (wire-protocols.md §3.6).
struct LoginSession {
  LoginId id;
  std::string user;
  base::Time created;
  base::Time last_accessed;
  std::vector<std::string> groups = {};  ///< that the user has from outside (authenticator.h), besides the catalog's
  bool operator==(const LoginSession&) const = default;
};

/// Who asks, and what they may do. Every service call takes one.
struct Caller {
  std::string user;
  LoginId login;
  std::shared_ptr<const Grants> grants = Grants::none();  ///< never null
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
