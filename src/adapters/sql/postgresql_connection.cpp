#include "adapters/sql/postgresql_connection.h"

#include <libpq-fe.h>
#include <soci/postgresql/soci-postgresql.h>

#include <algorithm>
#include <cctype>

#include "adapters/sql/engine_errors.h"

namespace quire::adapters::sql {
namespace {

using base::Error;
using base::ErrorKind;

/// Runs of a transaction that broke a constraint. Usually that is a fault of ours, but it also happens when two
/// transactions insert the same key at the same time; then the second run sees what the other one did.
constexpr int constraint_runs_max = 3;

PGconn* postgresql_handle(soci::session& session) {
  return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}

/// `keyword=value` of a URL's query.
void append_parameter(std::string& url, std::string_view keyword, std::string_view value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  url += url.ends_with('?') ? "" : "&";
  url.append(keyword) += '=';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 && byte < 0x80) {
      url += c;
    } else {
      url += '%';
      url += digits[byte >> 4U];
      url += digits[byte & 0xFU];
    }
  }
}

/// What SOCI is given for `url`, with our defaults. SOCI takes its parameters apart at `=`, blanks and quotes and joins
/// them again, which only a URL survives that has everything in its query and percent-encoded.
///
/// Error texts never hold the URL: it may hold a password.
std::string parameters_for(const std::string& url) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(url.c_str(), nullptr),
                                                                             PQconninfoFree);
  if (!options)
    throw content::CatalogFailure(
        Error(ErrorKind::unsupported, "quire.catalog.bad_url",
              "The catalog's URL is not one that PostgreSQL's client library understands. Write it like "
              "postgresql://user@host:5432/database."));
  std::string parameters = "postgresql://?";
  append_parameter(parameters, "client_encoding", "UTF8");
  append_parameter(parameters, "fallback_application_name", "quire");
  bool connect_timeout = false;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    append_parameter(parameters, option->keyword, option->val);
    connect_timeout = connect_timeout || std::string_view(option->keyword) == "connect_timeout";
  }
  if (!connect_timeout) append_parameter(parameters, "connect_timeout", "10");  // seconds
  return parameters;
}

std::string sqlstate_of(const soci::soci_error& error) {
  const auto* postgresql = dynamic_cast<const soci::postgresql_soci_error*>(&error);
  return postgresql == nullptr ? "" : postgresql->sqlstate();
}

}  // namespace

PostgresqlConnection::PostgresqlConnection(const std::string& parameters, int tries)
    : Connection(soci::postgresql, parameters), tries_(tries) {}

std::unique_ptr<PostgresqlConnection> PostgresqlConnection::open(const std::string& url, int tries) {
  const auto parameters = parameters_for(url);
  try {
    std::unique_ptr<PostgresqlConnection> connection(new PostgresqlConnection(parameters, tries));
    connection->run_once("SET synchronous_commit = on");  // each commit is synced
    connection->run_once("SET client_min_messages = warning");
    return connection;
  } catch (const soci::soci_error& error) {
    throw content::CatalogFailure(unreachable(error.get_error_message()));
  }
}

void PostgresqlConnection::await_turn_for_events() {
  run("SELECT pg_advisory_xact_lock(:number)", static_cast<std::int64_t>(AdvisoryLock::events));
}

void PostgresqlConnection::begin(std::string_view statement) {
  failed_.clear();
  run(statement);
}

void PostgresqlConnection::commit() {
  if (PQtransactionStatus(postgresql_handle(session())) != PQTRANS_INTRANS)
    throw content::CatalogFailure(base::internal_error("a failed transaction was to be committed"));
  run("COMMIT");
}

void PostgresqlConnection::roll_back() {
  try {
    if (PQtransactionStatus(postgresql_handle(session())) != PQTRANS_IDLE) run("ROLLBACK");
  } catch (const content::CatalogFailure&) {  // NOLINT(bugprone-empty-catch)
    // The connection is not usable(), then.
  }
}

bool PostgresqlConnection::usable() {
  return PQstatus(postgresql_handle(session())) == CONNECTION_OK &&
         PQtransactionStatus(postgresql_handle(session())) == PQTRANS_IDLE;
}

std::exception_ptr PostgresqlConnection::failure(const soci::soci_error& error, std::string_view sql) {
  // Not what(): SOCI adds the parameters' values to that, which may be secrets.
  const auto cause = error.get_error_message() + " in " + std::string(sql);
  const auto state = sqlstate_of(error);
  if (PQstatus(postgresql_handle(session())) != CONNECTION_OK || state.starts_with("08") || state.starts_with("57P"))
    return std::make_exception_ptr(Disconnected(unreachable(cause)));
  if (state == "40001" || state == "40P01")  // serialization failure, deadlock
    return std::make_exception_ptr(
        Collision(Error(ErrorKind::service_unavailable, "quire.catalog.contended",
                        "Too many requests changed the same things at the same time. Try again.")
                      .with_cause(cause),
                  tries_));
  if (state == "23505" || state == "23503")  // unique and foreign key constraints
    return std::make_exception_ptr(Collision(base::internal_error(cause), std::min(constraint_runs_max, tries_)));
  if (state == "53100") return std::make_exception_ptr(content::CatalogFailure(storage_full(cause)));
  return std::make_exception_ptr(content::CatalogFailure(base::internal_error(cause)));
}

void PostgresqlConnection::dispose(std::unique_ptr<Statement> failed) { failed_.push_back(std::move(failed)); }

}  // namespace quire::adapters::sql
