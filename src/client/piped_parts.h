#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/part_upload.h"

namespace quire::client {

/// What comes through a pipe as parts that lie in memory, so that each can be sent again. The last one knows the length
/// of the whole. One thread at a time.
class PipedParts {
 public:
  PipedParts(int file, std::string name, std::string uri, std::int64_t part_bytes)
      : file_(file), name_(std::move(name)), uri_(std::move(uri)), part_bytes_(part_bytes) {}

  /// The next part; nullopt when all have been given. Waits for the pipe.
  base::Result<std::optional<UploadPart>> next();

 private:
  base::Result<std::vector<char>> read_part();

  const int file_;
  const std::string name_;
  const std::string uri_;
  const std::int64_t part_bytes_;
  std::int64_t position_ = 0;
  std::optional<std::vector<char>> ahead_;  ///< read already, to know whether the one before is the last
  bool ended_ = false;
};

/// A pipe as it comes, for a server that takes no parts: it can be sent once.
std::shared_ptr<const UploadBytes> piped_bytes(int file);

}  // namespace quire::client
