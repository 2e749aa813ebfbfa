#include "adapters/sql/sqlite_connection.h"

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "adapters/sql/engine_errors.h"

namespace quire::adapters::sql {
namespace {

sqlite_api::sqlite3* sqlite_handle(soci::session& session) {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

/// SQLite without the locks that nobody here needs: a connection is used by one thread at a time, and nobody asks for
/// its memory figures, which are counted under one lock for all threads. Has no effect, and no harm, when something
/// else in the process has used SQLite before.
void configure_sqlite_once() {
  static const bool done = [] {
    sqlite_api::sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite_api::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return true;
  }();
  static_cast<void>(done);
}

/// `cause` stands in for what(), to which SOCI adds the parameters' values: they may be secrets.
base::Error error_of(const soci::soci_error& error, int system_errno, std::string cause) {
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  const int code = sqlite == nullptr ? SQLITE_ERROR : sqlite->result() & 0xFF;
  const bool no_space = system_errno == ENOSPC || system_errno == EDQUOT;
  if (code == SQLITE_FULL || ((code == SQLITE_IOERR || code == SQLITE_CANTOPEN) && no_space))
    return storage_full(std::move(cause));
  if (code == SQLITE_BUSY || code == SQLITE_CANTOPEN) return unreachable(std::move(cause));
  return base::internal_error(std::move(cause));
}

/// SOCI takes `db=…` pairs, with quotes around blanks but no way to escape a quote, or a bare path without `=`.
std::string parameters_for(const std::filesystem::path& path) {
  const std::string& text = path.native();
  if (text.find('=') == std::string::npos) return text;
  if (text.find('"') == std::string::npos) return "db=\"" + text + "\"";
  throw content::CatalogFailure(
      base::Error(base::ErrorKind::unsupported, "quire.catalog.path_unsupported",
                  "The catalog cannot lie at {path}: the path holds both '=' and '\"'. Choose another data folder.",
                  {{"path", text}}));
}

content::CatalogFailure failed_call(const char* call, const std::filesystem::path& path) {
  const auto error = errno;
  auto cause = std::string(call) + " " + path.string() + ": " + std::generic_category().message(error);
  return content::CatalogFailure(error == ENOSPC || error == EDQUOT ? storage_full(std::move(cause))
                                                                    : base::internal_error(std::move(cause)));
}

/// A file, or a folder's entries, to the disk.
void sync(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw failed_call("open", path);
  const bool synced = ::fsync(file) == 0;
  const auto failure = failed_call("fsync", path);
  ::close(file);
  if (!synced) throw failure;
}

}  // namespace

SqliteConnection::SqliteConnection(const std::string& parameters) : Connection(soci::sqlite3, parameters) {}

std::unique_ptr<SqliteConnection> SqliteConnection::open(const std::filesystem::path& path,
                                                         const SqliteOptions& options) {
  configure_sqlite_once();
  const auto parameters = parameters_for(path);
  std::unique_ptr<SqliteConnection> connection;
  try {
    connection.reset(new SqliteConnection(parameters));
  } catch (const soci::soci_error& error) {
    throw content::CatalogFailure(error_of(error, errno, path.string() + ": " + error.get_error_message()));
  }
  connection->run_once("PRAGMA busy_timeout = " + std::to_string(options.busy_timeout.count()));
  const auto mode = connection->one<std::string>("PRAGMA journal_mode = WAL");
  if (mode != "wal")
    throw content::CatalogFailure(base::Error(
        base::ErrorKind::unsupported, "quire.catalog.no_wal",
        "The catalog cannot lie at {path}: its file system does not support shared memory, which SQLite's write-ahead "
        "log needs. Put the data folder on a local disk.",
        {{"path", path.string()}}));
  connection->run_once("PRAGMA temp_store = MEMORY");
  connection->run_once("PRAGMA cache_size = -16384");  // KiB
  return connection;
}

void SqliteConnection::copy_to(const std::filesystem::path& copy) {
  const auto folder = copy.parent_path();
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) throw failed_call("mkdir", folder);
  sync(folder.parent_path());
  const auto unfinished = copy.string() + ".unfinished";
  std::error_code ignored;
  std::filesystem::remove(unfinished, ignored);
  run("VACUUM INTO :copy", unfinished);
  sync(unfinished);
  if (::rename(unfinished.c_str(), copy.c_str()) != 0) throw failed_call("rename", copy);
  sync(folder);
}

std::unique_ptr<SqliteConnection> SqliteConnection::for_writing(const std::filesystem::path& path,
                                                                const SqliteOptions& options) {
  auto connection = open(path, options);
  connection->run_once("PRAGMA synchronous = FULL");  // each commit is synced
  connection->run_once("PRAGMA foreign_keys = ON");
  connection->run_once("PRAGMA wal_autocheckpoint = " + std::to_string(options.checkpoint_pages));
  if (options.pages_max) connection->run_once("PRAGMA max_page_count = " + std::to_string(*options.pages_max));
  return connection;
}

std::unique_ptr<SqliteConnection> SqliteConnection::for_reading(const std::filesystem::path& path,
                                                                const SqliteOptions& options) {
  auto connection = open(path, options);
  connection->run_once("PRAGMA query_only = ON");
  return connection;
}

std::vector<std::string> SqliteConnection::damage_of_file() {
  auto told = all<std::string>("PRAGMA integrity_check(100)");
  if (told == std::vector<std::string>{"ok"}) told.clear();
  return told;
}

bool SqliteConnection::in_transaction() { return sqlite_api::sqlite3_get_autocommit(sqlite_handle(session())) == 0; }

std::int64_t SqliteConnection::changes() { return sqlite_api::sqlite3_total_changes(sqlite_handle(session())); }

void SqliteConnection::roll_back() {
  try {
    if (in_transaction()) run("ROLLBACK");
  } catch (const content::CatalogFailure&) {  // NOLINT(bugprone-empty-catch)
    // It fails only when SQLite has rolled back already.
  }
}

std::exception_ptr SqliteConnection::failure(const soci::soci_error& error, std::string_view sql) {
  return std::make_exception_ptr(
      content::CatalogFailure(error_of(error, sqlite_api::sqlite3_system_errno(sqlite_handle(session())),
                                       error.get_error_message() + " in " + std::string(sql))));
}

/// At once: a statement with unread rows would hold the transaction's snapshot.
void SqliteConnection::dispose(std::unique_ptr<Statement> failed) { failed.reset(); }

}  // namespace quire::adapters::sql
