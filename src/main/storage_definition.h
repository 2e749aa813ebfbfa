#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace quire::main {

/// A bucket, or the part of it below a prefix, as `s3://BUCKET[/PREFIX][?NAME=VALUE&…]` names it. What is empty is left
/// to its default.
struct BucketPlace {
  std::string bucket;
  std::string prefix;    ///< without slashes at its ends; empty: the whole bucket
  std::string endpoint;  ///< `http://HOST[:PORT]` or `https://…`; empty: Amazon's of the region
  std::string region = "us-east-1";
  bool virtual_host_style = false;  ///< the bucket stands in the host's name, not in the path
  std::string ca_file;              ///< PEM, besides the roots of the system
  std::string credentials_file;     ///< as Amazon's programs write it; empty: from the environment
  std::string profile = "default";  ///< of that file
  std::int64_t capacity_bytes = default_capacity_bytes;
  std::int64_t cache_bytes = 0;  ///< that are kept of it in the data folder; 0: none

  /// A bucket tells no capacity, and those who ask for a datastore's want a number.
  static constexpr std::int64_t default_capacity_bytes = std::int64_t{1} << 50U;

  bool operator==(const BucketPlace&) const = default;
  /// `s3://BUCKET[/PREFIX]`
  std::string uri() const;
};

/// A storage as the setting `storage` names it.
struct StorageDefinition {
  std::string name;
  std::variant<std::filesystem::path, BucketPlace> place;

  /// nullptr: it is a bucket.
  const std::filesystem::path* folder() const { return std::get_if<std::filesystem::path>(&place); }
  const BucketPlace* bucket() const { return std::get_if<BucketPlace>(&place); }
};

/// Of the entries of that setting; `NAME` alone lies in the data folder. InvalidArgument says what is wrong with which.
base::Result<std::vector<StorageDefinition>> storage_definitions(const std::vector<std::string>& entries,
                                                                 const std::filesystem::path& data);

}  // namespace quire::main
