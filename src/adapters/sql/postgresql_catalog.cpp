#include <chrono>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include "adapters/sql/catalog_survey.h"
#include "adapters/sql/catalog_view.h"
#include "adapters/sql/connection_pool.h"
#include "adapters/sql/migrations.h"
#include "adapters/sql/postgresql_connection.h"
#include "adapters/sql/sql_catalog.h"

namespace quire::adapters::sql {
namespace {

using base::Result;
using content::CatalogFailure;

constexpr auto begin_reading = PostgresqlConnection::begin_reading;
constexpr auto begin_writing = PostgresqlConnection::begin_writing;
constexpr auto begin_migrating = PostgresqlConnection::begin_migrating;

/// Runs that collide before a transaction is run alone, where it cannot collide any more. Under constant traffic
/// newcomers could otherwise push it out again and again.
constexpr int runs_before_alone = 2;

/// Runs of a transaction whose connection broke. When one broke, the others likely did as well, so all idle ones are
/// closed; the next run has a new one.
constexpr int disconnected_runs_max = 2;

/// A writing transaction's place among the others of all servers: together with them, or alone. Taken before the
/// transaction begins, because its snapshot must be younger than the end of those that it waited for.
class Turn {
 public:
  Turn(PostgresqlConnection& connection, bool alone) : connection_(connection), alone_(alone) {
    connection_.run(alone_ ? "SELECT pg_advisory_lock(:number)" : "SELECT pg_advisory_lock_shared(:number)", number);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    try {
      connection_.run(alone_ ? "SELECT pg_advisory_unlock(:number)" : "SELECT pg_advisory_unlock_shared(:number)",
                      number);
    } catch (const CatalogFailure&) {  // NOLINT(bugprone-empty-catch)
      // The connection broke, and the lock with it.
    }
  }

 private:
  static constexpr auto number = static_cast<std::int64_t>(AdvisoryLock::writing);
  PostgresqlConnection& connection_;
  bool alone_;
};

class PostgresqlCatalog final : public content::Catalog {
 public:
  PostgresqlCatalog(const std::string& url, const PostgresqlOptions& options, bool to_read = false)
      : to_read_(to_read),
        connections_(options.connections, options.transactions_waiting_max,
                     [url, tries = options.tries] { return PostgresqlConnection::open(url, tries); }) {}

  Result<void> read_transaction(const std::function<Result<void>(content::CatalogReader&)>& function) override {
    return run_until_done(begin_reading, function);
  }

  Result<void> write_transaction(const std::function<Result<void>(content::CatalogWriter&)>& function) override {
    return to_read_ ? Result<void>(opened_to_read()) : run_until_done(begin_writing, function);
  }

  Result<void> bring_up_to_date() {
    try {
      const auto connection = connections_.borrow();
      connection->begin(begin_migrating);
      connection->run("SELECT pg_advisory_xact_lock(:number)", static_cast<std::int64_t>(AdvisoryLock::migrating));
      auto migrated = migrate(*connection, postgresql_words());
      if (migrated)
        connection->commit();
      else
        connection->roll_back();
      return migrated;
    } catch (const CatalogFailure& failure) {
      return failure.error();
    }
  }

 private:
  template <class Function>
  Result<void> run_until_done(std::string_view begin, const Function& function) {
    int disconnected_runs = 0;
    for (int runs = 1;; ++runs) {
      try {
        return run_once(begin, function, runs > runs_before_alone);
      } catch (const Collision& collision) {
        if (runs >= collision.runs_max()) return collision.error();
      } catch (const Disconnected& disconnected) {
        if (++disconnected_runs >= disconnected_runs_max) return disconnected.error();
      } catch (const CatalogFailure& failure) {
        return failure.error();
      }
    }
  }

  template <class Function>
  Result<void> run_once(std::string_view begin, const Function& function, bool alone) {
    auto connection = connections_.borrow();
    bool committing = false;
    try {
      std::optional<Turn> turn;
      if (begin == begin_writing) turn.emplace(*connection, alone);
      try {
        connection->begin(begin);
        CatalogView view(*connection);
        auto outcome = function(view);
        committing = static_cast<bool>(outcome);
        if (committing)
          connection->commit();
        else
          connection->roll_back();
        return outcome;
      } catch (...) {
        connection->roll_back();
        throw;
      }
    } catch (const Disconnected& disconnected) {
      connection.drop();
      connections_.drop_idle();
      // A commit whose answer was lost may have happened: it must not run again.
      if (committing) throw CatalogFailure(disconnected.error());
      throw;
    } catch (...) {
      if (!connection->usable()) connection.drop();
      throw;
    }
  }

  const bool to_read_;
  ConnectionPool<PostgresqlConnection> connections_;
};

/// What `look` finds in one reading transaction on a connection of its own.
template <class T, class Look>
Result<T> look_at(const std::string& url, Look look) {
  try {
    const auto connection = PostgresqlConnection::open(url, 1);
    connection->begin(begin_reading);
    auto found = look(*connection);
    connection->roll_back();
    return found;
  } catch (const CatalogFailure& failure) {
    return failure.error();
  }
}

}  // namespace

Result<std::unique_ptr<content::Catalog>> open_postgresql_catalog(const std::string& url,
                                                                  const PostgresqlOptions& options) {
  auto catalog = std::make_unique<PostgresqlCatalog>(url, options);
  QUIRE_RETURN_IF_ERROR(catalog->bring_up_to_date());
  return std::unique_ptr<content::Catalog>(std::move(catalog));
}

Result<std::unique_ptr<content::Catalog>> open_postgresql_catalog_to_read(const std::string& url) {
  const auto schema = look_at<std::int64_t>(
      url, [](PostgresqlConnection& connection) { return schema_to_read(connection, postgresql_words()); });
  if (!schema) return schema.error();
  QUIRE_RETURN_IF_ERROR(check_newest_schema(*schema));
  return std::unique_ptr<content::Catalog>(
      std::make_unique<PostgresqlCatalog>(url, PostgresqlOptions{.connections = 1}, true));
}

Result<CatalogSurvey> survey_postgresql_catalog(const std::string& url) {
  return look_at<CatalogSurvey>(url, [](PostgresqlConnection& connection) {
    auto found = survey(connection, postgresql_words());
    found.engine = "PostgreSQL " + connection.one<std::string>("SELECT current_setting('server_version')").value_or("");
    found.bytes = connection.one<std::int64_t>("SELECT pg_database_size(current_database())").value_or(0);
    return found;
  });
}

Result<std::int64_t> other_users_of_postgresql_catalog(const std::string& url) {
  constexpr int looks = 30;
  constexpr auto pause = std::chrono::milliseconds(100);
  for (int look = 1;; ++look) {
    auto others = look_at<std::int64_t>(url, [](PostgresqlConnection& connection) {
      return connection
          .one<std::int64_t>(
              "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
              " AND application_name = current_setting('application_name')")
          .value_or(0);
    });
    if (!others || *others == 0 || look == looks) return others;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace quire::adapters::sql
