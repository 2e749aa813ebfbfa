#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/byte_range.h"

namespace quire::http {

/// `bytes first-last/size`.
std::string content_range(const ByteRange& range, std::uint64_t size);

/// What stands around the ranges in a multipart/byteranges answer (RFC 9110 §14.6).
class MultipartRanges {
 public:
  /// The boundary is the digest of the file: nobody can make a file that holds its own.
  MultipartRanges(const DownloadPlan& plan, std::string_view entity_tag, std::uint64_t size);

  std::string content_type() const { return "multipart/byteranges; boundary=" + boundary_; }
  /// Of the whole answer, the ranges included.
  std::uint64_t length() const { return length_; }
  /// What stands before the bytes of a range.
  const std::string& head(std::size_t number) const { return heads_[number]; }
  const std::string& end() const { return end_; }

 private:
  std::string boundary_;
  std::vector<std::string> heads_;
  std::string end_;
  std::uint64_t length_ = 0;
};

}  // namespace quire::http
