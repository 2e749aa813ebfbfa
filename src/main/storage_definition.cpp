#include "main/storage_definition.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/uri.h"
#include "main/installation.h"
#include "main/settings.h"

namespace quire::main {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr std::string_view bucket_scheme = "s3://";

base::Error bad_bucket(const std::string& definition, const std::string& problem) {
  return bad_setting("Storage {definition}: {problem} Write NAME=s3://BUCKET[/PREFIX][?endpoint=URL&region=REGION&…].",
                     {{"definition", definition}, {"problem", problem}});
}

/// Amazon's rules, as far as other services keep to them: such a name needs no encoding anywhere.
bool is_bucket_name(std::string_view name) {
  constexpr std::size_t shortest = 3;
  constexpr std::size_t longest = 63;
  return name.size() >= shortest && name.size() <= longest && name.front() != '.' && name.front() != '-' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string_view::npos;
}

bool is_prefix(std::string_view prefix) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
  if (prefix.find_first_not_of(allowed) != std::string_view::npos) return false;
  const auto path = "/" + std::string(prefix) + "/";
  return prefix.empty() || (path.find("//") == std::string::npos && path.find("/./") == std::string::npos &&
                            path.find("/../") == std::string::npos);
}

std::string_view without_slashes(std::string_view text) {
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

bool is_endpoint(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  const auto name = url.substr(0, scheme);
  const auto host = url.substr(scheme + 3);
  return (name == "http" || name == "https") && !host.empty() && host.find_first_of("/?#@ ") == std::string_view::npos;
}

/// nullopt when it was taken; else what is wrong.
std::optional<std::string> take_parameter(BucketPlace& place, std::string_view name, std::string value) {
  if (name == "endpoint") {
    while (value.ends_with('/')) value.pop_back();
    if (!is_endpoint(value)) return "endpoint must be http://HOST[:PORT] or https://HOST[:PORT].";
    place.endpoint = std::move(value);
  } else if (name == "region") {
    if (value.empty()) return "region must not be empty.";
    place.region = std::move(value);
  } else if (name == "style") {
    if (value != "path" && value != "virtual-host") return "style must be path or virtual-host.";
    place.virtual_host_style = value == "virtual-host";
  } else if (name == "ca") {
    place.ca_file = std::move(value);
  } else if (name == "credentials") {
    place.credentials_file = std::move(value);
  } else if (name == "profile") {
    place.profile = std::move(value);
  } else if (name == "capacity") {
    const auto bytes = parse_size(value);
    if (!bytes || *bytes <= 0) return "capacity must be a size such as 500GiB.";
    place.capacity_bytes = *bytes;
  } else if (name == "cache") {
    const auto bytes = parse_size(value);
    if (!bytes) return "cache must be a size such as 50GiB.";
    place.cache_bytes = *bytes;
  } else {
    return "there is no parameter " + std::string(name) +
           "; there are endpoint, region, style, ca, credentials, profile, capacity and cache.";
  }
  return std::nullopt;
}

Result<BucketPlace> bucket_place(const std::string& definition, std::string_view url) {
  url.remove_prefix(bucket_scheme.size());
  const auto question = url.find('?');
  const auto path = url.substr(0, question);
  const auto slash = path.find('/');
  BucketPlace place;
  place.bucket = path.substr(0, slash);
  if (!is_bucket_name(place.bucket)) return bad_bucket(definition, "the bucket's name is missing or bad.");
  if (slash != std::string_view::npos) place.prefix = without_slashes(path.substr(slash));
  if (!is_prefix(place.prefix))
    return bad_bucket(definition, "the prefix may have letters, digits and the characters - _ . / only.");
  auto rest = question == std::string_view::npos ? std::string_view() : url.substr(question + 1);
  while (!rest.empty()) {
    const auto parameter = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), parameter.size() + 1));
    const auto equals = parameter.find('=');
    const auto value = base::percent_decode(equals == std::string_view::npos ? "" : parameter.substr(equals + 1));
    if (!value) return bad_bucket(definition, "a parameter is badly percent-encoded.");
    if (const auto problem = take_parameter(place, parameter.substr(0, equals), *value))
      return bad_bucket(definition, *problem);
  }
  return place;
}

/// One holds objects of the other.
bool overlap(const BucketPlace& one, const BucketPlace& other) {
  const auto first = one.uri() + "/";
  const auto second = other.uri() + "/";
  return one.endpoint == other.endpoint && (first.starts_with(second) || second.starts_with(first));
}

}  // namespace

std::string BucketPlace::uri() const {
  return std::string(bucket_scheme) + bucket + (prefix.empty() ? "" : "/" + prefix);
}

Result<std::vector<StorageDefinition>> storage_definitions(const std::vector<std::string>& entries,
                                                           const fs::path& data) {
  if (entries.empty()) return bad_setting("At least one storage is needed.");
  std::vector<StorageDefinition> all;
  for (const auto& definition : entries) {
    const auto equals = definition.find('=');
    const auto name = definition.substr(0, equals);
    if (name.empty() || name.find('/') != std::string::npos)
      return bad_setting("Storage {definition} needs a name without slashes before the =.",
                         {{"definition", definition}});
    if (std::ranges::find(all, name, &StorageDefinition::name) != all.end())
      return bad_setting("Storage {name} is configured twice.", {{"name", name}});
    const auto place = equals == std::string::npos ? "" : definition.substr(equals + 1);
    if (place.starts_with(bucket_scheme)) {
      QUIRE_ASSIGN_OR_RETURN(auto bucket, bucket_place(definition, place));
      const auto is_taken = [&](const StorageDefinition& other) {
        return other.bucket() != nullptr && overlap(*other.bucket(), bucket);
      };
      if (std::ranges::any_of(all, is_taken))
        return bad_setting(
            "Storage {name} lies within another one, or the other way round; give each a prefix of its own.",
            {{"name", name}});
      all.push_back({name, std::move(bucket)});
      continue;
    }
    const fs::path own_place = all.empty() ? data : data / "storage" / name;
    all.push_back({name, fs::weakly_canonical(equals == std::string::npos ? own_place : fs::path(place))});
  }
  return all;
}

}  // namespace quire::main
