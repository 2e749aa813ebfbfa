#include "adapters/sql/engine_errors.h"

#include <cstdint>
#include <utility>

#include "content/catalog.h"

namespace quire::adapters::sql {

using base::Error;
using base::ErrorKind;

Error storage_full(std::string cause) {
  return Error(ErrorKind::unable_to_allocate_resource, std::string(content::catalog_full_id),
               "The disk that holds the server's catalog is full, so nothing was changed. Free space on it, then try "
               "again.")
      .with_cause(std::move(cause));
}

Error unreachable(std::string cause) {
  return Error(ErrorKind::service_unavailable, "quire.catalog.unreachable",
               "The server's catalog database cannot be reached. Try again; if it lasts, see that the database runs.")
      .with_cause(std::move(cause));
}

Error overloaded(std::size_t limit) {
  return {ErrorKind::service_unavailable,
          "quire.catalog.overloaded",
          "{limit} requests wait for the server's catalog already, which is the limit. Try again later.",
          {{"limit", static_cast<std::int64_t>(limit)}}};
}

}  // namespace quire::adapters::sql
