#pragma once

#include "service/transaction/context.h"

/// Attempts that were refused, for the audit trail.
namespace quire::service {

/// Why what `error` tells was not done: a login that failed, a missing privilege, or an object that the caller may not
/// see, though it is there. Everything else is no refusal: a wrong value, a busy item, a token that has expired.
bool is_refusal(const base::Error& error);

/// The NotFound of an object that is there, but not for this caller: to the client the same as any other.
base::Error hidden(const base::Error& not_found);

/// Stores `login.refused` or `call.refused`, in a transaction of its own; not more than RefusalRate lets through, and
/// none while the catalog has no room to grow. The log tells of what is not stored.
void record_refusal(Context& context, const content::Caller& caller, const base::Error& error);

}  // namespace quire::service
