#pragma once

#include "golden/bindings.h"

namespace quire::golden {

/// What belongs to one binding alone: where its requests may differ and how it refuses what is no request of its own
/// (content-library-api.md §1.7, §1.8.4, §28.4).
void legacy_rest_transport(Client& client);
void new_rest_transport(Client& client);
void json_rpc_transport(Client& client);

}  // namespace quire::golden
