#include "support/catalog_place.h"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "adapters/sql/sql_catalog.h"

namespace quire::test_support {
namespace {

std::string database() { return std::getenv("QUIRE_TEST_POSTGRESQL"); }

void run(const std::string& statement) {
  // SOCI understands a URL only when it has a query.
  soci::session session(soci::postgresql, database() + "?connect_timeout=10");
  session << "SET client_min_messages = warning";
  session << statement;
}

}  // namespace

bool has_engine(Engine engine) { return engine == Engine::Sqlite || std::getenv("QUIRE_TEST_POSTGRESQL") != nullptr; }

std::filesystem::path fast_folder() {
  const std::filesystem::path in_memory = "/dev/shm";
  return ::access(in_memory.c_str(), W_OK) == 0 ? in_memory : std::filesystem::temp_directory_path();
}

CatalogHome::CatalogHome(Engine engine, const std::filesystem::path& folder)
    : engine_(engine), path_(folder / "catalog.sqlite") {
  if (engine_ == Engine::Sqlite) return;
  static std::atomic<int> count = 0;
  schema_ = "services_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
  run("CREATE SCHEMA " + schema_);
}

CatalogHome::~CatalogHome() {
  if (engine_ == Engine::Postgresql) run("DROP SCHEMA " + schema_ + " CASCADE");
}

std::unique_ptr<content::Catalog> CatalogHome::open() const {
  auto catalog = engine_ == Engine::Sqlite
                     ? adapters::sql::open_sqlite_catalog(path_, {.readers = 2})
                     : adapters::sql::open_postgresql_catalog(database() + "?options=-csearch_path%3D" + schema_,
                                                              {.connections = 4, .tries = 100});
  if (!catalog) throw std::runtime_error(catalog.error().text() + " " + catalog.error().cause());
  return *std::move(catalog);
}

}  // namespace quire::test_support
