#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sql/sql_catalog.h"
#include "suites/catalog_suite.h"
#include "support/temporary_folder.h"

namespace quire::test_suites {
namespace {

namespace sql = adapters::sql;
using base::ErrorKind;
using base::Result;
using content::CatalogReader;
using content::CatalogWriter;

class SqlitePlace final : public CatalogPlace {
 public:
  explicit SqlitePlace(const std::string& file_name) : path_(folder_.path() / file_name) {}

  Result<std::unique_ptr<content::Catalog>> open() override { return sql::open_sqlite_catalog(path_); }
  void execute(const std::string& statement) override {
    soci::session session(soci::sqlite3, "db=\"" + path_.string() + "\"");
    session << statement;
  }

 private:
  const test_support::TemporaryFolder folder_;
  const std::filesystem::path path_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, CatalogSuite,
                         testing::Values(CatalogAdapter{
                             "File", [](std::string&) { return std::make_unique<SqlitePlace>("catalog.db"); }}),
                         [](const auto& row) { return row.param.name; });

class SqliteCatalog : public testing::Test {
 protected:
  std::unique_ptr<content::Catalog> open(const sql::SqliteOptions& options = {}) {
    auto catalog = sql::open_sqlite_catalog(folder_.path() / "catalog.db", options);
    EXPECT_TRUE(catalog) << catalog.error().cause();
    return catalog ? *std::move(catalog) : nullptr;
  }

  static Result<void> put(content::Catalog& catalog, const std::string& name, const std::string& value) {
    return catalog.write([&](CatalogWriter& writer) -> Result<void> {
      writer.put_setting(name, value);
      return {};
    });
  }
  static std::optional<std::string> setting(content::Catalog& catalog, const std::string& name) {
    const auto found =
        catalog.read([&](CatalogReader& reader) -> Result<std::optional<std::string>> { return reader.setting(name); });
    EXPECT_TRUE(found);
    return found ? *found : std::nullopt;
  }

  test_support::TemporaryFolder folder_;
};

TEST_F(SqliteCatalog, SaysWhenTheDiskIsFullAndWorksAgainWhenItIsNot) {
  auto catalog = open({.pages_max = 120});
  const std::string large(64 * 1024, 'x');
  Result<void> last;
  int written = 0;
  for (; written < 100 && last; ++written) last = put(*catalog, "large-" + std::to_string(written), large);
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().kind(), ErrorKind::unable_to_allocate_resource);
  EXPECT_NE(last.error().text().find("Free space"), std::string::npos);
  EXPECT_EQ(setting(*catalog, "large-0"), large);
  EXPECT_EQ(setting(*catalog, "large-" + std::to_string(written - 1)), std::nullopt);

  EXPECT_TRUE(put(*catalog, "large-0", "small"));
  EXPECT_EQ(setting(*catalog, "large-0"), "small");
  EXPECT_TRUE(put(*catalog, "large-again", large));
}

TEST_F(SqliteCatalog, AFullDiskFailsNoWriteThatIsAnsweredWithSuccess) {
  auto catalog = open({.pages_max = 200});
  const std::string large(16 * 1024, 'x');
  std::vector<std::vector<std::string>> acknowledged(8);
  std::vector<std::thread> threads;
  threads.reserve(acknowledged.size());
  for (auto& mine : acknowledged)
    threads.emplace_back([&, number = &mine - acknowledged.data()] {
      for (int i = 0; i < 20; ++i) {
        const auto name = std::to_string(number) + "-" + std::to_string(i);
        const auto done = put(*catalog, name, large);
        if (done) {
          mine.push_back(name);
        } else {
          EXPECT_EQ(done.error().kind(), ErrorKind::unable_to_allocate_resource) << done.error().cause();
        }
      }
    });
  for (auto& thread : threads) thread.join();
  catalog.reset();
  catalog = open();
  std::size_t all = 0;
  for (const auto& names : acknowledged) {
    for (const auto& name : names) EXPECT_EQ(setting(*catalog, name), large) << name;
    all += names.size();
  }
  EXPECT_GT(all, 0U);
  EXPECT_LT(all, 160U);
  EXPECT_TRUE(put(*catalog, "after", "all"));
}

TEST_F(SqliteCatalog, RefusesWritesBeyondTheQueue) {
  auto catalog = open({.writes_waiting_max = 1});
  std::promise<void> running;
  std::promise<void> go_on;
  std::thread holder([&] {
    EXPECT_TRUE(catalog->write([&](CatalogWriter&) -> Result<void> {
      running.set_value();
      go_on.get_future().wait();
      return {};
    }));
  });
  running.get_future().wait();
  // The writer is busy: of two more, one waits and one is refused.
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  threads.reserve(2);
  std::promise<void> one_refused;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&, i] {
      const auto done = put(*catalog, "waiting", std::to_string(i));
      if (done) return;
      EXPECT_EQ(done.error().kind(), ErrorKind::service_unavailable);
      ++refused;
      one_refused.set_value();
    });
  one_refused.get_future().wait();
  go_on.set_value();
  holder.join();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(refused, 1);
  EXPECT_TRUE(setting(*catalog, "waiting"));
}

