#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sql/connection.h"

namespace quire::adapters::sql {

/// A transaction met others: it may work when it runs again, at most `runs_max` times in all.
class Collision : public content::CatalogFailure {
 public:
  Collision(base::Error error, int runs_max) : CatalogFailure(std::move(error)), runs_max_(runs_max) {}
  int runs_max() const { return runs_max_; }

 private:
  int runs_max_;
};

/// The connection broke, while it was being used.
class Disconnected : public content::CatalogFailure {
 public:
  using CatalogFailure::CatalogFailure;
};

/// Advisory locks of the database that Quire takes.
enum class AdvisoryLock : std::int64_t {
  migrating = 0x5155495245'0001,  ///< one server at a time brings the schema up to date
  writing = 0x5155495245'0002,    ///< shared by writing transactions, exclusive for one that has to run alone
  events = 0x5155495245'0003,     ///< one transaction at a time has appended events and not committed yet
};

/// A connection to a PostgreSQL database.
class PostgresqlConnection final : public Connection {
 public:
  static constexpr std::string_view begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  static constexpr std::string_view begin_writing = "BEGIN ISOLATION LEVEL SERIALIZABLE";
  static constexpr std::string_view begin_migrating = "BEGIN ISOLATION LEVEL READ COMMITTED";

  /// Throws content::CatalogFailure when `url` is none (Unsupported) or the database cannot be reached. A transaction
  /// that collides may run `tries` times.
  static std::unique_ptr<PostgresqlConnection> open(const std::string& url, int tries);

  bool updates_every_index() const override { return false; }
  void await_turn_for_events() override;
  /// Begins a transaction with a BEGIN statement.
  void begin(std::string_view statement);
  /// InternalServerError when the engine has given the transaction up and the function did not notice.
  void commit();
  /// Ends a transaction if one is open; never throws.
  void roll_back();
  /// False when the connection broke, or is in a state that it should not be in between transactions.
  bool usable();

 protected:
  std::exception_ptr failure(const soci::soci_error& error, std::string_view sql) override;
  void dispose(std::unique_ptr<Statement> failed) override;

 private:
  PostgresqlConnection(const std::string& parameters, int tries);

  const int tries_;
  /// PostgreSQL deallocates no statement inside a transaction that failed, so they wait for the next one.
  std::vector<std::unique_ptr<Statement>> failed_;
};

}  // namespace quire::adapters::sql
