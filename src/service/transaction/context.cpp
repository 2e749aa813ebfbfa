#include "service/transaction/context.h"

#include "base/log.h"
#include "service/transaction/transaction.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;

void remove_bytes(Context& context, const std::vector<content::Blob>& blobs) {
  for (const auto& blob : blobs) {
    if (blob.in_catalog) continue;  // gone with the row
    const auto* storage = context.storages.find(blob.storage);
    if (storage == nullptr) continue;  // a storage that was taken out of the configuration keeps its bytes
    if (const auto removed = storage->blobs->remove(blob.id); !removed)
      spdlog::warn("Blob {} of storage {} could not be removed and is left to the sweep: {}", blob.id.text(),
                   storage->name, removed.error().cause());
  }
}

void remove_bytes_after_failure(Context& context, const Error& failure, const std::vector<content::Blob>& blobs) {
  if (failure.kind() != ErrorKind::internal_server_error && failure.kind() != ErrorKind::service_unavailable) {
    remove_bytes(context, blobs);
    return;
  }
  const auto released = write(context, system_caller("uploads"), [&](Transaction& t) -> base::Result<void> {
    std::vector<content::BlobId> absent;
    for (const auto& blob : blobs) {
      if (t->find<content::Blob>(blob.id)) continue;
      // A row of the same key waits for a commit that is still under way, and then collides with it.
      t->insert(blob);
      absent.push_back(blob.id);
    }
    t.release(absent);
    return {};
  });
  if (!released)
    spdlog::warn("Received bytes whose fate is unknown are left to the sweep: {}", released.error().cause());
}

base::Result<void> check_room_to_grow(const Context& context) {
  if (context.has_room_to_grow()) return {};
  return Error(
      ErrorKind::unable_to_allocate_resource, "quire.catalog.no_room_to_grow",
      "The disk that holds the server's catalog is full, so nothing new can begin. Delete content or free space "
      "on it, then try again.");
}

}  // namespace quire::service
