#pragma once

#include "adapters/sql/connection.h"
#include "adapters/sql/migrations.h"
#include "adapters/sql/sql_catalog.h"

namespace quire::adapters::sql {

/// Schema and rows, on a connection where a reading transaction is open.
CatalogSurvey survey(Connection& connection, const SchemaWords& words);

/// What a catalog that was opened to be read answers to a write.
base::Error opened_to_read();

}  // namespace quire::adapters::sql
