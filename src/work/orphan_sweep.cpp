#include "work/orphan_sweep.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace quire::work {
namespace {

constexpr std::size_t batch_blobs = 500;
constexpr std::size_t batch_sessions = 100;

using base::Result;
using content::BlobId;
using content::Storage;

Result<void> remove_unnamed(service::Context& context, const Storage& storage, const std::vector<BlobId>& batch,
                            const std::unordered_set<BlobId>& resumable, SweepResult& result) {
  std::vector<BlobId> orphans;
  auto looked = context.catalog.read([&](content::CatalogReader& reader) -> Result<void> {
    orphans.clear();
    for (const auto& id : batch) {
      const auto blob = reader.find<content::Blob>(id);
      if (!blob || blob->storage != storage.id || blob->in_catalog) orphans.push_back(id);
    }
    return {};
  });
  if (!looked) return looked;
  for (const auto& id : orphans) {
    // A crash came between the commit of a file that had arrived in parts and its row: its parts count.
    const bool parts = resumable.contains(id);
    if (auto done = parts ? storage.blobs->reopen(id) : storage.blobs->remove(id); !done) return done;
  }
  result.blobs_seen += batch.size();
  result.orphans_removed += orphans.size();
  return {};
}

/// Blobs that uploads to ACTIVE sessions can go on with.
Result<std::unordered_set<BlobId>> resumable_blobs(service::Context& context) {
  std::unordered_set<BlobId> all;
  content::UpdateSessionId after;
  for (bool more = true; more;) {
    auto looked = context.catalog.read([&](content::CatalogReader& reader) -> Result<void> {
      const auto sessions = reader.active_update_sessions_after(after, batch_sessions);
      more = !sessions.empty();
      if (more) after = sessions.back();
      for (const auto& session : sessions)
        for (const auto& file : reader.list<content::SessionFile>(session))
          if (file.unfinished) all.insert(file.unfinished->blob);
      return {};
    });
    if (!looked) return looked.error();
  }
  return all;
}

Result<void> sweep_storage(service::Context& context, const Storage& storage,
                           const std::unordered_set<BlobId>& resumable, SweepResult& result) {
  const auto keeps = [&](const BlobId& id) { return resumable.contains(id); };
  if (auto cleaned = storage.blobs->remove_unfinished(keeps); !cleaned) return cleaned;
  std::vector<BlobId> all;
  if (auto listed = storage.blobs->list([&](const BlobId& id) { all.push_back(id); }); !listed) return listed;
  for (std::size_t from = 0; from < all.size(); from += batch_blobs) {
    const std::vector<BlobId> batch(
        all.begin() + static_cast<std::ptrdiff_t>(from),
        all.begin() + static_cast<std::ptrdiff_t>(std::min(from + batch_blobs, all.size())));
    if (auto removed = remove_unnamed(context, storage, batch, resumable, result); !removed) return removed;
  }
  return {};
}

}  // namespace

Result<SweepResult> sweep_orphans(service::Context& context) {
  SweepResult result;
  QUIRE_ASSIGN_OR_RETURN(const auto resumable, resumable_blobs(context));
  for (const auto& storage : context.storages.all())
    QUIRE_RETURN_IF_ERROR(sweep_storage(context, storage, resumable, result));
  return result;
}

}  // namespace quire::work
