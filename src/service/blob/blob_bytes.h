#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "content/received_ranges.h"
#include "service/transaction/transaction.h"

/// Where the bytes of blobs lie: in the catalog when they are few, else in the blob store of their storage.
namespace quire::service {

/// Bytes that have arrived and whose row is to be inserted: durable in their storage, or in memory here.
struct ArrivedBlob {
  content::Blob blob;
  std::vector<std::byte> bytes = {};  ///< all of them when the blob is `in_catalog`, else none
};

/// Names arrived bytes, or the same bytes where they are on that storage already; then the arrived ones go.
content::BlobId adopt(Transaction& t, const ArrivedBlob& arrived);

/// Outside of transactions: opens a blob for reading. NotFound when it has been removed meanwhile.
base::Result<std::unique_ptr<content::BlobReader>> open_blob(Context& context, const content::Blob& blob);

/// Outside of transactions: opens the blobs that `look` finds in the catalog, and looks again when one of them has
/// moved to another storage in between (NotFound). What `open` returned last, or the Error of `look`.
template <class Look, class Open>
auto open_found(Look look, Open open) -> decltype(open(*std::declval<decltype(look())&>())) {
  constexpr int moves_max = 5;
  for (int moves = 0;; ++moves) {
    auto found = look();
    if (!found) return found.error();
    auto opened = open(*found);
    if (opened || opened.error().kind() != base::ErrorKind::not_found || moves == moves_max) return opened;
  }
}

/// Outside of transactions: afterwards those of `blobs` that still are there are files of their storages, as they must
/// be for whoever is told their place there.
base::Result<void> move_to_storage(Context& context, const std::vector<content::Blob>& blobs);

/// Outside of transactions: writes what `from` has as the blob `id` of `storage`, durably. The row that may now name
/// it. `on_progress` is told how many bytes there are so far; its Error ends the copying, and nothing stays.
using CopyProgress = std::function<base::Result<void>(std::int64_t bytes)>;
base::Result<content::Blob> copy_blob(content::BlobReader& from, content::BlobId id, const content::Storage& storage,
                                      const CopyProgress& on_progress = {});

/// All bytes of a blob that has `size` of them. Internal when it is shorter.
base::Result<std::vector<std::byte>> read_all(content::BlobReader& reader, std::int64_t size);

/// Reads `range` piece by piece and gives each to `take`, with what keeps it in memory for as long as somebody holds
/// it. Internal when the blob is shorter; errors of `take` are handed on.
base::Result<void> read_through(
    content::BlobReader& reader, content::ByteRange range,
    const std::function<base::Result<void>(std::span<const std::byte>, std::shared_ptr<const void>)>& take);

}  // namespace quire::service
