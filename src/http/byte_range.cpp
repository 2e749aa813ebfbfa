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

DownloadPlan whole(std::uint64_t size) { return {.status = 200, .first = 0, .length = size}; }
DownloadPlan unsatisfiable() { return {.status = 416, .first = 0, .length = 0}; }
DownloadPlan part(std::uint64_t first, std::uint64_t length) {
  return {.status = 206, .first = first, .length = length};
}

DownloadPlan plan_range(std::uint64_t size, std::string_view value) {
  const auto range = after_unit(value, '=');
  if (!range) return whole(size);
  const auto dash = range->find('-');
  if (dash == std::string_view::npos) return whole(size);
  const auto first_text = trimmed(range->substr(0, dash));
  const auto last_text = trimmed(range->substr(dash + 1));
  const auto last = decimal(last_text);
  if (!last && !last_text.empty()) return whole(size);  // several ranges end here too
  if (first_text.empty()) {
    if (!last) return whole(size);
    const auto length = std::min(*last, size);
    if (length == 0) return unsatisfiable();
    return part(size - length, length);
  }
  const auto first = decimal(first_text);
  if (!first || (last && *last < *first)) return whole(size);
  if (*first >= size) return unsatisfiable();
  const auto last_there = last ? std::min(*last, size - 1) : size - 1;
  return part(*first, last_there - *first + 1);
}

}  // namespace

DownloadPlan plan_download(std::uint64_t size, std::string_view entity_tag, const DownloadConditions& conditions) {
  if (conditions.if_none_match && matches_weakly(*conditions.if_none_match, entity_tag)) {
    return {.status = 304, .first = 0, .length = 0};
  }
  if (!conditions.range) return whole(size);
  if (conditions.if_range && trimmed(*conditions.if_range) != entity_tag) return whole(size);
  return plan_range(size, *conditions.range);
}

bool is_whole_content_range(std::string_view value, std::optional<std::uint64_t> content_length) {
  const auto range = after_unit(value, ' ');
  if (!range) return false;
  const auto dash = range->find('-');
  const auto slash = range->find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return false;
  const auto first = decimal(range->substr(0, dash));
  const auto last = decimal(range->substr(dash + 1, slash - dash - 1));
  const auto total = decimal(range->substr(slash + 1));
  return first == 0 && last && total && *total > 0 && *last == *total - 1 &&
         (!content_length || *content_length == *total);
}

}  // namespace quire::http
