#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

/// How passwords are stored: Argon2id with the OWASP minimum of 19 MiB and two passes, so that logins do not push the
/// server's memory around. Blocking, some tens of milliseconds. All threads may call it.
namespace quire::service {

/// InternalServerError when there is no memory. `password` must not be empty.
base::Result<std::string> hash_of_password(std::string_view password);
bool is_password_of(const std::string& hash, std::string_view password);

}  // namespace quire::service
