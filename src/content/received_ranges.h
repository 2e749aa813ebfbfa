#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quire::content {

/// Bytes `first` up to, not including, `end` of a file.
struct ByteRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - first; }
  bool operator==(const ByteRange&) const = default;
};

/// Which bytes of a file have arrived, in whatever order.
class ReceivedRanges {
 public:
  ReceivedRanges() = default;

  /// Empty ranges change nothing.
  void add(ByteRange range);
  void remove(ByteRange range);

  /// How many bytes from the start are there without a gap.
  std::int64_t prefix() const;
  std::int64_t bytes() const;  ///< of all ranges
  std::int64_t end() const;    ///< behind the last byte that is there; 0 when there is none
  /// True when every byte of `range` is there.
  bool contains(ByteRange range) const;
  /// The first part of `range` of which either every byte or none is there.
  ByteRange uniform_part(ByteRange range) const;
  /// Disjoint, with gaps between them, in order.
  const std::vector<ByteRange>& ranges() const { return ranges_; }
  bool operator==(const ReceivedRanges&) const = default;

 private:
  std::vector<ByteRange> ranges_;
};

}  // namespace quire::content
