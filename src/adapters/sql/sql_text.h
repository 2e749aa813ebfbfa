#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sql/rows.h"

namespace quire::adapters::sql {

/// The names of the columns of Row's table whose use `wanted` accepts, each as `form` makes it.
template <Described Row, class Wanted, class Form>
std::string names_of(Wanted wanted, Form form, std::string_view between = ", ") {
  std::string names;
  each_column<Row>([&](const auto& column) {
    if (!wanted(column.use)) return;
    if (!names.empty()) names += between;
    names += form(column.name);
  });
  return names;
}

inline std::string as_name(std::string_view name) { return std::string(name); }
inline std::string as_parameter(std::string_view name) { return ":" + std::string(name); }
inline std::string as_assignment(std::string_view name) { return std::string(name) + " = :" + std::string(name); }
inline std::string as_replacement(std::string_view name) {
  return std::string(name) + " = excluded." + std::string(name);
}

constexpr bool is_key(ColumnUse use) { return use.key; }
constexpr bool is_read(ColumnUse use) { return use.read; }
constexpr bool is_written(ColumnUse use) { return use.written; }
constexpr bool is_updated(ColumnUse use) { return use.written && !use.key; }

/// `SELECT <first> <columns of Row> FROM <its table> <rest>`
template <Described Row>
std::string select_from(std::string_view rest, std::string_view first = "") {
  return "SELECT " + std::string(first) + names_of<Row>(is_read, as_name) + " FROM " + std::string(table_of<Row>.name) +
         " " + std::string(rest);
}

/// `WHERE <owner and key of Row, each with a parameter>`
template <Described Row>
std::string by_key() {
  const auto key = names_of<Row>(is_key, as_assignment, " AND ");
  return "WHERE " + (table_of<Row>.owner.empty() ? key : as_assignment(table_of<Row>.owner) + " AND " + key);
}

/// `WHERE <owner of Row> = <a parameter>`
template <Described Row>
std::string by_owner() {
  return "WHERE " + as_assignment(table_of<Row>.owner);
}

/// `INSERT INTO <table of Row> (<columns> <columns of Row>) VALUES (<values> <a parameter for each>)`. The parameters
/// of a part are its owner, once more its owner if parts are ordered, then the row.
template <Described Row>
std::string insert_into(std::string_view more_columns = "", std::string_view more_values = "") {
  constexpr const auto& table = table_of<Row>;
  std::string columns(more_columns);
  std::string values(more_values);
  const auto owner = std::string(table.owner);
  if (!owner.empty()) {
    columns += owner + ", ";
    values += as_parameter(owner) + ", ";
  }
  if (table.order == Order::as_added) {
    columns += "position, ";
    values += "(SELECT COALESCE(MAX(position), 0) + 1 FROM " + std::string(table.name) + " WHERE " + owner +
              " = :same_owner), ";
  }
  return "INSERT INTO " + std::string(table.name) + " (" + columns + names_of<Row>(is_written, as_name) + ") VALUES (" +
         values + names_of<Row>(is_written, as_parameter) + ")";
}

/// As insert_into(), but a row of the same key is replaced.
template <Described Row>
std::string insert_or_replace() {
  const auto key = names_of<Row>(is_key, as_name);
  const auto owner = std::string(table_of<Row>.owner);
  return insert_into<Row>() + " ON CONFLICT (" + (owner.empty() ? key : owner + ", " + key) + ") DO UPDATE SET " +
         names_of<Row>(is_updated, as_replacement);
}

/// `UPDATE <table of Row> SET <its columns without the key> <by_key()>`
template <Described Row>
std::string update_set() {
  return "UPDATE " + std::string(table_of<Row>.name) + " SET " + names_of<Row>(is_updated, as_assignment) + " " +
         by_key<Row>();
}

/// Which columns of two rows differ, of those that an UPDATE sets.
template <Described Row>
std::vector<bool> changed_columns(const Row& before, const Row& after) {
  std::vector<bool> places;
  each_column<Row>([&]<ColumnUse use, class Value>(const Column<use, Value>& column) {
    if constexpr (is_updated(use))
      places.push_back(std::invoke(column.value, before) != std::invoke(column.value, after));
  });
  return places;
}

/// `UPDATE <table of Row> SET <its columns at places, as changed_columns() counts them> <by_key()>`
template <Described Row>
std::string update_set_at(const std::vector<bool>& places) {
  std::size_t place = 0;
  const auto at_place = [&](ColumnUse use) { return is_updated(use) && places[place++]; };
  return "UPDATE " + std::string(table_of<Row>.name) + " SET " + names_of<Row>(at_place, as_assignment) + " " +
         by_key<Row>();
}

}  // namespace quire::adapters::sql
