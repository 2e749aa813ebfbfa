#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
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
  void execute_unchecked(const std::string& statement) override { execute(statement); }  // which looks at no keys

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

TEST_F(SqliteCatalog, IsSurveyedAndReadBesideItsServer) {
  const auto path = folder_.path() / "catalog.db";
  const auto none = sql::survey_sqlite_catalog(path);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::not_found);
  EXPECT_FALSE(std::filesystem::exists(path)) << "looking makes no file";
  const auto catalog = open();
  ASSERT_TRUE(put(*catalog, "name", "value"));
  const auto survey = sql::survey_sqlite_catalog(path);
  ASSERT_TRUE(survey) << survey.error().cause();
  EXPECT_EQ(survey->schema, sql::newest_catalog_schema());
  EXPECT_TRUE(survey->engine.starts_with("SQLite 3"));
  EXPECT_GT(survey->bytes, 0);
  EXPECT_TRUE(std::ranges::find(survey->rows, std::pair(std::string("settings"), std::int64_t{1})) !=
              survey->rows.end());
  auto to_read = sql::open_sqlite_catalog_to_read(path);
  ASSERT_TRUE(to_read) << to_read.error().cause();
  EXPECT_EQ(setting(**to_read, "name"), "value");
  ASSERT_TRUE(put(*catalog, "name", "another")) << "the server goes on";
  EXPECT_EQ(setting(**to_read, "name"), "another") << "each transaction sees what is there now";
  EXPECT_FALSE(put(**to_read, "name", "third"));
}

TEST_F(SqliteCatalog, OfAnotherSchemaIsOnlySurveyed) {
  const auto path = folder_.path() / "catalog.db";
  open();
  soci::session(soci::sqlite3, path.string()) << "DELETE FROM schema_migrations WHERE number > 5";
  const auto survey = sql::survey_sqlite_catalog(path);
  ASSERT_TRUE(survey) << survey.error().cause();
  EXPECT_EQ(survey->schema, 5);
  const auto refused = sql::open_sqlite_catalog_to_read(path);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unsupported);
}

TEST_F(SqliteCatalog, SaysWhenTheDiskIsFullAndWorksAgainWhenItIsNot) {
  auto catalog = open({.pages_max = 140});
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

TEST_F(SqliteCatalog, KeepsACopyOfWhatAnOlderVersionWrote) {
  const auto path = folder_.path() / "catalog.db";
  const auto folder = folder_.path() / "before-upgrade";
  const auto copy = (folder / "catalog.db.schema-16").string();
  {
    auto catalog = open();
    ASSERT_TRUE(put(*catalog, "before", "the upgrade"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder)) << "nothing was migrated";
  {
    soci::session session(soci::sqlite3, "db=\"" + path.string() + "\"");
    // What the newest migrations made.
    session << "DROP TABLE subscriptions";
    session << "DROP TABLE source_items";
    session << "ALTER TABLE tasks DROP COLUMN source_id";
    session << "ALTER TABLE items DROP COLUMN last_sync_time";
    session << "ALTER TABLE download_sessions DROP COLUMN awaits_content";
    session << "ALTER TABLE items DROP COLUMN cached";
    for (const auto* column :
         {"subscription", "published", "publish_authentication", "publish_password_hash", "generation", "persist_json"})
      session << "ALTER TABLE libraries DROP COLUMN " + std::string(column);
    session << "ALTER TABLE content_files DROP COLUMN since";
    session << "DROP TABLE webhook_deliveries";
    session << "DROP TABLE webhooks";
    session << "DELETE FROM schema_migrations WHERE number > 16";
  }
  std::filesystem::create_directory(folder);
  std::ofstream(copy + ".unfinished") << "of an upgrade that was broken off";
  {
    auto catalog = open();
    ASSERT_TRUE(put(*catalog, "before", "was overwritten"));
  }
  ASSERT_TRUE(std::filesystem::exists(copy));
  EXPECT_FALSE(std::filesystem::exists(copy + ".unfinished"));
  soci::session session(soci::sqlite3, "db=\"" + copy + "\"");
  int schema = 0;
  std::string before;
  session << "SELECT MAX(number) FROM schema_migrations", soci::into(schema);
  session << "SELECT value FROM settings WHERE name = 'before'", soci::into(before);
  EXPECT_EQ(schema, 16);
  EXPECT_EQ(before, "the upgrade");
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
