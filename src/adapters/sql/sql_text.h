#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "adapters/sql/rows.h"

namespace quire::adapters::sql {

/// Collects the names that a kind of statement needs, as `name` or with `form` around each.
struct ColumnNames {
  bool keys = true;
  bool derived_ones = true;
  std::string (*form)(std::string_view name) = [](std::string_view name) { return std::string(name); };
  std::string names = {};

  template <class T>
  void key(std::string_view name, const T&) {
    if (keys) add(name);
  }
  template <class T>
  void column(std::string_view name, const T&) {
    add(name);
  }
  template <class Make>
  void derived(std::string_view name, Make) {
    if (derived_ones) add(name);
  }

  void add(std::string_view name) {
    if (!names.empty()) names += ", ";
    names += form(name);
  }
};

template <Described Row>
std::string names_of(ColumnNames names) {
  const Row row;
  each_column(names, row);
  return std::move(names.names);
}

inline std::string as_parameter(std::string_view name) { return ":" + std::string(name); }
inline std::string as_assignment(std::string_view name) { return std::string(name) + " = :" + std::string(name); }
inline std::string as_replacement(std::string_view name) {
  return std::string(name) + " = excluded." + std::string(name);
}

/// `SELECT <first> <columns of Row> FROM <its table> <rest>`
template <Described Row>
std::string select_from(std::string_view rest, std::string_view first = "") {
  return "SELECT " + std::string(first) + names_of<Row>({.derived_ones = false}) + " FROM " +
         std::string(table_of<Row>) + " " + std::string(rest);
}

/// `INSERT INTO <table of Row> (<columns> <columns of Row>) VALUES (<values> <a parameter for each>)`
template <Described Row>
std::string insert_into(std::string_view columns = "", std::string_view values = "") {
  return "INSERT INTO " + std::string(table_of<Row>) + " (" + std::string(columns) + names_of<Row>({}) + ") VALUES (" +
         std::string(values) + names_of<Row>({.form = as_parameter}) + ")";
}

/// `UPDATE <table of Row> SET <its columns without the key> <rest>`
template <Described Row>
std::string update_set(std::string_view rest) {
  return "UPDATE " + std::string(table_of<Row>) + " SET " + names_of<Row>({.keys = false, .form = as_assignment}) +
         " " + std::string(rest);
}

}  // namespace quire::adapters::sql
