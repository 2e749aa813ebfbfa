#pragma once

#include "golden/bindings.h"

namespace quire::golden {

/// Subscriptions of a published library, on this server and on another, and telling them (content-library-api.md §7, §5
/// publish).
void walk_through_subscriptions(Client& client);

}  // namespace quire::golden
