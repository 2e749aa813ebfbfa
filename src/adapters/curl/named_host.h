#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quire::adapters::curl {

/// Names in lower case without a last dot, addresses in their shortest form. `host` has no brackets.
std::string normal_host(std::string_view host);

/// A host as this server's settings name it: `HOST[:PORT]`.
struct NamedHost {
  std::string host;                 ///< normal form
  std::optional<std::string> port;  ///< in digits

  /// HOST is a name, an IPv4 address, or an IPv6 address in brackets (without a port also bare). The Error is
  /// `invalid_argument`; its text says what is wrong, fitting after "cannot be read: ".
  static base::Result<NamedHost> parse(std::string_view text);
};

}  // namespace quire::adapters::curl
