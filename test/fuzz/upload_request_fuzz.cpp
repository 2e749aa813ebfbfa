#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "base/check.h"
#include "http/byte_range.h"
#include "http/upload_request.h"

using namespace quire::http;
using quire::base::hex_length;

namespace {

/// Ranges of a GET lie in the file and do not overlap with their neighbours.
void check_download(const RequestHead& head) {
  DownloadConditions conditions;
  conditions.range = head.headers.find("Range");
  conditions.if_range = head.headers.find("If-Range");
  conditions.if_none_match = head.headers.find("If-None-Match");
  constexpr std::array<std::uint64_t, 3> sizes = {0, 1, 1000};
  for (const auto size : sizes) {
    const auto plan = plan_download(size, "\"tag\"", conditions);
    QUIRE_CHECK(plan.ranges.size() <= ranges_max);
    QUIRE_CHECK(plan.status != 206 || !plan.ranges.empty());
    for (const auto& range : plan.ranges) {
      QUIRE_CHECK(range.first <= size && range.length <= size - range.first);
      QUIRE_CHECK(plan.status != 206 || range.length > 0);
    }
  }
}

void check_upload(const RequestHead& head) {
  const auto read = read_upload_head(head);
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    QUIRE_CHECK(refusal->status() == 400 || refusal->status() == 415);
    return;
  }
  const auto& request = std::get<UploadHead>(read).request;
  QUIRE_CHECK(request.offset >= 0);
  QUIRE_CHECK(request.body_length.value_or(0) >= 0 && request.file_length.value_or(0) >= 0);
  if (request.part_length) {
    QUIRE_CHECK(*request.part_length > 0);
    QUIRE_CHECK(request.offset <= INT64_MAX - *request.part_length);
    QUIRE_CHECK(!request.file_length || request.offset + *request.part_length <= *request.file_length);
  }
  for (const auto& digest : request.body_digests) QUIRE_CHECK(digest.hex.size() == hex_length(digest.algorithm));
}

}  // namespace

/// The input is the fields of a head; the first byte chooses the method.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array methods = {"PUT", "POST", "PATCH"};
  std::string text = std::string(methods[data[0] % methods.size()]) + " /cls/data/t/f HTTP/1.1\r\nHost: h\r\n";
  text.append(reinterpret_cast<const char*>(data + 1), size - 1).append("\r\n\r\n");
  const auto end = end_of_head(text, 0);
  const auto parsed = parse_request_head(std::string_view(text).substr(0, *end), 200);
  const auto* head = std::get_if<RequestHead>(&parsed);
  if (head == nullptr) return 0;
  check_upload(*head);
  check_download(*head);
  return 0;
}
