#pragma once

#include <cstddef>
#include <span>
#include <utility>

namespace quire::adapters::objects {

/// Memory for the bytes of one segment. Only pages that have been written to are really there, so a large buffer that
/// holds little costs little; and all of it goes back to the system at the end, whatever malloc likes to keep.
class SegmentBuffer {
 public:
  SegmentBuffer() = default;
  /// Ends the process when the system has not even the addresses.
  explicit SegmentBuffer(std::size_t size);
  ~SegmentBuffer();
  SegmentBuffer(SegmentBuffer&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SegmentBuffer& operator=(SegmentBuffer&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

}  // namespace quire::adapters::objects
