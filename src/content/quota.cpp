#include "content/quota.h"

#include <algorithm>

namespace quire::content {

std::int64_t reserved_bytes(const SessionFile& file) {
  if (!file.keep_in_storage) return 0;
  if (file.source_type == SourceType::NONE && file.archive.empty()) return 0;
  // An archive that has been unpacked names no blob.
  if (file.status == TransferStatus::READY) return file.blob.empty() ? 0 : file.size.value_or(0);
  auto bytes = std::max(file.reserved, file.declared_size.value_or(0));
  if (file.unfinished)
    bytes = std::max({bytes, file.unfinished->length.value_or(0), file.unfinished->received.bytes()});
  return bytes;
}

}  // namespace quire::content
