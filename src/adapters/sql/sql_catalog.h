#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

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

}  // namespace quire::adapters::sql
