#pragma once

#include "golden/bindings.h"

namespace quire::golden {

/// Subscribed libraries and their items, from probing a publisher to converting (content-library-api.md §6, §18), with
/// our own operations on them.
void walk_through_subscribed_libraries(Client& client);

}  // namespace quire::golden
