#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/objects/segment.h"
#include "base/result.h"

namespace quire::adapters::objects {

/// What a committed blob consists of: its object `index`.
///
///     <SHA-256 of all that follows the line's end, in lower-case hexadecimal>
///     {"format":1,"size":<bytes>,"segments":[{"object":"<name>","bytes":<of the object>,"offset":…,"length":…},…]}
///
/// The segments stand in the order of the bytes and leave no gap. A segment's SHA-256 is part of its name.
struct BlobIndex {
  std::int64_t size = 0;
  std::vector<Extent> extents;
};

std::string text_of(const BlobIndex& index);

/// InternalServerError, whose cause says why, when these are not the bytes that text_of() made, or of a later format.
base::Result<BlobIndex> blob_index_of(std::string_view text);

}  // namespace quire::adapters::objects
