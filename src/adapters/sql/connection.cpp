#include "adapters/sql/connection.h"

namespace quire::adapters::sql {

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

}  // namespace quire::adapters::sql
