#include <spdlog/spdlog.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "adapters/sql/catalog_survey.h"
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
  std::optional<std::uint64_t> libraries_version() const override { return writer_.libraries_version(); }

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

/// For whoever looks at the file of a server.
class SqliteCatalogToRead final : public content::Catalog {
 public:
  explicit SqliteCatalogToRead(std::unique_ptr<SqliteConnection> connection) : connection_(std::move(connection)) {}

  Result<void> read_transaction(const std::function<Result<void>(content::CatalogReader&)>& function) override {
    const std::lock_guard lock(mutex_);
    try {
      connection_->run("BEGIN");
      CatalogView view(*connection_);
      auto outcome = function(view);
      connection_->roll_back();
      return outcome;
    } catch (const content::CatalogFailure& failure) {
      connection_->roll_back();
      return failure.error();
    } catch (...) {
      connection_->roll_back();
      throw;
    }
  }
  Result<void> write_transaction(const std::function<Result<void>(content::CatalogWriter&)>&) override {
    return opened_to_read();
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<SqliteConnection> connection_;
};

Result<void> check_there(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) return {};
  return base::Error(base::ErrorKind::not_found, "quire.catalog.not_found", "There is no catalog at {path}.",
                     {{"path", path.string()}});
}

/// Keeps the catalog as an older version of Quire wrote it, in the folder before-upgrade beside it: whoever wants to go
/// back finds a catalog that the older version reads. The copy of an earlier upgrade from the same schema is replaced.
void keep_copy_before_migration(SqliteConnection& connection, const std::filesystem::path& path) {
  const auto present = schema_of(connection, sqlite_words());
  if (present == 0 || present >= newest_schema()) return;
  const auto folder = path.parent_path() / "before-upgrade";
  const auto copy = (folder / path.filename()).string() + ".schema-" + std::to_string(present);
  connection.copy_to(copy);
  spdlog::info("The catalog is brought from schema {} to {}; it is kept as it was in {}.", present, newest_schema(),
               copy);
}

/// Inside a transaction of its own.
Result<void> bring_up_to_date(SqliteConnection& connection) {
  connection.run("BEGIN IMMEDIATE");
  auto migrated = migrate(connection, sqlite_words());
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
    keep_copy_before_migration(*connection, path);
    QUIRE_RETURN_IF_ERROR(bring_up_to_date(*connection));
    return std::unique_ptr<content::Catalog>(new SqliteCatalog(path, options, std::move(connection)));
  } catch (const content::CatalogFailure& failure) {
    return failure.error();
  }
}

Result<void> copy_sqlite_catalog(const std::filesystem::path& path, const std::filesystem::path& copy) {
  QUIRE_RETURN_IF_ERROR(check_there(path));
  try {
    SqliteConnection::for_writing(path, {})->copy_to(copy);
    return {};
  } catch (const content::CatalogFailure& failure) {
    return failure.error();
  }
}

Result<std::unique_ptr<content::Catalog>> open_sqlite_catalog_to_read(const std::filesystem::path& path) {
  QUIRE_RETURN_IF_ERROR(check_there(path));
  try {
    auto connection = SqliteConnection::for_reading(path, {});
    QUIRE_RETURN_IF_ERROR(check_newest_schema(schema_to_read(*connection, sqlite_words())));
    return std::unique_ptr<content::Catalog>(std::make_unique<SqliteCatalogToRead>(std::move(connection)));
  } catch (const content::CatalogFailure& failure) {
    return failure.error();
  }
}

Result<CatalogSurvey> survey_sqlite_catalog(const std::filesystem::path& path) {
  QUIRE_RETURN_IF_ERROR(check_there(path));
  try {
    const auto connection = SqliteConnection::for_reading(path, {});
    connection->run("BEGIN");
    auto found = survey(*connection, sqlite_words());
    found.engine = "SQLite " + connection->one<std::string>("SELECT sqlite_version()").value_or("");
    found.bytes =
        connection->one<std::int64_t>("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            .value_or(0);
    connection->roll_back();
    return found;
  } catch (const content::CatalogFailure& failure) {
    return failure.error();
  }
}

}  // namespace quire::adapters::sql
