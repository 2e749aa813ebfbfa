#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <type_traits>

#include "base/result.h"
#include "content/catalog.h"

namespace quire::test_suites {

/// Where one test keeps its catalog: empty at first, gone with all it holds at the end.
class CatalogPlace {
 public:
  virtual ~CatalogPlace() = default;
  /// Opens the catalog; a second time is a restart, or another server.
  virtual base::Result<std::unique_ptr<content::Catalog>> open() = 0;
  /// Runs one SQL statement on the database beside the catalog.
  virtual void execute(const std::string& sql) = 0;
  /// The same, without the engine's look whether rows that others name are there.
  virtual void execute_unchecked(const std::string& sql) = 0;
};

/// An adapter to put through the suite: a row of INSTANTIATE_TEST_SUITE_P(…, CatalogSuite, …) in a file of its own.
struct CatalogAdapter {
  std::string name;
  /// nullptr when this machine cannot have it; `why` says what is missing.
  std::function<std::unique_ptr<CatalogPlace>(std::string& why)> make_place;

  friend std::ostream& operator<<(std::ostream& out, const CatalogAdapter& adapter) { return out << adapter.name; }
};

/// What every adapter of content::Catalog must do.
class CatalogSuite : public testing::TestWithParam<CatalogAdapter> {
 protected:
  void SetUp() override;

  /// Closes the catalog and opens it again.
  void reopen();

  /// A write transaction that must succeed.
  template <class F>
  void change(F f) {
    const auto done = catalog_->write([&](content::CatalogWriter& writer) -> base::Result<void> {
      f(writer);
      return {};
    });
    EXPECT_TRUE(done) << done.error().text() << " " << done.error().cause();
  }

  /// What a read transaction that must succeed finds.
  template <class F>
  auto look(F f) {
    using Found = std::invoke_result_t<F&, content::CatalogReader&>;
    auto found = catalog_->read([&](content::CatalogReader& reader) -> base::Result<Found> { return f(reader); });
    EXPECT_TRUE(found) << found.error().text() << " " << found.error().cause();
    return found ? *std::move(found) : Found();
  }

  std::unique_ptr<CatalogPlace> place_;
  std::unique_ptr<content::Catalog> catalog_;
};

}  // namespace quire::test_suites
