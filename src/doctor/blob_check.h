#pragma once

#include <functional>
#include <optional>

#include "base/result.h"
#include "content/blob_store.h"
#include "content/item.h"

namespace quire::doctor {

/// What can be wrong with the bytes of a blob.
QUIRE_ENUM(BlobDamage, MISSING, UNREADABLE, CUT, LONGER, CHANGED)

/// Called with the number of bytes that have been read since the last call; false ends the reading.
using ReadProgress = std::function<bool(std::int64_t)>;

/// Whether the bytes of `blob`, which lie on a storage, are there and as long as the catalog says.
std::optional<BlobDamage> check_size(content::BlobStore& blobs, const content::Blob& blob);

/// And whether they have the digest that the catalog knows: reads all of them, with memory that does not depend on
/// their size. nullopt too when `progress` ended the reading.
std::optional<BlobDamage> check_digest(content::BlobStore& blobs, const content::Blob& blob,
                                       const ReadProgress& progress);

}  // namespace quire::doctor
