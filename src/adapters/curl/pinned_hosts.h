#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace quire::adapters::curl {

/// Certificates of servers that this server's administrator vouches for (content-library-api.md §28.3 "pins"). A value;
/// all threads may ask it.
class PinnedHosts {
 public:
  /// None.
  PinnedHosts() = default;
  /// Entries are `HOST[:PORT]=THUMBPRINT`. HOST is a name, an IPv4 address, or an IPv6 address in brackets (without a
  /// port also bare); without PORT every port is meant. The thumbprint is a SHA-1 or SHA-256, any case, with or without
  /// colons. A host may have several: one for each certificate that it may present. Fails with `invalid_argument`,
  /// naming the entry and what is wrong with it.
  static base::Result<PinnedHosts> make(std::span<const std::string> entries);

  /// The thumbprints of which a server must present one, upper case with colons; none: nothing is said about it. `host`
  /// is a name or an address without brackets.
  std::vector<std::string> thumbprints_of(const std::string& host, const std::string& port) const;

 private:
  struct Pin {
    std::string host;  ///< normal form
    std::string port;  ///< empty: every port
    std::string thumbprint;
  };
  std::vector<Pin> pins_;
};

}  // namespace quire::adapters::curl
