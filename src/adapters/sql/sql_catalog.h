#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "content/catalog.h"

namespace quire::adapters::sql {

struct SqliteOptions {
  std::size_t readers = 4;                       ///< connections for read transactions
  std::size_t reads_waiting_max = 10'000;        ///< read transactions that wait for one; more: ServiceUnavailable
  std::size_t writes_waiting_max = 10'000;       ///< write transactions in the queue; more: ServiceUnavailable
  std::size_t writes_per_commit_max = 256;       ///< write transactions that share one sync
  std::int64_t checkpoint_pages = 4000;          ///< the writer moves the log into the database file from here on
  std::chrono::milliseconds busy_timeout{5000};  ///< how long to wait for a lock of another process
  std::optional<std::int64_t> pages_max = {};    ///< bounds the database file; for tests of a full disk
};

/// Opens the catalog in the SQLite database file `path`, made if missing (its folder must be there), and brings its
/// schema up to date (docs/catalog-schema.md).
///
/// A write transaction runs on its caller's thread or with those that wait on another; read transactions run on their
/// caller's thread and wait for no writer. What a transaction's function throws, other than CatalogFailure, rolls it
/// back and reaches its caller. Destroying the catalog lets the queued writes finish; no call may begin meanwhile.
/// The caller makes sure that no other server has the file open.
///
/// Fails with Unsupported when a newer Quire has written the file, with UnableToAllocateResource when the disk is full,
/// ServiceUnavailable when the file cannot be opened or another process keeps it locked, else InternalServerError.
base::Result<std::unique_ptr<content::Catalog>> open_sqlite_catalog(const std::filesystem::path& path,
                                                                    const SqliteOptions& options = {});

/// Writes the database at `path` as it is at this moment, also while a server uses it, to the file `copy`, durably; a
/// crash leaves the file that was there before or the new one. Its schema is left as it is.
///
/// Fails like open_sqlite_catalog; NotFound when there is no database.
base::Result<void> copy_sqlite_catalog(const std::filesystem::path& path, const std::filesystem::path& copy);

/// The catalog in the SQLite file `path`, to be read only and as it is: its schema is not brought up to date, and a
/// server may go on with it. One read transaction at a time; writes fail with Unsupported.
///
/// NotFound when there is no database; Unsupported when its schema is not newest_catalog_schema(); else like
/// open_sqlite_catalog.
base::Result<std::unique_ptr<content::Catalog>> open_sqlite_catalog_to_read(const std::filesystem::path& path);

/// The schema that this version of Quire writes.
std::int64_t newest_catalog_schema();

/// What a database holds, whatever its schema.
struct CatalogSurvey {
  std::string engine;                                           ///< with its version
  std::int64_t schema = 0;                                      ///< 0: there is no catalog in it
  std::int64_t bytes = 0;                                       ///< its size on the disk
  std::vector<std::pair<std::string, std::int64_t>> rows = {};  ///< of each table, by its name
};

/// Counts every row, in one read transaction; nothing is changed, and a server may go on meanwhile. Fails like
/// open_sqlite_catalog_to_read, but not because of the schema.
base::Result<CatalogSurvey> survey_sqlite_catalog(const std::filesystem::path& path);

struct PostgresqlOptions {
  std::size_t connections = 8;                    ///< opened when first needed
  std::size_t transactions_waiting_max = 10'000;  ///< transactions that wait for one; more: ServiceUnavailable
  int tries = 20;  ///< runs of one write transaction whose result depends on others at the same time
};

/// Opens the catalog in the PostgreSQL database `url` (`postgresql://…`, or a libpq connection string) and brings its
/// schema up to date, one server at a time. Several servers may use one database.
///
/// Write transactions are SERIALIZABLE and run again when they collide with others; after `tries` runs they fail with
/// ServiceUnavailable. A connection that broke is replaced, and the transaction begins anew if it had not begun to
/// commit. When the connection breaks during the commit, the caller gets ServiceUnavailable, and only the database
/// knows whether the changes were made.
///
/// Fails like open_sqlite_catalog; ServiceUnavailable when the database cannot be reached.
base::Result<std::unique_ptr<content::Catalog>> open_postgresql_catalog(const std::string& url,
                                                                        const PostgresqlOptions& options = {});

/// As open_sqlite_catalog_to_read and survey_sqlite_catalog.
base::Result<std::unique_ptr<content::Catalog>> open_postgresql_catalog_to_read(const std::string& url);
base::Result<CatalogSurvey> survey_postgresql_catalog(const std::string& url);

/// How many other connections of Quire are open to the database, after those that are just ending had a few seconds to
/// go: of a server, or of a command that works on it. 0 where the database does not tell this user.
base::Result<std::int64_t> other_users_of_postgresql_catalog(const std::string& url);

/// Writes the catalog in the database `url`, as it is at one moment, also while servers use it, to the SQLite file
/// `copy`, durably; a crash leaves the file that was there before or the new one. Both engines have the same tables, so
/// what is a copy of one can be the catalog of the other.
///
/// Unsupported when its schema is not newest_catalog_schema(); else like open_postgresql_catalog and
/// copy_sqlite_catalog.
base::Result<void> copy_postgresql_catalog(const std::string& url, const std::filesystem::path& copy);

/// Makes the catalog of the SQLite file `path`, which must have the schema newest_catalog_schema(), the catalog of the
/// database `url`, in one transaction. ResourceInUse when there is a catalog in it already.
base::Result<void> fill_postgresql_catalog(const std::filesystem::path& path, const std::string& url);

}  // namespace quire::adapters::sql
