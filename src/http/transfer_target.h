#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "content/ids.h"

namespace quire::http {

/// The parts of a transfer endpoint, `/cls/data/<token>/<name>` (content-library-api.md §23.5).
struct TransferTarget {
  content::TransferToken token;
  std::string name;  ///< decoded; may hold slashes
};

/// nullopt when the path of `target` is not below `/cls/data/`. Broken escapes stay as they are: no file has such a
/// name.
std::optional<TransferTarget> transfer_target(std::string_view target);

/// The status of a transfer that failed with `kind` (§28.1).
int transfer_status(base::ErrorKind kind);

}  // namespace quire::http
