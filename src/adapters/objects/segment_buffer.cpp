#include "adapters/objects/segment_buffer.h"

#include <sys/mman.h>

#include "base/check.h"

namespace quire::adapters::objects {

SegmentBuffer::SegmentBuffer(std::size_t size) {
  if (size == 0) return;
  void* const memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  QUIRE_CHECK(memory != MAP_FAILED);
  bytes_ = {static_cast<std::byte*>(memory), size};
}

SegmentBuffer::~SegmentBuffer() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace quire::adapters::objects
