#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "service/transaction/context.h"

/// How passwords are stored: as digests of Argon2id, whose text form tells their cost. Making and comparing one is slow
/// on purpose, and blocks. All threads may call it.
namespace quire::service {

/// InternalServerError when there is no memory. `password` must not be empty.
base::Result<std::string> hash_of_password(std::string_view password, const PasswordCost& cost);
/// By what `hash` itself costs.
bool is_password_of(const std::string& hash, std::string_view password);
/// False for digests made at another cost.
bool has_cost(std::string_view hash, const PasswordCost& cost);

}  // namespace quire::service
