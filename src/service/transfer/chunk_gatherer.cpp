#include "service/transfer/chunk_gatherer.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace quire::service {
namespace {

constexpr std::size_t page_bytes = 4096;

struct FreeMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<std::byte, FreeMemory>;

}  // namespace

/// Fresh memory has to be cleared page by page, which costs as much as filling it.
class ChunkGatherer::Spare : public std::enable_shared_from_this<Spare> {
 public:
  std::shared_ptr<std::byte> take() {
    Memory memory;
    {
      const std::lock_guard lock(mutex_);
      if (!all_.empty()) {
        memory = std::move(all_.back());
        all_.pop_back();
      }
    }
    if (!memory) memory.reset(static_cast<std::byte*>(std::aligned_alloc(page_bytes, chunk_bytes)));
    if (!memory) throw std::bad_alloc();
    auto* const bytes = memory.get();
    return {memory.release(), [spare = shared_from_this(), bytes](std::byte*) { spare->put_back(Memory(bytes)); }};
  }

 private:
  void put_back(Memory memory) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(memory));
  }

  std::mutex mutex_;
  std::vector<Memory> all_;
};

ChunkGatherer::ChunkGatherer(Take take) : take_(std::move(take)), spare_(std::make_shared<Spare>()) {}

base::Result<void> ChunkGatherer::add(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (!chunk_) chunk_ = spare_->take();
    const auto part = bytes.first(std::min(bytes.size(), chunk_bytes - filled_));
    std::ranges::copy(part, chunk_.get() + filled_);
    filled_ += part.size();
    bytes = bytes.subspan(part.size());
    if (filled_ == chunk_bytes) QUIRE_RETURN_IF_ERROR(flush());
  }
  return {};
}

base::Result<void> ChunkGatherer::flush() {
  if (filled_ == 0) return {};
  const auto chunk = std::exchange(chunk_, nullptr);
  return take_({chunk.get(), std::exchange(filled_, 0)}, chunk);
}

}  // namespace quire::service
