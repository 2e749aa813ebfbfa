#pragma once

#include "service/transaction/transaction.h"

/// What an operation looks at before it changes something of a library.
namespace quire::service {

inline constexpr auto library_service = "com.vmware.content.library";

/// An Error of this kind while the library is in maintenance: nothing then changes its items, or it
/// (content-library-api.md §4.1).
base::Result<void> check_in_service(const content::Library& library,
                                    base::ErrorKind kind = base::ErrorKind::not_allowed_in_current_state);

/// A library of the type that an operation is for. Errors as find_library(); InvalidElementType for the other type.
base::Result<content::Library> find_local_library(View view, const content::LibraryId& id,
                                                  content::Privilege privilege);
base::Result<content::Library> find_subscribed_library(View view, const content::LibraryId& id,
                                                       content::Privilege privilege);

/// NotAllowedInCurrentState when something uses the library (§20).
base::Result<void> check_unused(View view, const content::Library& library);

}  // namespace quire::service
