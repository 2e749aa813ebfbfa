#pragma once

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>

#include "content/catalog.h"

namespace quire::test_support {

enum class Engine { Sqlite, Postgresql };

inline std::ostream& operator<<(std::ostream& out, Engine engine) {
  return out << (engine == Engine::Sqlite ? "Sqlite" : "Postgresql");
}

/// Whether this machine can run tests on `engine`: PostgreSQL only under test/suites/with-postgresql.
bool has_engine(Engine engine);

/// A folder for what need not survive the machine: in memory where the system has such a place, so that syncing is
/// free.
std::filesystem::path fast_folder();

/// Where a test keeps the catalog of its services: empty at first, gone at the end. Throws when there is none.
class CatalogHome {
 public:
  CatalogHome(Engine engine, const std::filesystem::path& folder);
  CatalogHome(const CatalogHome&) = delete;
  CatalogHome& operator=(const CatalogHome&) = delete;
  ~CatalogHome();

  /// Opens the catalog; again is a restart.
  std::unique_ptr<content::Catalog> open() const;

 private:
  Engine engine_;
  std::filesystem::path path_;
  std::string schema_;
};

}  // namespace quire::test_support
