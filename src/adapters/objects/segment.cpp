#include "adapters/objects/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/digest.h"
#include "content/blob_name.h"

namespace quire::adapters::objects {
namespace {

constexpr std::size_t number_digits = 16;
constexpr std::string_view lower_hex_digits = "0123456789abcdef";

bool is_lower_hex(std::string_view text) { return text.find_first_not_of(lower_hex_digits) == std::string_view::npos; }

std::uint64_t number_of(std::string_view digits) {
  constexpr int hexadecimal = 16;
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number, hexadecimal);
  return number;
}

}  // namespace

std::string Segment::name() const { return fmt::format("{:016x}-{:016x}-{}", first, order, sha256); }

std::optional<Segment> segment_of(std::string_view name, std::int64_t size) {
  constexpr std::size_t second = number_digits + 1;
  constexpr std::size_t third = 2 * second;
  if (size < 0 || name.size() != third + base::hex_length(base::DigestAlgorithm::SHA256)) return std::nullopt;
  if (name[number_digits] != '-' || name[second + number_digits] != '-') return std::nullopt;
  const auto first = name.substr(0, number_digits);
  const auto order = name.substr(second, number_digits);
  const auto sha256 = name.substr(third);
  if (!is_lower_hex(first) || !is_lower_hex(order) || !is_lower_hex(sha256)) return std::nullopt;
  const auto position = number_of(first);
  if (position > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() - size)) return std::nullopt;
  return Segment{static_cast<std::int64_t>(position), size, number_of(order), std::string(sha256)};
}

std::vector<Extent> compose(std::vector<Segment> segments, std::int64_t end) {
  std::ranges::sort(segments, {}, &Segment::order);
  std::map<std::int64_t, Extent> all;  // by position, never overlapping
  for (auto& segment : segments) {
    const std::int64_t first = segment.first;
    const std::int64_t behind = std::min(segment.end(), end);
    if (behind <= first) continue;
    auto next = all.lower_bound(first);
    if (next != all.begin()) {
      auto& before = std::prev(next)->second;
      if (before.end() > behind) {  // it goes on behind the new one
        Extent rest = before;
        rest.offset = behind - rest.segment.first;
        rest.length = before.end() - behind;
        next = all.emplace(behind, std::move(rest)).first;
      }
      before.length = std::min(before.end(), first) - before.first();
    }
    while (next != all.end() && next->second.end() <= behind) next = all.erase(next);
    if (next != all.end() && next->first < behind) {
      Extent rest = std::move(next->second);
      rest.length = rest.end() - behind;
      rest.offset = behind - rest.segment.first;
      all.erase(next);
      all.emplace(behind, std::move(rest));
    }
    all.insert_or_assign(first, Extent{std::move(segment), 0, behind - first});
  }
  std::vector<Extent> extents;
  extents.reserve(all.size());
  for (auto& [position, extent] : all) extents.push_back(std::move(extent));
  return extents;
}

std::int64_t end_of(const std::vector<Segment>& segments) {
  std::int64_t end = 0;
  for (const auto& segment : segments) end = std::max(end, segment.end());
  return end;
}

std::string key_of(const content::BlobId& blob, std::string_view name) {
  QUIRE_CHECK(content::is_blob_name(blob.text()));
  return blob.text() + "/" + std::string(name);
}

std::optional<ObjectPlace> place_of_key(std::string_view key) {
  const auto slash = key.find('/');
  if (slash == std::string_view::npos || !content::is_blob_name(key.substr(0, slash))) return std::nullopt;
  const auto name = key.substr(slash + 1);
  if (name != index_name && !segment_of(name, 0)) return std::nullopt;
  return ObjectPlace{content::BlobId(std::string(key.substr(0, slash))), std::string(name)};
}

}  // namespace quire::adapters::objects
