#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sql/migrations.h"
#include "adapters/sql/postgresql_connection.h"
#include "adapters/sql/sql_catalog.h"
#include "adapters/sql/sqlite_connection.h"

/// Catalogs from one engine to the other: both have the same tables, with numbers and texts alone.

namespace quire::adapters::sql {
namespace {

using base::Result;

/// Rows that are held in memory at once; one may have a small file in it.
constexpr std::size_t rows_at_once = 200;

struct TableColumn {
  std::string name;
  CellKind kind;
  bool key;
};

std::vector<TableColumn> columns_of(Connection& sqlite, const std::string& table) {
  std::vector<TableColumn> columns;
  const auto found = sqlite.all<std::pair<std::string, std::pair<std::string, std::int64_t>>>(
      "SELECT name, type, pk FROM pragma_table_info(:name) ORDER BY cid", table);
  for (const auto& [name, facts] : found)
    columns.push_back({name, facts.first == "TEXT" ? CellKind::text : CellKind::number, facts.second > 0});
  return columns;
}

template <class Form>
std::string joined(const std::vector<TableColumn>& columns, Form form, bool keys_alone = false) {
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!keys_alone || columns[i].key) text += (text.empty() ? "" : ", ") + form(i);
  return text;
}

/// Goes through a table by its key, so that no statement's result is larger than a page.
class TableCopy {
 public:
  TableCopy(Connection& from, Connection& to, std::string table, std::vector<TableColumn> columns)
      : from_(from), to_(to), table_(std::move(table)), columns_(std::move(columns)) {
    for (const auto& column : columns_) kinds_.push_back(column.kind);
  }

  void run(std::string_view inserting) {
    const auto name = [&](std::size_t i) { return columns_[i].name; };
    const auto parameter = [](std::size_t i) { return ":p" + std::to_string(i); };
    const auto keys = joined(columns_, name, true);
    const auto begin = "SELECT " + joined(columns_, name) + " FROM " + table_;
    const auto end = " ORDER BY " + keys + " LIMIT " + std::to_string(rows_at_once);
    const auto further = begin + " WHERE (" + keys + ") > (" + joined(columns_, parameter, true) + ")" + end;
    insert_ = "INSERT INTO " + table_ + " (" + joined(columns_, name) + ") " + std::string(inserting) + " VALUES (" +
              joined(columns_, parameter) + ")";
    auto page = from_.all_cells(begin + end, kinds_, {});
    while (!page.empty()) {
      for (const auto& row : page) to_.run_with(insert_, row);
      page = from_.all_cells(further, kinds_, key_of(page.back()));
    }
  }

 private:
  Connection::Cells key_of(const Connection::Cells& row) const {
    Connection::Cells key;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].key) key.push_back(row[i]);
    return key;
  }

  Connection& from_;
  Connection& to_;
  const std::string table_;
  const std::vector<TableColumn> columns_;
  std::vector<CellKind> kinds_;
  std::string insert_;
};

/// In the order in which they were made, so that what a row names comes before it; without the one that tells the
/// schema, which the target has.
std::vector<std::string> tables_in_order(Connection& sqlite) {
  return sqlite.all<std::string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'schema_migrations'"
      " ORDER BY rowid");
}

/// All rows of all tables, to a catalog of the same schema that has none. `described` is the one of the two that is
/// SQLite. `inserting`: words between the columns and the values of an INSERT, or nothing.
void copy_rows(Connection& from, Connection& to, Connection& described, std::string_view inserting) {
  for (const auto& table : tables_in_order(described))
    TableCopy(from, to, table, columns_of(described, table)).run(inserting);
}

void remove_sqlite(const std::string& path) {
  std::error_code ignored;
  for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix, ignored);
}

constexpr int tries = 1;  // nothing here collides

Result<void> copy_into(const std::string& url, const std::string& unfinished, const std::filesystem::path& copy) {
  const auto from = PostgresqlConnection::open(url, tries);
  from->begin(PostgresqlConnection::begin_reading);
  QUIRE_RETURN_IF_ERROR(check_newest_schema(schema_to_read(*from, postgresql_words())));
  const auto to = SqliteConnection::for_writing(unfinished, {});
  to->run_once("PRAGMA foreign_keys = OFF");  // the rows as they are, also where they contradict each other
  to->run("BEGIN IMMEDIATE");
  QUIRE_RETURN_IF_ERROR(migrate(*to, sqlite_words()));
  copy_rows(*from, *to, *to, "");
  to->run("COMMIT");
  from->roll_back();
  to->copy_to(copy);
  return {};
}

/// Numbers go on behind the highest that is there.
void go_on_numbering(Connection& postgresql) {
  postgresql.one<std::int64_t>(
      "SELECT setval(pg_get_serial_sequence('events', 'number'),"
      " (SELECT COALESCE(MAX(number), 0) + 1 FROM events), false)");
}

}  // namespace

Result<void> copy_postgresql_catalog(const std::string& url, const std::filesystem::path& copy) {
  const auto unfinished = copy.string() + ".rows";
  remove_sqlite(unfinished);
  auto copied = [&]() -> Result<void> {
    try {
      return copy_into(url, unfinished, copy);
    } catch (const content::CatalogFailure& failure) {
      return failure.error();
    }
  }();
  remove_sqlite(unfinished);
  return copied;
}

Result<void> fill_postgresql_catalog(const std::filesystem::path& path, const std::string& url) {
  try {
    const auto from = SqliteConnection::for_reading(path, {});
    from->run("BEGIN");
    QUIRE_RETURN_IF_ERROR(check_newest_schema(schema_to_read(*from, sqlite_words())));
    const auto to = PostgresqlConnection::open(url, tries);
    to->begin(PostgresqlConnection::begin_migrating);
    to->run("SELECT pg_advisory_xact_lock(:number)", static_cast<std::int64_t>(AdvisoryLock::migrating));
    if (schema_to_read(*to, postgresql_words()) != 0) {
      to->roll_back();
      return base::Error(base::ErrorKind::resource_in_use, "quire.catalog.not_empty",
                         "There is a catalog in the database already. Name an empty one, or drop that one first.");
    }
    if (auto made = migrate(*to, postgresql_words()); !made) return made;
    copy_rows(*from, *to, *from, "OVERRIDING SYSTEM VALUE");
    go_on_numbering(*to);
    to->commit();
    from->roll_back();
    return {};
  } catch (const content::CatalogFailure& failure) {
    return failure.error();
  }
}

}  // namespace quire::adapters::sql
