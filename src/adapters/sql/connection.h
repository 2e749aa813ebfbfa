#pragma once

#include <soci/soci.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/sql/rows.h"
#include "adapters/sql/sql_text.h"
#include "adapters/sql/statement.h"

namespace quire::adapters::sql {

/// A parameter that is left out, with its place in the statement, when there is no value.
template <class T>
struct IfGiven {
  const std::optional<T>& value;
};
template <class T>
IfGiven(const std::optional<T>&) -> IfGiven<T>;

/// A parameter for each value; the statement's text has as many.
template <class T>
struct EachOf {
  const std::vector<T>& values;
};
template <class T>
EachOf(const std::vector<T>&) -> EachOf<T>;

/// Of a row, the columns of its key, as a WHERE names them.
template <class Row>
struct KeyOnly {
  const Row& row;
};
template <class Row>
KeyOnly(const Row&) -> KeyOnly<Row>;

/// Of a row, the columns without those of its key, as an UPDATE sets them.
template <class Row>
struct WithoutKey {
  const Row& row;
};
template <class Row>
WithoutKey(const Row&) -> WithoutKey<Row>;

/// Of those, the ones at the places in `places`.
template <class Row>
struct ColumnsAt {
  const Row& row;
  const std::vector<bool>& places;
};
template <class Row>
ColumnsAt(const Row&, const std::vector<bool>&) -> ColumnsAt<Row>;

/// One connection to a database, with the statements prepared on it. Used by one thread at a time.
///
/// Parameters are single values, structures of rows.h (all columns in order), IfGiven, EachOf, KeyOnly, WithoutKey
/// or ColumnsAt. A row type is a single value, a structure or a pair of both. Whatever the engine reports leaves as
/// content::CatalogFailure.
class Connection {
 public:
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs a statement that returns no rows; how many rows it changed.
  template <class... Parameters>
  long long run(std::string_view sql, const Parameters&... parameters) {
    return guard(sql, [&](Statement& statement) {
      bind(statement, parameters...);
      statement.execute();
      return statement.affected_rows();
    });
  }

  /// All rows.
  template <class Row, class... Parameters>
  std::vector<Row> all(std::string_view sql, const Parameters&... parameters) {
    return guard(sql, [&](Statement& statement) {
      bind(statement, parameters...);
      if (!statement.prepared()) define(statement, Row());
      std::vector<Row> rows;
      for (bool more = statement.execute(); more; more = statement.fetch()) read(statement, rows.emplace_back());
      return rows;
    });
  }

  /// The first row.
  template <class Row, class... Parameters>
  std::optional<Row> one(std::string_view sql, const Parameters&... parameters) {
    return guard(sql, [&](Statement& statement) {
      bind(statement, parameters...);
      if (!statement.prepared()) define(statement, Row());
      std::optional<Row> row;
      for (bool more = statement.execute(); more; more = statement.fetch())
        if (!row) read(statement, row.emplace());
      return row;
    });
  }

  /// Runs a statement without parameters and results once, without keeping it.
  void run_once(const std::string& sql);

  /// For statements that are made while the program runs: their parameters, and the kinds of their columns.
  using Cells = std::vector<Cell>;
  void run_with(std::string_view sql, std::span<const Cell> parameters);
  std::vector<Cells> all_cells(std::string_view sql, std::span<const CellKind> columns,
                               std::span<const Cell> parameters);

  /// True when an UPDATE costs an entry of each index on a column that it sets, whether the value changes or not.
  virtual bool updates_every_index() const = 0;
  /// What the engine itself finds wrong with its files, a sentence each; none where it looks after them on its own.
  virtual std::vector<std::string> damage_of_file() { return {}; }
  /// Waits until no other transaction may commit events with lower numbers than those that this one appends now.
  virtual void await_turn_for_events() = 0;

 protected:
  /// Connects; what SOCI throws then leaves as it is.
  Connection(const soci::backend_factory& factory, const std::string& parameters) : session_(factory, parameters) {}

