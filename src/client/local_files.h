#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "client/part_upload.h"

/// What is pushed, as it lies on this side.
namespace quire::client {

struct LocalFile {
  std::string name;  ///< in the item
  std::filesystem::path path;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;  ///< since 1970
};

struct RemoteFile {
  std::string name;
  std::string url;
};

struct Sources {
  std::vector<LocalFile> files;
  std::vector<RemoteFile> urls;      ///< fetched by the server
  std::optional<std::string> piped;  ///< the name for what comes through stdin
};

/// Reads `-`, URLs, files and folders (all files below, with their names from there). `name`: of a single source.
/// Usage error for a name that is missing, not allowed or there twice; NotFound for files that are not there.
base::Result<Sources> find_sources(const std::vector<std::string>& given, const std::optional<std::string>& name);

/// Whether size and time of change are still the ones that were seen.
bool is_unchanged(const LocalFile& file);

/// Opens a file for sending.
base::Result<std::shared_ptr<const UploadBytes>> open_for_upload(const std::filesystem::path& file);

/// The digest of a file. interrupted() when `stop` is set meanwhile.
base::Result<base::Checksum> digest_of_file(const std::filesystem::path& file, base::DigestAlgorithm algorithm,
                                            const std::atomic<bool>* stop);

}  // namespace quire::client
