#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "content/received_ranges.h"
#include "service/transaction/context.h"

/// Where the bytes of blobs lie: in the catalog when they are few, else in the blob store of their storage.
namespace quire::service {

/// Bytes that have arrived and whose row is to be inserted: durable in their storage, or in memory here.
struct ArrivedBlob {
  content::Blob blob;
  std::vector<std::byte> bytes = {};  ///< all of them when the blob is `in_catalog`, else none
};

/// Outside of transactions: opens a blob for reading. NotFound when it has been removed meanwhile.
base::Result<std::unique_ptr<content::BlobReader>> open_blob(Context& context, const content::Blob& blob);

/// Outside of transactions: afterwards those of `blobs` that still are there are files of their storages, as they must
/// be for whoever is told their place there.
base::Result<void> move_to_storage(Context& context, const std::vector<content::Blob>& blobs);

/// Outside of transactions: writes what `from` has as the blob `id` of `storage`, durably. The row that may now name
/// it.
base::Result<content::Blob> copy_blob(content::BlobReader& from, content::BlobId id, const content::Storage& storage);

/// All bytes of a blob that has `size` of them. Internal when it is shorter.
base::Result<std::vector<std::byte>> read_all(content::BlobReader& reader, std::int64_t size);

/// Reads `range` piece by piece and gives each to `take`, with what keeps it in memory for as long as somebody holds
/// it. Internal when the blob is shorter; errors of `take` are handed on.
base::Result<void> read_through(
    content::BlobReader& reader, content::ByteRange range,
    const std::function<base::Result<void>(std::span<const std::byte>, std::shared_ptr<const void>)>& take);

}  // namespace quire::service
