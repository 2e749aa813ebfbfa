#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "content/catalog.h"
#include "support/faults.h"

namespace quire::test_support {

/// A catalog whose transactions and their operations fail as `faults` says: each operation is a fault point, a fault
/// within a transaction a CatalogFailure. `inner` and `faults` must outlive it.
class FailingCatalog final : public content::Catalog {
 public:
  FailingCatalog(content::Catalog& inner, Faults& faults) : inner_(inner), faults_(faults) {}

  std::optional<std::uint64_t> logins_version() const override;
  std::optional<std::uint64_t> access_version() const override;
  std::optional<std::uint64_t> libraries_version() const override;

  base::Result<void> read_transaction(
      const std::function<base::Result<void>(content::CatalogReader&)>& function) override;
  base::Result<void> write_transaction(
      const std::function<base::Result<void>(content::CatalogWriter&)>& function) override;

 private:
  content::Catalog& inner_;
  Faults& faults_;
};

}  // namespace quire::test_support
