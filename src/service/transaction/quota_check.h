#pragma once

#include "service/transaction/transaction.h"

/// What a change is told by which somebody would use more than a quota allows. write() checks every change at its end,
/// so whoever reserves, creates or copies need not.
namespace quire::service {

/// UnableToAllocateResource: whose quota, its limit, what is used, and what to do.
base::Error quota_full(View view, const content::ExceededQuota& exceeded);

/// Whether `error` is a quota_full(): other than of a full disk, waiting does not help.
bool is_quota_full(const base::Error& error);

}  // namespace quire::service
