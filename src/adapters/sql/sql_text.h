#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// Which columns of two rows differ, in the order of each_column() and without those of the key.
class ChangedColumns {
 public:
  template <Described Row>
  static std::vector<bool> between(const Row& before, const Row& after) {
    ChangedColumns changed;
    each_column(changed, before);
    changed.comparing_ = true;
    each_column(changed, after);
    return std::move(changed.places_);
  }

  template <class T>
  void key(std::string_view, const T&) {}
  template <class T>
  void column(std::string_view, const T& value) {
    if (!comparing_)
      before_.push_back(&value);
    else
      places_.push_back(*static_cast<const T*>(before_[places_.size()]) != value);
  }
  template <class Make>
  void derived(std::string_view, Make make) {
    if (comparing_) {
      places_.push_back(derived_before_[derived_compared_++] != make());
      return;
    }
    derived_before_.push_back(make());
    before_.push_back(nullptr);
  }

 private:
  bool comparing_ = false;
  std::vector<const void*> before_;
  std::vector<std::string> derived_before_;
  std::size_t derived_compared_ = 0;
  std::vector<bool> places_;
};

/// Names the columns at `places`, as ChangedColumns counts them, for an UPDATE.
struct AssignmentsAt {
  const std::vector<bool>& places;
  ColumnNames names = {.form = as_assignment};
  std::size_t place = 0;

  template <class T>
  void key(std::string_view, const T&) {}
  template <class T>
  void column(std::string_view name, const T&) {
    if (places[place++]) names.add(name);
  }
  template <class Make>
  void derived(std::string_view name, Make) {
    if (places[place++]) names.add(name);
  }
};

/// `UPDATE <table of Row> SET <its columns at places> <rest>`
template <Described Row>
std::string update_set_at(const std::vector<bool>& places, std::string_view rest) {
  const Row row;
  AssignmentsAt assignments{places};
  each_column(assignments, row);
  return "UPDATE " + std::string(table_of<Row>) + " SET " + assignments.names.names + " " + std::string(rest);
}

/// `UPDATE <table of Row> SET <its columns without the key> <rest>`
template <Described Row>
std::string update_set(std::string_view rest) {
  return "UPDATE " + std::string(table_of<Row>) + " SET " + names_of<Row>({.keys = false, .form = as_assignment}) +
         " " + std::string(rest);
}

}  // namespace quire::adapters::sql
