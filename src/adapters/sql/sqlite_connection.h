#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sql/connection.h"
#include "adapters/sql/sql_catalog.h"

namespace quire::adapters::sql {

/// A connection to a SQLite database file, in WAL mode.
class SqliteConnection final : public Connection {
 public:
  /// Throws content::CatalogFailure when the file cannot be opened.
  static std::unique_ptr<SqliteConnection> for_writing(const std::filesystem::path& path, const SqliteOptions& options);
  static std::unique_ptr<SqliteConnection> for_reading(const std::filesystem::path& path, const SqliteOptions& options);

  /// False too after SQLite has rolled a transaction back on its own, as it does when the disk is full.
  bool in_transaction();
  bool updates_every_index() const override { return true; }
  std::vector<std::string> damage_of_file() override;
  void await_turn_for_events() override {}  // there is one writer at a time
  /// Rows that were inserted, updated or removed since the connection was opened.
  std::int64_t changes();
  /// Writes the database as it is now to the file `copy`, durably, replacing what is there; a crash leaves the old file
  /// or the new one. Its folder is made if missing, for this user only. Not inside a transaction. Throws
  /// content::CatalogFailure.
  void copy_to(const std::filesystem::path& copy);
  /// Ends a transaction if one is open; never throws.
  void roll_back();

 protected:
  std::exception_ptr failure(const soci::soci_error& error, std::string_view sql) override;
  void dispose(std::unique_ptr<Statement> failed) override;

 private:
  explicit SqliteConnection(const std::string& parameters);
  static std::unique_ptr<SqliteConnection> open(const std::filesystem::path& path, const SqliteOptions& options);
};

}  // namespace quire::adapters::sql
