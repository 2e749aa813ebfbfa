#pragma once

#include <cstdint>
#include <string>

#include "adapters/sql/connection.h"
#include "base/result.h"

namespace quire::adapters::sql {

/// The words in which the engines differ.
struct SchemaWords {
  std::string integer;   ///< type of a 64-bit number
  std::string text;      ///< type of a text that is compared byte by byte
  std::string numbered;  ///< a primary key that the engine counts up from the highest that is there
  std::string tables;    ///< the query for the names of all tables
};
const SchemaWords& sqlite_words();
const SchemaWords& postgresql_words();

/// The newest schema this version knows.
std::int64_t newest_schema();

/// The schema of the database; 0 when it has none yet.
std::int64_t schema_of(Connection& connection, const SchemaWords& words);

/// The same, on a database that must not be changed by looking at it.
std::int64_t schema_to_read(Connection& connection, const SchemaWords& words);

/// Unsupported unless the schema is newest_schema().
base::Result<void> check_newest_schema(std::int64_t present);

/// Applies the migrations that the database lacks. Must run inside a transaction that keeps others from doing the same.
/// Unsupported when the database has a newer schema.
base::Result<void> migrate(Connection& connection, const SchemaWords& words);

}  // namespace quire::adapters::sql
