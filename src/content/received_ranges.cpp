#include "content/received_ranges.h"

#include <algorithm>

namespace quire::content {
namespace {

/// The first range that ends behind `position`.
auto behind(const std::vector<ByteRange>& ranges, std::int64_t position) {
  return std::upper_bound(ranges.begin(), ranges.end(), position,
                          [](std::int64_t at, const ByteRange& range) { return at < range.end; });
}

}  // namespace

void ReceivedRanges::add(ByteRange range) {
  if (range.size() <= 0) return;
  std::vector<ByteRange> all;
  all.reserve(ranges_.size() + 1);
  bool placed = false;
  for (const auto& other : ranges_) {
    if (other.end < range.first) {
      all.push_back(other);
    } else if (range.end < other.first) {
      if (!placed) all.push_back(range);
      placed = true;
      all.push_back(other);
    } else {  // they touch
      range = {std::min(range.first, other.first), std::max(range.end, other.end)};
    }
  }
  if (!placed) all.push_back(range);
  ranges_ = std::move(all);
}

void ReceivedRanges::remove(ByteRange range) {
  if (range.size() <= 0) return;
  std::vector<ByteRange> all;
  all.reserve(ranges_.size() + 1);
  for (const auto& other : ranges_) {
    const ByteRange before{other.first, std::min(other.end, range.first)};
    const ByteRange after{std::max(other.first, range.end), other.end};
    if (before.size() > 0) all.push_back(before);
    if (after.size() > 0) all.push_back(after);
  }
  ranges_ = std::move(all);
}

std::int64_t ReceivedRanges::prefix() const {
  return !ranges_.empty() && ranges_.front().first == 0 ? ranges_.front().end : 0;
}

std::int64_t ReceivedRanges::bytes() const {
  std::int64_t sum = 0;
  for (const auto& range : ranges_) sum += range.size();
  return sum;
}

std::int64_t ReceivedRanges::end() const { return ranges_.empty() ? 0 : ranges_.back().end; }

bool ReceivedRanges::contains(ByteRange range) const {
  if (range.size() <= 0) return true;
  const auto found = behind(ranges_, range.first);
  return found != ranges_.end() && found->first <= range.first && range.end <= found->end;
}

ByteRange ReceivedRanges::uniform_part(ByteRange range) const {
  const auto found = behind(ranges_, range.first);
  if (found == ranges_.end()) return range;
  const auto border = found->first <= range.first ? found->end : found->first;
  return {range.first, std::min(border, range.end)};
}

}  // namespace quire::content
