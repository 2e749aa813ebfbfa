#include "service/upload/upload_promises.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace quire::service {
namespace {

using base::Message;
using Place = UploadRequest::Place;

}  // namespace

UploadPromises::UploadPromises(UploadRequest request, const UploadTarget& target, const content::Limits& limits)
    : request_(std::move(request)),
      file_(target.file),
      metadata_bytes_max_(target.is_metadata() ? std::optional(limits.metadata_file_bytes_max) : std::nullopt) {}

std::optional<std::int64_t> UploadPromises::told_length() const {
  if (request_.file_length || request_.place == Place::at_offset || !request_.ends_file || !request_.body_length)
    return request_.file_length;
  return request_.offset + *request_.body_length;
}

std::optional<std::int64_t> UploadPromises::file_length() const {
  if (request_.file_length) return request_.file_length;
  if (file_.declared_size) return file_.declared_size;
  if (file_.unfinished) return file_.unfinished->length;
  return std::nullopt;
}

std::optional<std::int64_t> UploadPromises::file_length_after(std::int64_t end) const {
  if (!request_.ends_file) return std::nullopt;
  return request_.place == Place::at_offset ? file_length() : std::optional(end);
}

content::ByteRange UploadPromises::range() const {
  const auto length = request_.part_length ? request_.part_length : request_.body_length;
  constexpr auto everything = std::numeric_limits<std::int64_t>::max();
  return {request_.offset, length ? request_.offset + *length : everything};
}

std::vector<base::DigestAlgorithm> UploadPromises::body_digest_algorithms() const {
  std::vector<base::DigestAlgorithm> algorithms;
  for (const auto& digest : request_.body_digests)
    if (std::ranges::find(algorithms, digest.algorithm) == algorithms.end()) algorithms.push_back(digest.algorithm);
  return algorithms;
}

std::optional<UploadPromises::Broken> UploadPromises::excess(std::int64_t end, const std::string& looks_like) const {
  if (request_.part_length && end > range().end)
    return Broken{
        base::make_message("quire.upload.part_too_long",
                           "The body of this part of {name} is longer than the {length} bytes of its Content-Range.",
                           {{"name", file_.name}, {"length", range().size()}})};
  const auto length = file_length();
  if (length && end > *length) return Broken{size_differs(file_.name, *length, end), !is_part()};
  if (metadata_bytes_max_ && end > *metadata_bytes_max_)
    return Broken{
        base::make_message("quire.package.metadata_too_large",
                           "File {name} of the package has more than the {limit} bytes that are allowed{looks_like}.",
                           {{"name", file_.name}, {"limit", *metadata_bytes_max_}, {"looks_like", looks_like}}),
        true};
  return std::nullopt;
}

std::optional<Message> UploadPromises::body_problem(std::int64_t end,
                                                    const std::vector<base::Checksum>& digests) const {
  if (request_.part_length && end - request_.offset != *request_.part_length)
    return base::make_message(
        "quire.upload.part_too_short",
        "The body of this part of {name} has {actual} bytes, its Content-Range {length}.",
        {{"name", file_.name}, {"actual", end - request_.offset}, {"length", *request_.part_length}});
  for (const auto& promised : request_.body_digests)
    if (std::ranges::find(digests, promised) == digests.end())
      return base::make_message("quire.upload.content_digest_differs",
                                "The {algorithm} digest of the body for {name} is not the one of its Content-Digest. "
                                "Send these bytes again.",
                                {{"name", file_.name}, {"algorithm", std::string(name_of(promised.algorithm))}});
  return std::nullopt;
}

}  // namespace quire::service