  /// The content::CatalogFailure that `error` means.
  virtual std::exception_ptr failure(const soci::soci_error& error, std::string_view sql) = 0;
  /// Destroys a statement that failed, now or at a better moment, but before the connection.
  virtual void dispose(std::unique_ptr<Statement> failed) = 0;

  soci::session& session() { return session_; }

 private:
  template <class T>
  static void bind_one(Statement& statement, const T& value) {
    if constexpr (Described<T>)
      bind_columns<is_written>(statement, value);
    else
      bind_value(statement, value);
  }
  template <class T>
  static void bind_one(Statement& statement, const IfGiven<T>& parameter) {
    if (parameter.value) bind_one(statement, *parameter.value);
  }
  template <class T>
  static void bind_one(Statement& statement, const EachOf<T>& parameter) {
    for (const auto& value : parameter.values) bind_one(statement, value);
  }
  template <class Row>
  static void bind_one(Statement& statement, const KeyOnly<Row>& parameter) {
    bind_columns<is_key>(statement, parameter.row);
  }
  template <class Row>
  static void bind_one(Statement& statement, const WithoutKey<Row>& parameter) {
    bind_columns<is_updated>(statement, parameter.row);
  }
  template <class Row>
  static void bind_one(Statement& statement, const ColumnsAt<Row>& parameter) {
    std::size_t place = 0;
    each_column<Row>([&]<ColumnUse use, class Value>(const Column<use, Value>& column) {
      if constexpr (is_updated(use))
        if (parameter.places[place++]) bind_value(statement, std::invoke(column.value, parameter.row));
    });
  }
  template <bool (*wanted)(ColumnUse), class Row>
  static void bind_columns(Statement& statement, const Row& row) {
    each_column<Row>([&]<ColumnUse use, class Value>(const Column<use, Value>& column) {
      if constexpr (wanted(use)) bind_value(statement, std::invoke(column.value, row));
    });
  }
  template <class T>
  static void bind_value(Statement& statement, const T& value) {
    Encoding<T>::put(statement.next_parameter(Encoding<T>::kind), value);
  }
  template <class... Parameters>
  static void bind(Statement& statement, const Parameters&... parameters) {
    statement.start();
    (bind_one(statement, parameters), ...);
  }
  template <class T>
  static void define(Statement& statement, const T& value) {
    if constexpr (Described<T>)
      each_column<T>([&]<ColumnUse use, class Value>(const Column<use, Value>& column) {
        if constexpr (is_read(use)) define(statement, std::invoke(column.value, value));
      });
    else
      statement.add_column(Encoding<T>::kind);
  }
  template <class First, class Second>
  static void define(Statement& statement, const std::pair<First, Second>& row) {
    define(statement, row.first);
    define(statement, row.second);
  }

  template <class T>
  static void read(Statement& statement, std::size_t& next, T& row) {
    if constexpr (Described<T>)
      each_column<T>([&]<ColumnUse use, class Value>(const Column<use, Value>& column) {
        if constexpr (is_read(use)) read(statement, next, row.*column.value);
      });
    else
      Encoding<T>::get(statement.column(next++), row);
  }
  template <class First, class Second>
  static void read(Statement& statement, std::size_t& next, std::pair<First, Second>& row) {
    read(statement, next, row.first);
    read(statement, next, row.second);
  }
  template <class Row>
  static void read(Statement& statement, Row& row) {
    std::size_t next = 0;
    read(statement, next, row);
  }

  /// A statement is not used again after any failure: SOCI leaves it finalised (SQLite) or with old parameters
  /// (PostgreSQL), or rows of it were left unread.
  template <class Use>
  auto guard(std::string_view sql, Use use) {
    Statement& kept = statement(sql);
    try {
      return use(kept);
    } catch (const soci::soci_error& error) {
      discard(sql);
      std::rethrow_exception(failure(error, sql));
    } catch (...) {
      discard(sql);
      throw;
    }
  }

  Statement& statement(std::string_view sql);
  void discard(std::string_view sql);

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  soci::session session_;
  // Ends before the session does.
  std::unordered_map<std::string, std::unique_ptr<Statement>, TextHash, std::equal_to<>> statements_;
};

}  // namespace quire::adapters::sql
