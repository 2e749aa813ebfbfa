#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>

#include "content/address_policy.h"

namespace quire::adapters::curl {

/// Why the policy refuses `address`, as `127.0.0.1 is a loopback address`; nullopt when it is allowed.
std::optional<std::string> refusal_of(const content::AddressPolicy& policy, const sockaddr* address);

/// The same of the addresses that `host` has at this moment; nullopt also for a name that is not known here.
std::optional<std::string> refusal_of_host(const content::AddressPolicy& policy, const std::string& host);

}  // namespace quire::adapters::curl
