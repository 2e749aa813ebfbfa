#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "content/access.h"

namespace quire::content {

/// Who somebody has turned out to be.
struct Principal {
  std::string user;                      ///< as shown
  std::vector<std::string> groups = {};  ///< that the authenticator knows of, besides those of the catalog
  std::optional<User> stored = {};       ///< the catalog's user that was checked; none: somebody from outside
};

/// Tells who somebody is by what they know. Blocks for as long as it takes. All threads may call it.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  /// Unauthenticated for a wrong name or password, without telling which, neither by its words nor by the time it
  /// takes; ServiceUnavailable when who knows cannot be asked.
  virtual base::Result<Principal> authenticate(std::string_view user, std::string_view password) = 0;
};

}  // namespace quire::content
