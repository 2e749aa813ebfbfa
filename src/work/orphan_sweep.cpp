#include "work/orphan_sweep.h"

#include <algorithm>
#include <vector>

namespace quire::work {
namespace {

constexpr std::size_t batch_blobs = 500;

using base::Result;
using content::BlobId;
using content::Storage;

Result<void> remove_unnamed(service::Context& context, const Storage& storage, const std::vector<BlobId>& batch,
                            SweepResult& result) {
  std::vector<BlobId> orphans;
  auto looked = context.catalog.read([&](content::CatalogReader& reader) -> Result<void> {
    orphans.clear();
    for (const auto& id : batch) {
      const auto blob = reader.blob(id);
      if (!blob || blob->storage != storage.id) orphans.push_back(id);
    }
    return {};
  });
  if (!looked) return looked;
  for (const auto& id : orphans)
    if (auto removed = storage.blobs->remove(id); !removed) return removed;
  result.blobs_seen += batch.size();
  result.orphans_removed += orphans.size();
  return {};
}

Result<void> sweep_storage(service::Context& context, const Storage& storage, SweepResult& result) {
  if (auto cleaned = storage.blobs->remove_unfinished(); !cleaned) return cleaned;
  std::vector<BlobId> all;
  if (auto listed = storage.blobs->list([&](const BlobId& id) { all.push_back(id); }); !listed) return listed;
  for (std::size_t from = 0; from < all.size(); from += batch_blobs) {
    const std::vector<BlobId> batch(
        all.begin() + static_cast<std::ptrdiff_t>(from),
        all.begin() + static_cast<std::ptrdiff_t>(std::min(from + batch_blobs, all.size())));
    if (auto removed = remove_unnamed(context, storage, batch, result); !removed) return removed;
  }
  return {};
}

}  // namespace

Result<SweepResult> sweep_orphans(service::Context& context) {
  SweepResult result;
  for (const auto& storage : context.storages.all())
    if (auto swept = sweep_storage(context, storage, result); !swept) return swept.error();
  return result;
}

}  // namespace quire::work
