#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "content/object_store.h"

namespace quire::adapters::s3 {

/// The XML documents of S3's REST API that the object store writes and reads. What is read comes from outside: nullopt
/// for whatever is not such a document, whole and well-formed. All threads may call these.

/// `<Error>`, also the one that stands in an answer with status 200.
struct ErrorDocument {
  std::string code;     ///< `NoSuchKey`
  std::string message;  ///< for people; any text
  std::string region;   ///< where the bucket is, when the service tells it
};
std::optional<ErrorDocument> read_error(std::string_view document);

/// `<ListBucketResult>` of ListObjectsV2, with the keys as they are in the bucket.
std::optional<content::ObjectStore::Page> read_list(std::string_view document);

/// What DeleteObjects is asked with; it is to answer with failures only.
std::string delete_document(std::span<const std::string> keys);

/// `<DeleteResult>`: the keys that were not removed, and why.
struct DeleteFailure {
  std::string key;
  std::string code;
};
std::optional<std::vector<DeleteFailure>> read_delete_failures(std::string_view document);

}  // namespace quire::adapters::s3
