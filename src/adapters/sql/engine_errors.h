#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace quire::adapters::sql {

/// The disk that holds the catalog is full.
base::Error storage_full(std::string cause);
/// The database does not answer, or is locked.
base::Error unreachable(std::string cause);
/// `limit` transactions wait already.
base::Error overloaded(std::size_t limit);

}  // namespace quire::adapters::sql
