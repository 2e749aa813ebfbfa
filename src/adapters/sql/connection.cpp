#include "adapters/sql/connection.h"

namespace quire::adapters::sql {
namespace {

void bind_cells(Statement& statement, std::span<const Cell> parameters) {
  statement.start();
  for (const auto& parameter : parameters) {
    auto& cell = statement.next_parameter(parameter.kind);
    cell.number = parameter.number;
    cell.text = parameter.text;
    cell.indicator = parameter.indicator;
  }
}

}  // namespace

Statement& Connection::statement(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end())
    found = statements_.emplace(std::string(sql), std::make_unique<Statement>(session_, sql)).first;
  return *found->second;
}

void Connection::discard(std::string_view sql) {
  const auto found = statements_.find(sql);
  auto failed = std::move(found->second);
  statements_.erase(found);
  dispose(std::move(failed));
}

void Connection::run_once(const std::string& sql) {
  try {
    session_.once << sql;
  } catch (const soci::soci_error& error) {
    std::rethrow_exception(failure(error, sql));
  }
}

void Connection::run_with(std::string_view sql, std::span<const Cell> parameters) {
  guard(sql, [&](Statement& statement) {
    bind_cells(statement, parameters);
    statement.execute();
    return statement.affected_rows();
  });
}

std::vector<Connection::Cells> Connection::all_cells(std::string_view sql, std::span<const CellKind> columns,
                                                     std::span<const Cell> parameters) {
  return guard(sql, [&](Statement& statement) {
    bind_cells(statement, parameters);
    if (!statement.prepared())
      for (const auto kind : columns) statement.add_column(kind);
    std::vector<Cells> rows;
    for (bool more = statement.execute(); more; more = statement.fetch()) {
      auto& row = rows.emplace_back();
      for (std::size_t i = 0; i < columns.size(); ++i) row.push_back(statement.column(i));
    }
    return rows;
  });
}

}  // namespace quire::adapters::sql
