#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "client/api.h"

namespace quire::client {

/// How one signs in to a server, as `quire login` has kept it.
struct Credential {
  std::string user;  ///< empty for an API token
  std::string token;
  std::optional<Dialect> dialect;
};

/// The credentials of a person on this machine: `credentials.json` (0600) in the configuration folder. Error when
/// others can read the file, or when it is not what this program writes.
struct Credentials {
  std::string default_server;
  std::map<std::string, Credential> servers;  ///< by ServerAddress::url

  static base::Result<Credentials> read(const std::filesystem::path& file);
  base::Result<void> write(const std::filesystem::path& file) const;
};

std::filesystem::path credentials_file();

}  // namespace quire::client
