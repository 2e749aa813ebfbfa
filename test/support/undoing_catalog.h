#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "content/catalog.h"

namespace quire::test_support {

/// A catalog that can take back what was done to it. Used by one thread.
class UndoingCatalog final : public content::Catalog {
 public:
  explicit UndoingCatalog(std::unique_ptr<content::Catalog> catalog) : catalog_(std::move(catalog)) {}

  /// Runs `function`, which may use this catalog, in one transaction that is rolled back. What a transaction inside did
  /// before it failed stays until then.
  void undo(const std::function<void()>& function) {
    const auto undone = catalog_->write_transaction([&](content::CatalogWriter& writer) -> base::Result<void> {
      writer_ = &writer;
      function();
      writer_ = nullptr;
      return base::internal_error("to be undone");
    });
  }

  base::Result<void> read_transaction(
      const std::function<base::Result<void>(content::CatalogReader&)>& function) override {
    return writer_ != nullptr ? run(function) : catalog_->read_transaction(function);
  }
  base::Result<void> write_transaction(
      const std::function<base::Result<void>(content::CatalogWriter&)>& function) override {
    return writer_ != nullptr ? run(function) : catalog_->write_transaction(function);
  }

 private:
  base::Result<void> run(const auto& function) {
    try {
      return function(*writer_);
    } catch (const content::CatalogFailure& failure) {
      return failure.error();
    }
  }

  std::unique_ptr<content::Catalog> catalog_;
  content::CatalogWriter* writer_ = nullptr;  ///< while undo() runs
};

}  // namespace quire::test_support
