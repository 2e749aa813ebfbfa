#include "adapters/files/ballast.h"

#include <gtest/gtest.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <fstream>

#include "support/mounted_file_system.h"
#include "support/temporary_folder.h"

namespace quire::adapters::files {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using test_support::TemporaryFolder;

constexpr std::int64_t mebibyte = 1 << 20;

Error catalog_full() {
  return {ErrorKind::unable_to_allocate_resource, std::string(content::catalog_full_id), "The disk is full."};
}

/// Answers write transactions as told, and counts them.
class ScriptedCatalog final : public content::Catalog {
 public:
  ScriptedCatalog(std::vector<Result<void>> answers, int& asked) : answers_(std::move(answers)), asked_(asked) {}
  Result<void> read_transaction(const std::function<Result<void>(content::CatalogReader&)>&) override { return {}; }
  Result<void> write_transaction(const std::function<Result<void>(content::CatalogWriter&)>&) override {
    return answers_.at(static_cast<std::size_t>(asked_++));
  }

 private:
  std::vector<Result<void>> answers_;
  int& asked_;
};

TEST(Ballast, TakesItsRoomAndGivesItBackOnce) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "ballast";
  Ballast ballast(path, mebibyte);
  EXPECT_TRUE(ballast.hold());
  EXPECT_EQ(std::filesystem::file_size(path), static_cast<std::uintmax_t>(mebibyte));
  EXPECT_TRUE(ballast.release());
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(ballast.release());
  EXPECT_TRUE(ballast.hold()) << "there is room, so it is made again";
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(Ballast, AnEarlierOneIsTakenOverAndAHalfOneIsMadeWhole) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "ballast";
  {
    const Ballast first(path, mebibyte);
  }
  EXPECT_TRUE(Ballast(path, mebibyte).release());
  std::ofstream(path) << "half of it";
  EXPECT_TRUE(Ballast(path, mebibyte).hold());
  EXPECT_EQ(std::filesystem::file_size(path), static_cast<std::uintmax_t>(mebibyte));
}

TEST(Ballast, AFullDiskIsMetOnceWithTheBallastAndThenReported) {
  const TemporaryFolder folder;
  Ballast ballast(folder.path() / "ballast", mebibyte);
  int asked = 0;
  BallastedCatalog saved(
      std::make_unique<ScriptedCatalog>(std::vector<Result<void>>{catalog_full(), Result<void>()}, asked), ballast);
  EXPECT_TRUE(saved.write_transaction([](content::CatalogWriter&) { return Result<void>(); }));
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "ballast"));

  asked = 0;
  BallastedCatalog lost(
      std::make_unique<ScriptedCatalog>(std::vector<Result<void>>{catalog_full(), catalog_full()}, asked), ballast);
  const auto written = lost.write_transaction([](content::CatalogWriter&) { return Result<void>(); });
  ASSERT_FALSE(written);
  EXPECT_TRUE(is_catalog_full(written.error()));
  EXPECT_EQ(asked, 2);
}

TEST(Ballast, OtherErrorsLeaveItWhereItIs) {
  const TemporaryFolder folder;
  Ballast ballast(folder.path() / "ballast", mebibyte);
  int asked = 0;
  const Error storage(ErrorKind::unable_to_allocate_resource, "quire.storage.full", "The storage is full.");
  BallastedCatalog catalog(std::make_unique<ScriptedCatalog>(std::vector<Result<void>>{storage}, asked), ballast);
  EXPECT_FALSE(catalog.write_transaction([](content::CatalogWriter&) { return Result<void>(); }));
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "ballast"));
}

}  // namespace
}  // namespace quire::adapters::files
