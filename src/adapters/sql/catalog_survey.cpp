#include "adapters/sql/catalog_survey.h"

#include <algorithm>

namespace quire::adapters::sql {

CatalogSurvey survey(Connection& connection, const SchemaWords& words) {
  CatalogSurvey found;
  found.schema = schema_to_read(connection, words);
  if (found.schema == 0) return found;
  for (auto& table : connection.all<std::string>(words.tables)) {
    const auto rows = connection.one<std::int64_t>("SELECT COUNT(*) FROM " + table).value_or(0);
    found.rows.emplace_back(std::move(table), rows);
  }
  std::ranges::sort(found.rows);
  return found;
}

base::Error opened_to_read() {
  return {base::ErrorKind::unsupported, "quire.catalog.to_read", "The catalog was opened to be read only."};
}

std::int64_t newest_catalog_schema() { return newest_schema(); }

}  // namespace quire::adapters::sql
