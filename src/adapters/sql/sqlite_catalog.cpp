#include <cstdint>
#include <memory>
#include <optional>
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

/// A connection for read transactions. Taking a snapshot and letting it go costs more than a small read (locks on the
/// shared log), so one stays open for the next transaction until something is committed.
class ReadingConnection {
 public:
  explicit ReadingConnection(std::unique_ptr<SqliteConnection> connection) : connection_(std::move(connection)) {}

  /// With a snapshot that shows what was committed before `version`.
  SqliteConnection& at(std::uint64_t version) {
    if (snapshot_ != version) {
      end_snapshot();
      connection_->run("BEGIN");
      snapshot_ = version;
    }
    return *connection_;
  }

  void end_snapshot() {
    connection_->roll_back();
    snapshot_.reset();
  }

 private:
  std::unique_ptr<SqliteConnection> connection_;
  std::optional<std::uint64_t> snapshot_;  ///< the version that was current when the open transaction began
};

class SqliteCatalog final : public content::Catalog {
 public:
  SqliteCatalog(const std::filesystem::path& path, const SqliteOptions& options,
                std::unique_ptr<SqliteConnection> writing)
      : readers_(options.readers, options.reads_waiting_max,
                 [path, options] {
                   return std::make_unique<ReadingConnection>(SqliteConnection::for_reading(path, options));
                 }),
        // A snapshot that nobody uses would keep the log from beginning anew, and it would grow without end.
        writer_(std::move(writing), options.writes_waiting_max, options.writes_per_commit_max,
                [this] { readers_.for_each_idle([](ReadingConnection& reader) { reader.end_snapshot(); }); }) {}

  std::optional<std::uint64_t> logins_version() const override { return writer_.logins_version(); }
  std::optional<std::uint64_t> access_version() const override { return writer_.access_version(); }

  Result<void> read_transaction(const std::function<Result<void>(content::CatalogReader&)>& function) override {
    try {
      const auto connection = readers_.borrow();
      try {
        CatalogView view(connection->at(writer_.version()));
        return function(view);
      } catch (...) {
        connection->end_snapshot();
        throw;
      }
    } catch (const content::CatalogFailure& failure) {
      return failure.error();
    }
  }

  Result<void> write_transaction(const std::function<Result<void>(content::CatalogWriter&)>& function) override {
    return writer_.run(function);
  }

 private:
  ConnectionPool<ReadingConnection> readers_;
  GroupCommit writer_;
};

/// Inside a transaction of its own.
Result<void> bring_up_to_date(SqliteConnection& connection) {
  connection.run("BEGIN IMMEDIATE");
  auto migrated = migrate(connection, {.integer = "INTEGER", .text = "TEXT", .numbered = "INTEGER PRIMARY KEY"});
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
    QUIRE_RETURN_IF_ERROR(bring_up_to_date(*connection));
    return std::unique_ptr<content::Catalog>(new SqliteCatalog(path, options, std::move(connection)));
  } catch (const content::CatalogFailure& failure) {
    return failure.error();
  }
}

}  // namespace quire::adapters::sql
