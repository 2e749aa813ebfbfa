#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/time.h"
#include "content/ids.h"

namespace quire::content {

/// Somebody who may log in.
struct User {
  std::string name;           ///< as shown, `administrator@vsphere.local`; matched without regard to case
  std::string password_hash;  ///< Argon2id in its text form
  bool administrator = false;
  bool operator==(const User&) const = default;
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
  bool operator==(const LoginSession&) const = default;
};

/// Who asks. Every service call takes one.
struct Caller {
  std::string user;
  LoginId login;
  bool administrator = false;
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
