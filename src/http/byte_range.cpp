#include "http/byte_range.h"

#include <algorithm>

#include "base/hex.h"
#include "http/request_head.h"

namespace quire::http {
namespace {

constexpr std::string_view unit = "bytes";

bool matches_weakly(std::string_view list, std::string_view entity_tag) {
  if (trimmed(list) == "*") return true;
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto member = trimmed(list.substr(0, comma));
    if (member.starts_with("W/")) member.remove_prefix(2);
    if (member == entity_tag) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

/// The text behind `bytes` and `separator`, when `value` begins so.
std::optional<std::string_view> after_unit(std::string_view value, char separator) {
  value = trimmed(value);
  if (value.size() <= unit.size() || value[unit.size()] != separator) return std::nullopt;
  if (base::to_lower(value.substr(0, unit.size())) != unit) return std::nullopt;
  return trimmed(value.substr(unit.size() + 1));
}

DownloadPlan whole(std::uint64_t size) { return {.status = 200, .ranges = {{0, size}}}; }

/// One member of a Range, as far as it lies in the file.
struct Member {
  bool well_formed = false;
  std::optional<ByteRange> range;  ///< none behind the end
};

Member read_member(std::string_view text, std::uint64_t size) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return {};
  const auto first_text = trimmed(text.substr(0, dash));
  const auto last_text = trimmed(text.substr(dash + 1));
  const auto last = decimal(last_text);
  if (!last && !last_text.empty()) return {};
  if (first_text.empty()) {
    if (!last) return {};
    const auto length = std::min(*last, size);
    if (length == 0) return {true, std::nullopt};
    return {true, ByteRange{size - length, length}};
  }
  const auto first = decimal(first_text);
  if (!first || (last && *last < *first)) return {};
  if (*first >= size) return {true, std::nullopt};
  const auto last_there = last ? std::min(*last, size - 1) : size - 1;
  return {true, ByteRange{*first, last_there - *first + 1}};
}

bool any_overlap(std::vector<ByteRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return std::adjacent_find(ranges.begin(), ranges.end(),
                            [](const auto& a, const auto& b) { return b.first - a.first < a.length; }) != ranges.end();
}

DownloadPlan plan_ranges(std::uint64_t size, std::string_view value) {
  const auto set = after_unit(value, '=');
  if (!set) return whole(size);
  DownloadPlan plan;
  std::size_t members = 0;
  for (auto rest = *set;;) {
    const auto comma = rest.find(',');
    const auto text = trimmed(rest.substr(0, comma));
    if (!text.empty()) {  // RFC 9110 §5.6.1: empty members count for nothing
      const auto member = read_member(text, size);
      if (!member.well_formed || ++members > ranges_max) return whole(size);
      if (member.range) plan.ranges.push_back(*member.range);
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (members == 0) return whole(size);
  if (any_overlap(plan.ranges)) return whole(size);
  plan.status = plan.ranges.empty() ? 416 : 206;
  return plan;
}

}  // namespace

DownloadPlan plan_download(std::uint64_t size, std::string_view entity_tag, const DownloadConditions& conditions) {
  if (conditions.if_none_match && matches_weakly(*conditions.if_none_match, entity_tag)) {
    return {.status = 304, .ranges = {}};
  }
  if (!conditions.range) return whole(size);
  if (conditions.if_range && trimmed(*conditions.if_range) != entity_tag) return whole(size);
  return plan_ranges(size, *conditions.range);
}

}  // namespace quire::http
