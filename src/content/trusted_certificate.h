#pragma once

#include <string>

#include "base/time.h"

namespace quire::content {

/// A certificate whose holder, and whoever it vouches for, may sign packages (content-library-api.md §10).
struct TrustedCertificate {
  std::string id;   ///< SHA-256 of its DER, lower-case hexadecimal
  std::string pem;  ///< itself alone
  base::Time added;
  bool operator==(const TrustedCertificate&) const = default;
};

}  // namespace quire::content
