#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "service/upload/session_entry.h"

namespace quire::service {

/// What a request and the row of its file say of a body before it comes, and what is wrong with one that does not keep
/// to it.
class UploadPromises {
 public:
  UploadPromises(UploadRequest request, const UploadTarget& target, const content::Limits& limits);

  const UploadRequest& request() const { return request_; }
  /// Part of a file: it is refused alone. A whole body that is refused leaves the file without bytes.
  bool is_part() const { return request_.place != UploadRequest::Place::start_over || !request_.ends_file; }
  /// Of the whole file, as this request tells it: by a field of its own, or because the file ends with its body.
  std::optional<std::int64_t> told_length() const;
  /// Of the whole file, if something has told it.
  std::optional<std::int64_t> file_length() const;
  /// Of the whole file, once the body has ended at `end`.
  std::optional<std::int64_t> file_length_after(std::int64_t end) const;
  /// What the body may write.
  content::ByteRange range() const;
  std::vector<base::DigestAlgorithm> body_digest_algorithms() const;

  /// Something that is not as promised, and whether the file is to blame or this body alone.
  struct Broken {
    base::Message reason;
    bool by_file = false;  ///< file and session end in ERROR
  };
  /// Why the body may not go on to `end`. `looks_like`: what its first bytes are (content_kind.h), or nothing.
  std::optional<Broken> excess(std::int64_t end, const std::string& looks_like) const;
  /// Why it may not end at `end`, with these digests.
  std::optional<base::Message> body_problem(std::int64_t end, const std::vector<base::Checksum>& digests) const;

 private:
  const UploadRequest request_;
  const content::SessionFile& file_;
  const std::optional<std::int64_t> metadata_bytes_max_;
};

}  // namespace quire::service
