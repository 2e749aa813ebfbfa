#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace quire::bundle {

struct TarMember {
  std::string name;  ///< at most 100 bytes, folders with slashes
  std::string content;
};

/// The members in their order as a tar archive (POSIX ustar): files that only their owner can read.
std::string tar_archive(const std::vector<TarMember>& members, base::Time modified);

}  // namespace quire::bundle
