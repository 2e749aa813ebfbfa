#pragma once

#include <vector>

#include "wire/soap/soap_methods.h"

/// Roles and permissions as vSphere's AuthorizationManager has them. Permissions are told of the root folder, which
/// stands for the root; those on single libraries, which are no managed entities, are told without an entity, and
/// changed by `com.quire.access.permissions` only.
namespace quire::wire {

inline const vim::Reference authorization_manager{"AuthorizationManager", "AuthorizationManager"};

/// With the roles, which are looked up.
vim::Answer<vim::ManagedObject> authorization_manager_object(const SoapCall& call);

const std::vector<SoapMethod>& authorization_methods();

}  // namespace quire::wire
