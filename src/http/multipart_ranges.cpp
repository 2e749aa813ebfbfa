#include "http/multipart_ranges.h"

namespace quire::http {

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.first + range.length - 1) + "/" +
         std::to_string(size);
}

MultipartRanges::MultipartRanges(const DownloadPlan& plan, std::string_view entity_tag, std::uint64_t size)
    : boundary_(entity_tag.substr(1, entity_tag.size() - 2)) {
  for (const auto& range : plan.ranges) {
    auto head = heads_.empty() ? std::string() : std::string("\r\n");
    head.append("--").append(boundary_).append("\r\nContent-Type: application/octet-stream\r\nContent-Range: ");
    head.append(content_range(range, size)).append("\r\n\r\n");
    length_ += head.size() + range.length;
    heads_.push_back(std::move(head));
  }
  end_ = "\r\n--" + boundary_ + "--\r\n";
  length_ += end_.size();
}

}  // namespace quire::http
