#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace quire::client {

/// A server as its address names it: `https://host:port`.
struct ServerAddress {
  std::string url;   ///< scheme, host and port, no slash at the end; the port is always there
  std::string host;  ///< a name, or an address without brackets
  int port = 0;
  bool tls = true;

  /// `host:port`, as the file of accepted keys names servers.
  std::string authority() const;
  bool operator==(const ServerAddress&) const = default;
};

/// Reads `https://quire.example:8443`, `quire.example` (https, port 443) or `http://…`. A path is dropped: the API's
/// paths are fixed. Usage error for anything else, and for an address with a user or password in it.
base::Result<ServerAddress> parse_server_address(std::string_view text);

}  // namespace quire::client
