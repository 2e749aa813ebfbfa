#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "service/blob/blob_bytes.h"
#include "service/transaction/transaction.h"

/// Bytes that are to lie on another storage as well.
namespace quire::service {

/// Outside of transactions: copies the bytes of `blob` to `target`, as a blob of its own that a transaction may
/// adopt(). Error: the blob is damaged, its copy would have another SHA-256; nothing stays. NotFound when it has been
/// removed meanwhile. Errors of `on_progress` as copy_blob().
base::Result<ArrivedBlob> copy_of(Context& context, const content::Blob& blob, const content::Storage& target,
                                  const CopyProgress& on_progress = {});

/// `failure` of copy_of() came because the catalog has no such blob any more: it was let go, or lies elsewhere as
/// another one.
bool is_blob_gone(Context& context, const base::Error& failure, const content::Blob& blob);

/// Files for a copy of a set, as far as their bytes lie on one storage.
struct PlacedFiles {
  /// All of them: the first of their names, each with a blob of that storage that has its bytes, unless it is missing.
  std::vector<content::ContentFile> files;
  std::map<content::BlobId, content::Blob> missing;  ///< blobs whose bytes are not on that storage
  std::int64_t bytes = 0;                            ///< of all blobs that are named, each once
  std::int64_t missing_bytes() const;
};
PlacedFiles place_files(View view, const std::vector<content::ContentFile>& files, const content::StorageId& storage);

}  // namespace quire::service
