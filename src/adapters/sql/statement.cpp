#include "adapters/sql/statement.h"

#include "base/check.h"

namespace quire::adapters::sql {

Cell& Statement::next_parameter(CellKind kind) {
  if (parameters_set_ == parameters_.size()) {
    QUIRE_CHECK(!prepared_);
    parameters_.emplace_back(kind);
  }
  Cell& cell = parameters_[parameters_set_++];
  QUIRE_CHECK(cell.kind == kind);
  return cell;
}

void Statement::prepare() {
  for (auto& cell : parameters_) {
    if (cell.kind == CellKind::number)
      statement_.exchange(soci::use(cell.number, cell.indicator));
    else
      statement_.exchange(soci::use(cell.text, cell.indicator));
  }
  for (auto& cell : columns_) {
    if (cell.kind == CellKind::number)
      statement_.exchange(soci::into(cell.number, cell.indicator));
    else
      statement_.exchange(soci::into(cell.text, cell.indicator));
  }
  statement_.alloc();
  statement_.prepare(sql_);
  statement_.define_and_bind();
  prepared_ = true;
}

bool Statement::execute() {
  if (!prepared_) prepare();
  QUIRE_CHECK(parameters_set_ == parameters_.size());
  const bool row = statement_.execute(true);
  return row && !columns_.empty();
}

bool Statement::fetch() { return statement_.fetch(); }

}  // namespace quire::adapters::sql