TEST_F(SqliteCatalog, ClosingLetsQueuedWritesFinish) {
  auto catalog = open();
  std::promise<void> running;
  std::promise<void> go_on;
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    EXPECT_TRUE(catalog->write([&](CatalogWriter& writer) -> Result<void> {
      running.set_value();
      go_on.get_future().wait();
      writer.put_setting("slow", "done");
      return {};
    }));
  });
  running.get_future().wait();
  std::thread closing([&] { catalog.reset(); });
  go_on.set_value();
  closing.join();
  for (auto& thread : threads) thread.join();
  catalog = open();
  EXPECT_EQ(setting(*catalog, "slow"), "done");
}

TEST_F(SqliteCatalog, AReaderDoesNotWaitForTheWriter) {
  auto catalog = open();
  ASSERT_TRUE(put(*catalog, "state", "before"));
  ASSERT_TRUE(catalog->write([&](CatalogWriter& writer) -> Result<void> {
    writer.put_setting("state", "after");
    std::thread([&] { EXPECT_EQ(setting(*catalog, "state"), "before"); }).join();
    return {};
  }));
  EXPECT_EQ(setting(*catalog, "state"), "after");
}

TEST_F(SqliteCatalog, OpensPathsWithUnusualCharacters) {
  for (const std::string name : {"with blank.db", "a=b.db", "quote\".db", "two  blanks = equal.db", "ünï.db"}) {
    SCOPED_TRACE(name);
    {
      auto catalog = sql::open_sqlite_catalog(folder_.path() / name);
      ASSERT_TRUE(catalog) << catalog.error().cause();
      ASSERT_TRUE(put(**catalog, "name", name));
    }
    EXPECT_TRUE(std::filesystem::exists(folder_.path() / name));
    auto catalog = sql::open_sqlite_catalog(folder_.path() / name);
    ASSERT_TRUE(catalog);
    EXPECT_EQ(setting(**catalog, "name"), name);
  }
  const auto both = sql::open_sqlite_catalog(folder_.path() / "a=\"b.db");
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().kind(), ErrorKind::unsupported);
}

TEST_F(SqliteCatalog, SaysWhenTheFileCannotBeOpened) {
  const auto absent = sql::open_sqlite_catalog(folder_.path() / "no such folder" / "catalog.db");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind(), ErrorKind::service_unavailable);
  EXPECT_NE(absent.error().cause().find("no such folder"), std::string::npos);
}

TEST_F(SqliteCatalog, SaysWhenAnotherProcessLocksTheFile) {
  auto catalog = open({.busy_timeout = std::chrono::milliseconds(1)});
  soci::session other(soci::sqlite3, "db=\"" + (folder_.path() / "catalog.db").string() + "\"");
  other << "BEGIN IMMEDIATE";
  const auto blocked = put(*catalog, "a", "b");
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().kind(), ErrorKind::service_unavailable);
  other << "ROLLBACK";
  EXPECT_TRUE(put(*catalog, "a", "b"));
}

}  // namespace
}  // namespace quire::test_suites
