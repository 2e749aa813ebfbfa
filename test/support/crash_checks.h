#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/service_world.h"

/// For tests in which the process dies (Faults::Kind::crash).
namespace quire::test_support {

/// Uploads that were running when the process died: their destructors belong to a process that is no more.
inline std::vector<std::shared_ptr<service::Upload>>& dead_uploads() {
  static auto* all = new std::vector<std::shared_ptr<service::Upload>>;
  return *all;
}

/// Sends `body` to an upload endpoint. Crash passes.
inline base::Result<void> transmit(
    ServiceWorld& world, const content::TransferToken& token, const std::string& body,
    const service::UploadRequest& request = service::UploadRequest::whole(std::nullopt)) {
  auto begun = world.uploads().begin(token, request, [] {});
  if (!begun.upload) return begun.refusal->error;
  try {
    if (auto taken = begun.upload->append(bytes_of(body)); !taken) return taken;
    const auto finished = begun.upload->finish(service::BodyEnd::whole);
    return finished ? base::Result<void>() : finished.error();
  } catch (const Crash&) {
    dead_uploads().push_back(std::move(begun.upload));
    throw;
  }
}

/// What lies on the disk is what the catalog names.
inline void check_bytes(ServiceWorld& world) {
  EXPECT_EQ(world.blobs_on_disk(), world.blobs_in_catalog());
  const auto begun = world.look([](content::CatalogReader& reader) {
    std::size_t count = 0;
    for (const auto& session : reader.active_update_sessions_after(content::UpdateSessionId(), 1000))
      for (const auto& file : reader.list<content::SessionFile>(session)) count += file.unfinished ? 1 : 0;
    return count;
  });
  EXPECT_EQ(world.files_on_disk(), world.blobs_in_catalog().size() + begun);
}

/// A quota that nobody reaches, so that the catalog keeps what the items use that alice made.
inline void keep_use(ServiceWorld& world) {
  world.change([](content::CatalogWriter& writer) {
    const auto owner = content::QuotaOwner::of_user(alice().user);
    writer.put(content::Quota{owner.kind, owner.name, 1 << 30, 1 << 30, 0, 0, 0});
  });
}

/// What the catalog keeps is what one finds by counting.
inline void check_use(ServiceWorld& world) {
  world.look([](content::CatalogReader& reader) {
    for (const auto& quota : reader.quotas(content::QuotaKind::USER)) {
      const auto counted = reader.use_of(quota.of());
      EXPECT_EQ(quota.items, counted.items);
      EXPECT_EQ(quota.bytes, counted.bytes);
      EXPECT_EQ(quota.reserved, counted.reserved);
    }
    return true;
  });
}

}  // namespace quire::test_support
