#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quire::http {

/// What a GET or HEAD of `size` bytes gets (RFC 9110 §13, §14).
struct DownloadPlan {
  int status = 200;  ///< 200, 206, 304 or 416
  std::uint64_t first = 0;
  std::uint64_t length = 0;  ///< bytes of the answer's body (for HEAD: that a GET would get)
};

/// The conditional fields of a request, as sent.
struct DownloadConditions {
  std::optional<std::string_view> range;
  std::optional<std::string_view> if_range;
  std::optional<std::string_view> if_none_match;
};

/// `entity_tag` is strong and in its quotes. Several ranges, other units and broken syntax get the whole.
DownloadPlan plan_download(std::uint64_t size, std::string_view entity_tag, const DownloadConditions& conditions);

/// True when `value` of a Content-Range says that the body, `content_length` bytes, is the whole file.
bool is_whole_content_range(std::string_view value, std::optional<std::uint64_t> content_length);

}  // namespace quire::http
