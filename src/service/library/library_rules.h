#pragma once

#include "service/transaction/transaction.h"

/// What an operation looks at before it changes something of a library.
namespace quire::service {

inline constexpr auto library_service = "com.vmware.content.library";

/// An Error of this kind while the library is in maintenance: nothing then changes its items, or it
/// (content-library-api.md §4.1).
base::Result<void> check_in_service(const content::Library& library,
                                    base::ErrorKind kind = base::ErrorKind::not_allowed_in_current_state);

/// NotAllowedInCurrentState when something uses the library (§20).
base::Result<void> check_unused(View view, const content::Library& library);

}  // namespace quire::service
