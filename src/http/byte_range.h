#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace quire::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  bool operator==(const ByteRange&) const = default;
};

/// What a GET or HEAD of `size` bytes gets (RFC 9110 §13, §14).
struct DownloadPlan {
  int status = 200;  ///< 200, 206, 304 or 416
  /// What a GET sends: one with 200; one or, as multipart/byteranges, several with 206; none otherwise.
  std::vector<ByteRange> ranges;
};

/// Ranges that one answer gives. Requests for more are those of nobody who reads files.
constexpr std::size_t ranges_max = 16;

/// The conditional fields of a request, as sent.
struct DownloadConditions {
  std::optional<std::string_view> range;
  std::optional<std::string_view> if_range;
  std::optional<std::string_view> if_none_match;
};

/// `entity_tag` is strong and in its quotes. Several ranges come in the order asked for, without those behind the end.
/// The whole comes for other units, for broken syntax, and instead of what would cost more than it: ranges that overlap
/// or more than ranges_max of them.
DownloadPlan plan_download(std::uint64_t size, std::string_view entity_tag, const DownloadConditions& conditions);

}  // namespace quire::http
