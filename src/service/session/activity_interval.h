#pragma once

#include "service/session/session_access.h"

namespace quire::service {

/// How often whoever moves bytes must tell of them, so that a session never expires early: a small part of what it is
/// promised beyond its time-out, because what came since the last time is not recorded yet.
inline base::Duration activity_interval(base::Duration timeout) { return expiration_slack(timeout) / 4; }

}  // namespace quire::service
