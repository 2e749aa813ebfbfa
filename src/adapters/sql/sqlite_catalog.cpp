#include <exception>
#include <utility>

#include "adapters/sql/catalog_view.h"
#include "adapters/sql/connection_pool.h"
#include "adapters/sql/group_commit.h"
#include "adapters/sql/migrations.h"
#include "adapters/sql/sql_catalog.h"
#include "adapters/sql/sqlite_connection.h"

namespace quire::adapters::sql {
namespace {

using base::Result;

/// A read transaction; ends with the object.
class Snapshot {
 public:
  explicit Snapshot(SqliteConnection& connection) : connection_(connection) { connection_.run("BEGIN"); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { connection_.roll_back(); }

 private:
  SqliteConnection& connection_;
};

class SqliteCatalog final : public content::Catalog {
 public:
  SqliteCatalog(const std::filesystem::path& path, const SqliteOptions& options,
                std::unique_ptr<SqliteConnection> writing)
      : readers_(options.readers, options.reads_waiting_max,
                 [path, options] { return SqliteConnection::for_reading(path, options); }),
        writer_(std::move(writing), options.writes_waiting_max, options.writes_per_commit_max) {}

  Result<void> read_transaction(const std::function<Result<void>(content::CatalogReader&)>& function) override {
    try {
      const auto connection = readers_.borrow();
      const Snapshot snapshot(*connection);
      CatalogView view(*connection);
      return function(view);
    } catch (const content::CatalogFailure& failure) {
      return failure.error();
    }
  }

  Result<void> write_transaction(const std::function<Result<void>(content::CatalogWriter&)>& function) override {
    return writer_.run(function);
  }

 private:
  ConnectionPool<SqliteConnection> readers_;
  GroupCommit writer_;
};

/// Inside a transaction of its own.
Result<void> bring_up_to_date(SqliteConnection& connection) {
  connection.run("BEGIN IMMEDIATE");
  auto migrated = migrate(connection, {.integer = "INTEGER", .text = "TEXT"});
  if (migrated)
    connection.run("COMMIT");
  else
    connection.roll_back();
  return migrated;
}

}  // namespace

Result<std::unique_ptr<content::Catalog>> open_sqlite_catalog(const std::filesystem::path& path,
                                                              const SqliteOptions& options) {
  try {
    auto connection = SqliteConnection::for_writing(path, options);
    if (auto migrated = bring_up_to_date(*connection); !migrated) return migrated.error();
    return std::unique_ptr<content::Catalog>(new SqliteCatalog(path, options, std::move(connection)));
  } catch (const content::CatalogFailure& failure) {
    return failure.error();
  }
}

}  // namespace quire::adapters::sql
