#include "support/failing_catalog.h"

#include <gmock/gmock.h>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "adapters/sql/sql_catalog.h"
#include "support/temporary_folder.h"

namespace quire {
namespace {

using base::Result;
using test_support::Crash;
using test_support::FailingCatalog;
using test_support::FaultPoint;
using test_support::Faults;
using testing::ElementsAre;

/// Two changes in one transaction, then a read.
Result<void> change_and_look(content::Catalog& catalog) {
  const auto changed = catalog.write([](content::CatalogWriter& writer) -> Result<void> {
    writer.put_setting("first", "1");
    writer.put_setting("second", "2");
    return {};
  });
  if (!changed) return changed;
  const auto second = catalog.read(
      [](content::CatalogReader& reader) -> Result<std::string> { return reader.setting("second").value_or(""); });
  if (!second) return second.error();
  EXPECT_EQ(*second, "2");
  return {};
}

/// How many of the two changes are there.
std::size_t changes_in(content::Catalog& catalog) {
  const auto found = catalog.read([](content::CatalogReader& reader) -> Result<std::size_t> {
    return std::size_t{reader.setting("first").has_value()} + std::size_t{reader.setting("second").has_value()};
  });
  EXPECT_TRUE(found);
  return found ? *found : 99;
}

/// Where each fault struck and how many changes it left, one after the other.
std::vector<std::string> outcomes(Faults::Kind kind, const std::set<FaultPoint>& points) {
  std::vector<std::string> all;
  for (std::size_t k = 1;; ++k) {
    const test_support::TemporaryFolder folder;
    const auto inner = adapters::sql::open_sqlite_catalog(folder.path() / "catalog.db");
    if (!inner) throw std::runtime_error(inner.error().cause());
    Faults faults(kind, k, points);
    FailingCatalog failing(**inner, faults);
    bool failed = false;
    try {
      failed = !change_and_look(failing);
    } catch (const Crash&) {
      failed = true;
      EXPECT_THROW((void)change_and_look(failing), Crash);
    }
    EXPECT_EQ(failed, faults.struck());
    if (!faults.struck()) return all;
    all.push_back(faults.where() + ": " + std::to_string(changes_in(**inner)));
  }
}

const std::set<FaultPoint> everywhere = {FaultPoint::before_transaction, FaultPoint::in_transaction,
                                         FaultPoint::after_commit};

TEST(FailingCatalogTest, EveryTransactionAndOperationFailsOnceInTurn) {
  for (const auto kind : {Faults::Kind::error, Faults::Kind::crash})
    EXPECT_THAT(
        outcomes(kind, everywhere),
        ElementsAre("before transaction write (fault point 1): 0", "in transaction at put Setting (fault point 2): 0",
                    "in transaction at put Setting (fault point 3): 0", "after commit of write (fault point 4): 2",
                    "before transaction read (fault point 5): 2", "in transaction at find Setting (fault point 6): 2"));
}

TEST(FailingCatalogTest, PointsThatAreNotAskedForDoNotCount) {
  EXPECT_THAT(outcomes(Faults::Kind::error, {FaultPoint::before_transaction}),
              ElementsAre("before transaction write (fault point 1): 0", "before transaction read (fault point 2): 2"));
  EXPECT_THAT(outcomes(Faults::Kind::error, {FaultPoint::after_commit}),
              ElementsAre("after commit of write (fault point 1): 2"));
}

}  // namespace
}  // namespace quire
