#include "service/blob/blob_copy.h"

#include <numeric>
#include <set>

namespace quire::service {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Blob;

namespace {

Error damaged(const Blob& blob) {
  return {ErrorKind::error,
          "quire.blob.damaged",
          "Blob {blob} on storage {storage} is damaged: its bytes are no longer those that were uploaded. Restore it "
          "from a backup, or upload its file again.",
          {{"blob", blob.id.text()}, {"storage", blob.storage.text()}}};
}

}  // namespace

Result<ArrivedBlob> copy_of(Context& context, const Blob& blob, const content::Storage& target,
                            const CopyProgress& on_progress) {
  const auto opened = open_blob(context, blob);
  if (!opened) {
    if (opened.error().kind() != ErrorKind::not_found || is_blob_gone(context, opened.error(), blob))
      return opened.error();
    return damaged(blob).with_cause("its file is gone");
  }
  const auto& reader = *opened;
  if (reader->size() != blob.size) return damaged(blob);
  content::BlobId id(context.identities.uuid());
  if (blob.size <= context.limits.catalog_blob_bytes_max) {
    QUIRE_ASSIGN_OR_RETURN(auto bytes, read_all(*reader, blob.size));
    if (base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex != blob.sha256) return damaged(blob);
    return ArrivedBlob{{std::move(id), target.id, blob.size, blob.sha256, true}, std::move(bytes)};
  }
  QUIRE_ASSIGN_OR_RETURN(auto copy, copy_blob(*reader, std::move(id), target, on_progress));
  if (copy.sha256 == blob.sha256) return ArrivedBlob{std::move(copy)};
  remove_bytes(context, {copy});
  return damaged(blob);
}

bool is_blob_gone(Context& context, const Error& failure, const Blob& blob) {
  if (failure.kind() != ErrorKind::not_found) return false;
  const auto found = context.catalog.read(
      [&](content::CatalogReader& reader) -> Result<bool> { return reader.find<Blob>(blob.id).has_value(); });
  return found && !*found;
}

std::int64_t PlacedFiles::missing_bytes() const {
  return std::accumulate(missing.begin(), missing.end(), std::int64_t{0},
                         [](std::int64_t sum, const auto& entry) { return sum + entry.second.size; });
}

PlacedFiles place_files(View view, const std::vector<content::ContentFile>& files, const content::StorageId& storage) {
  PlacedFiles placed{files, {}, 0};
  std::set<content::BlobId> seen;
  for (auto& file : placed.files) {
    file.version = 1;
    const auto blob = view->find<Blob>(file.blob);
    if (!blob)
      throw content::CatalogFailure(base::internal_error("file " + file.name + " names no blob that is there"));
    if (seen.insert(blob->id).second) placed.bytes += blob->size;
    if (blob->storage == storage) continue;
    if (const auto same = view->blob_with(storage, blob->sha256, blob->size))
      file.blob = same->id;
    else
      placed.missing.emplace(blob->id, *blob);
  }
  return placed;
}

}  // namespace quire::service
