#pragma once

#include "service/transaction/transaction.h"

/// What a call names by its identifier, for a caller who needs a privilege on it: whoever finds says which. What the
/// caller may not read does not exist (NotFound); what may be read, but not so used, is Unauthorized, with the
/// privilege (content-library-api.md §1.9, §28.4). Inside a transaction.
namespace quire::service {

base::Result<content::Item> find_item(View view, const content::ItemId& id, content::Privilege privilege);
base::Result<content::Library> find_library(View view, const content::LibraryId& id, content::Privilege privilege);

/// The library of an item that was found before.
base::Result<content::Library> library_of(View view, const content::Item& item);

/// Unauthorized unless the caller holds the privilege on an item that is known otherwise: by its session.
base::Result<void> check_privilege(const content::Caller& caller, const content::Item& item,
                                   content::Privilege privilege);
/// Unauthorized unless the caller holds the privilege on the root. Needs no transaction.
base::Result<void> check_privilege(const content::Caller& caller, content::Privilege privilege);
/// `object` as the message names it.
base::Error unauthorized(const content::Caller& caller, content::Privilege privilege, const std::string& object);

/// The caller may do everything with what is in the library: administrators may use others' sessions (§28.1).
bool is_administrator_of(const content::Caller& caller, const content::LibraryId& library);

}  // namespace quire::service
