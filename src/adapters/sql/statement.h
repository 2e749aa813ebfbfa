#pragma once

#include <soci/soci.h>

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace quire::adapters::sql {

enum class CellKind { number, text };

/// The memory that a parameter or a column of a statement is bound to. Null when `indicator` is i_null.
struct Cell {
  explicit Cell(CellKind cell_kind) : kind(cell_kind) {}
  CellKind kind;
  long long number = 0;
  std::string text;
  soci::indicator indicator = soci::i_ok;
};

/// A statement that is prepared once and executed often. Its first run fixes the number and the kinds of parameters and
/// columns; those after it must have the same.
///
/// The order of calls for each run: start(), next_parameter() for each, add_column() for each if not prepared(),
/// execute(), and fetch() until it returns false: a statement that is left before that keeps its transaction's
/// snapshot. Throws soci::soci_error; after that the statement must not be used again.
class Statement {
 public:
  Statement(soci::session& session, std::string_view sql) : statement_(session), sql_(sql) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void start() { parameters_set_ = 0; }
  Cell& next_parameter(CellKind kind);
  bool prepared() const { return prepared_; }
  void add_column(CellKind kind) { columns_.emplace_back(kind); }

  bool execute();  ///< true when there is a first row
  bool fetch();    ///< true when there is a further row
  const Cell& column(std::size_t index) const { return columns_[index]; }
  long long affected_rows() { return statement_.get_affected_rows(); }

 private:
  void prepare();

  soci::statement statement_;
  const std::string sql_;
  std::deque<Cell> parameters_;  // of a deque: their addresses are bound
  std::deque<Cell> columns_;
  std::size_t parameters_set_ = 0;
  bool prepared_ = false;
};

}  // namespace quire::adapters::sql
