#pragma once

#include <string_view>

namespace quire::content {

/// Whether a blob may have this identifier (BlobStore::create): 3 to 64 of 0-9, a-f and -, two digits first, so that
/// it can name a file and its beginning a folder.
bool is_blob_name(std::string_view id);

}  // namespace quire::content
