#pragma once

#include <cstddef>
#include <vector>

#include "adapters/sql/connection.h"
#include "content/contradiction.h"

namespace quire::adapters::sql {

/// What content::CatalogReader::contradictions() answers, on a connection where a transaction is open.
std::vector<content::Contradiction> contradictions(Connection& connection, std::size_t limit_per_kind);

/// What content::CatalogWriter::repair_contradictions() does; how many rows it changed or removed.
std::size_t repair_contradictions(Connection& connection);

}  // namespace quire::adapters::sql
