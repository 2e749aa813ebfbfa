#pragma once

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>

#include "adapters/sql/sql_catalog.h"
#include "support/temporary_folder.h"

namespace quire::test_support {

enum class Engine { Sqlite, Postgresql };

inline std::ostream& operator<<(std::ostream& out, Engine engine) {
  return out << (engine == Engine::Sqlite ? "Sqlite" : "Postgresql");
}

/// Whether this machine can run tests on `engine`: PostgreSQL only under test/suites/with-postgresql.
inline bool has_engine(Engine engine) {
  return engine == Engine::Sqlite || std::getenv("QUIRE_TEST_POSTGRESQL") != nullptr;
}

/// A folder for what need not survive the machine: in memory where the system has such a place, so that syncing is
/// free.
inline std::filesystem::path fast_folder() {
  const std::filesystem::path in_memory = "/dev/shm";
  return ::access(in_memory.c_str(), W_OK) == 0 ? in_memory : std::filesystem::temp_directory_path();
}

/// Where a test keeps the catalog of its services: empty at first, gone at the end. Throws when there is none.
class CatalogHome {
 public:
  CatalogHome(Engine engine, const std::filesystem::path& folder) : engine_(engine), path_(folder / "catalog.sqlite") {
    if (engine_ == Engine::Sqlite) return;
    static std::atomic<int> count = 0;
    schema_ = "services_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
    run("CREATE SCHEMA " + schema_);
  }
  CatalogHome(const CatalogHome&) = delete;
  CatalogHome& operator=(const CatalogHome&) = delete;
  ~CatalogHome() {
    if (engine_ == Engine::Postgresql) run("DROP SCHEMA " + schema_ + " CASCADE");
  }

  /// Opens the catalog; again is a restart.
  std::unique_ptr<content::Catalog> open() const {
    auto catalog = engine_ == Engine::Sqlite
                       ? adapters::sql::open_sqlite_catalog(path_, {.readers = 2})
                       : adapters::sql::open_postgresql_catalog(database() + "?options=-csearch_path%3D" + schema_,
                                                                {.connections = 4, .tries = 100});
    if (!catalog) throw std::runtime_error(catalog.error().text() + " " + catalog.error().cause());
    return *std::move(catalog);
  }

 private:
  static std::string database() { return std::getenv("QUIRE_TEST_POSTGRESQL"); }
  static void run(const std::string& statement) {
    // SOCI understands a URL only when it has a query.
    soci::session session(soci::postgresql, database() + "?connect_timeout=10");
    session << "SET client_min_messages = warning";
    session << statement;
  }

  Engine engine_;
  std::filesystem::path path_;
  std::string schema_;
};

}  // namespace quire::test_support
