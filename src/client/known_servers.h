#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace quire::client {

/// The keys of servers that a person has accepted, as lines `HOST:PORT SHA256:BASE64` of a file. The digest is that of
/// the certificate's SubjectPublicKeyInfo, so a renewed certificate with the same key stays trusted. One thread at a
/// time; each call reads or writes the file anew.
class KnownServers {
 public:
  explicit KnownServers(std::filesystem::path file) : file_(std::move(file)) {}

  base::Result<std::optional<std::string>> key_of(const std::string& authority) const;
  /// In the place of an earlier key, if there is one.
  base::Result<void> accept(const std::string& authority, const std::string& key);
  base::Result<void> forget(const std::string& authority);
  const std::filesystem::path& file() const { return file_; }

 private:
  base::Result<std::map<std::string, std::string>> read() const;
  base::Result<void> write(const std::map<std::string, std::string>& keys);

  std::filesystem::path file_;
};

}  // namespace quire::client
