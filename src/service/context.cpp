#include "service/context.h"

#include "base/digest.h"
#include "base/log.h"
#include "service/transaction.h"

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
  std::vector<content::Blob> unnamed;
  const auto looked = context.catalog.write([&](content::CatalogWriter& writer) -> base::Result<void> {
    std::vector<content::BlobId> absent;
    for (const auto& blob : blobs) {
      if (writer.find<content::Blob>(blob.id)) continue;
      // A row of the same key waits for a commit that is still under way, and then collides with it.
      writer.insert(blob);
      absent.push_back(blob.id);
    }
    unnamed = writer.remove_unreferenced_blobs(absent);
    return {};
  });
  if (looked)
    remove_bytes(context, unnamed);
  else
    spdlog::warn("Received bytes whose fate is unknown are left to the sweep: {}", looked.error().cause());
}

base::Result<void> check_room_to_grow(const Context& context) {
  if (context.has_room_to_grow()) return {};
  return Error(
      ErrorKind::unable_to_allocate_resource, "quire.catalog.no_room_to_grow",
      "The disk that holds the server's catalog is full, so nothing new can begin. Delete content or free space "
      "on it, then try again.");
}

base::Result<std::string> create_once(Context& context, content::CatalogWriter& writer, const content::Caller& caller,
                                      std::string_view operation, const std::optional<std::string>& client_token,
                                      std::string_view digest,
                                      const std::function<base::Result<std::string>()>& create) {
  if (!client_token) return create();
  if (!base::looks_like_uuid(*client_token))
    return Error(ErrorKind::invalid_argument, "quire.client_token.malformed",
                 "The client token {client_token} is not a UUID; send a fresh UUID for each creation.",
                 {{"client_token", *client_token}});
  if (const auto before = writer.find<content::ClientToken>({caller.user, operation, *client_token})) {
    if (before->spec_digest == digest) return before->result_id;
    return Error(ErrorKind::invalid_argument, "quire.client_token.other_spec",
                 "The client token {client_token} was sent before with another specification; use a fresh UUID.",
                 {{"client_token", *client_token}});
  }
  auto id = create();
  if (id)
    writer.insert(content::ClientToken{caller.user, std::string(operation), *client_token, std::string(digest), *id,
                                       context.leases.now()});
  return id;
}

base::Result<std::string> create_once(Transaction& t, std::string_view operation,
                                      const std::optional<std::string>& client_token, std::string_view digest,
                                      const std::function<base::Result<std::string>()>& create) {
  return create_once(t.context(), t.catalog(), t.caller(), operation, client_token, digest, create);
}

std::string spec_digest(const std::vector<std::optional<std::string>>& parts) {
  base::Hasher hasher(base::DigestAlgorithm::SHA256);
  const auto add = [&](std::string_view text) { hasher.update(std::as_bytes(std::span(text))); };
  for (const auto& part : parts) {
    if (!part) {
      add("-;");
    } else {
      add(std::to_string(part->size()) + ":");
      add(*part);
    }
  }
  return hasher.finish().hex;
}

}  // namespace quire::service
