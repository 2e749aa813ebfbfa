#pragma once

#include <vector>

#include "service/library/libraries.h"

/// Which storage a library is to have. Not for the layers above.
namespace quire::service {

struct Placement {
  content::StorageBacking backing;
  content::StorageId storage;
};

/// InvalidArgument unless the backing names its storage in the one way that its type has.
base::Result<void> check_complete(const content::StorageBacking& backing);

/// Which storage is meant. InvalidArgument: none, incomplete, or not one of this server's; Unsupported: several.
base::Result<Placement> place(const std::vector<content::StorageBacking>& backings, const content::Storages& storages);

/// The same of a create spec (§28 leaves it open; absent or empty: the default one, which is then reported).
base::Result<Placement> place(const LibrarySpec& spec, const content::Storages& storages);

/// InvalidArgument when `library` is to lie as files (`persist_json_enabled`) on `storage`, where none can.
base::Result<void> check_can_persist(const content::Library& library, const content::StorageId& storage,
                                     const content::Storages& storages);

}  // namespace quire::service
