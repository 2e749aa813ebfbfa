#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/sql/sql_catalog.h"
#include "suites/catalog_suite.h"

namespace quire::test_suites {
namespace {

namespace sql = adapters::sql;
using base::ErrorKind;
using base::Result;
using content::CatalogReader;
using content::CatalogWriter;

/// The URL of a database for tests, as test/suites/with-postgresql sets it.
const char* test_database() { return std::getenv("QUIRE_TEST_POSTGRESQL"); }

/// A schema of its own in the test database.
class PostgresqlPlace final : public CatalogPlace {
 public:
  PostgresqlPlace() {
    static std::atomic<int> count = 0;
    schema_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
    run("CREATE SCHEMA " + schema_);
  }
  ~PostgresqlPlace() override { run("DROP SCHEMA " + schema_ + " CASCADE"); }

  Result<std::unique_ptr<content::Catalog>> open() override { return open_with({}); }
  Result<std::unique_ptr<content::Catalog>> open_with(const sql::PostgresqlOptions& options) {
    return sql::open_postgresql_catalog(
        std::string(test_database()) + "?options=-csearch_path%3D" + schema_ + "&application_name=" + schema_, options);
  }
  void execute(const std::string& statement) override { run(statement, "SET search_path = " + schema_); }
  /// Ends the server's side of every connection of the catalogs opened here; how many there were.
  int disconnect() {
    int connections = 0;
    session() << "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = :name",
        soci::use(schema_), soci::into(connections);
    return connections;
  }

 private:
  soci::session& session() {
    // SOCI understands a URL only when it has a query.
    if (!session_)
      session_ =
          std::make_unique<soci::session>(soci::postgresql, std::string(test_database()) + "?connect_timeout=10");
    return *session_;
  }
  void run(const std::string& statement, const std::string& before = "SET client_min_messages = warning") {
    session() << before;
    session() << statement;
  }

  std::string schema_;
  std::unique_ptr<soci::session> session_;
};

std::unique_ptr<PostgresqlPlace> make_place(std::string& why) {
  if (test_database() == nullptr) {
    why = "QUIRE_TEST_POSTGRESQL is not set; run under test/suites/with-postgresql";
    return nullptr;
  }
  return std::make_unique<PostgresqlPlace>();
}

INSTANTIATE_TEST_SUITE_P(Postgresql, CatalogSuite, testing::Values(CatalogAdapter{"Schema", make_place}),
                         [](const auto& row) { return row.param.name; });

class PostgresqlCatalog : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    place_ = make_place(why);
    if (!place_) GTEST_SKIP() << why;
  }

  std::unique_ptr<content::Catalog> open(const sql::PostgresqlOptions& options = {}) {
    auto catalog = place_->open_with(options);
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
    EXPECT_TRUE(found) << found.error().cause();
    return found ? *found : std::nullopt;
  }

  std::unique_ptr<PostgresqlPlace> place_;
};

TEST_F(PostgresqlCatalog, SeveralServersMayOpenItAtTheSameTime) {
  std::barrier together(4);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      together.arrive_and_wait();
      EXPECT_TRUE(open());
    });
  for (auto& thread : threads) thread.join();
}

TEST_F(PostgresqlCatalog, RunsWritesThatDependOnEachOtherAgain) {
  const auto catalog = open();
  ASSERT_TRUE(put(*catalog, "a", "1"));
  ASSERT_TRUE(put(*catalog, "b", "1"));
  // Each gives one away as long as there are two; run side by side without care, both would.
  std::barrier both_have_read(2);
  std::atomic<int> runs = 0;
  const auto give_away = [&](const std::string& name) {
    bool first_run = true;
    EXPECT_TRUE(catalog->write([&](CatalogWriter& writer) -> Result<void> {
      ++runs;
      const bool two = writer.setting("a") == "1" && writer.setting("b") == "1";
      if (std::exchange(first_run, false)) both_have_read.arrive_and_wait();
      if (two) writer.put_setting(name, "0");
      return {};
    }));
  };
  std::thread other([&] { give_away("a"); });
  give_away("b");
  other.join();
  EXPECT_EQ(runs, 3);
  EXPECT_NE(setting(*catalog, "a"), setting(*catalog, "b"));
}

TEST_F(PostgresqlCatalog, RunsACollidingInsertAgain) {
  const auto catalog = open();
  std::barrier both_have_read(2);
  std::atomic<int> inserted = 0;
  std::atomic<int> found = 0;
  const auto insert_once = [&] {
    bool first_run = true;
    EXPECT_TRUE(catalog->write([&](CatalogWriter& writer) -> Result<void> {
      const bool there = writer.find<content::LoginSession>(content::LoginId("x")).has_value();
      if (std::exchange(first_run, false)) both_have_read.arrive_and_wait();
      if (!there) writer.insert(content::LoginSession{content::LoginId("x"), "user", {}, {}});
      ++(there ? found : inserted);
      return {};
    }));
  };
  std::thread other(insert_once);
  insert_once();
  other.join();
  EXPECT_EQ(found, 1);
}

TEST_F(PostgresqlCatalog, GivesUpAfterSoManyTries) {
  // Two: a third run would be alone, and the write inside it would wait for it for ever.
  const auto catalog = open({.tries = 2});
  ASSERT_TRUE(put(*catalog, "a", "0"));
  int runs = 0;
  const auto done = catalog->write([&](CatalogWriter& writer) -> Result<void> {
    ++runs;
    EXPECT_TRUE(writer.setting("a"));
    std::thread([&] { EXPECT_TRUE(put(*catalog, "a", std::to_string(runs))); }).join();
    writer.put_setting("a", "mine");
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::service_unavailable);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(setting(*catalog, "a"), "2");
}

TEST_F(PostgresqlCatalog, ReconnectsWhenIdleConnectionsBroke) {
  const auto catalog = open();
  ASSERT_TRUE(put(*catalog, "a", "1"));
  EXPECT_GE(place_->disconnect(), 1);
  EXPECT_EQ(setting(*catalog, "a"), "1");
  EXPECT_GE(place_->disconnect(), 1);
  EXPECT_TRUE(put(*catalog, "a", "2"));
  EXPECT_EQ(setting(*catalog, "a"), "2");
}

TEST_F(PostgresqlCatalog, BeginsAnewWhenTheConnectionBreaksBeforeTheCommit) {
  const auto catalog = open();
  int runs = 0;
  EXPECT_TRUE(catalog->write([&](CatalogWriter& writer) -> Result<void> {
    ++runs;
    writer.put_setting("a", std::to_string(runs));
    if (runs == 1) place_->disconnect();
    writer.put_setting("b", std::to_string(runs));
    return {};
  }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(setting(*catalog, "a"), "2");
}

TEST_F(PostgresqlCatalog, DoesNotCommitTwiceWhenTheConnectionBreaksInTheCommit) {
  const auto catalog = open();
  int runs = 0;
  const auto done = catalog->write([&](CatalogWriter& writer) -> Result<void> {
    ++runs;
    writer.put_setting("a", std::to_string(runs));
    place_->disconnect();
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::service_unavailable);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(setting(*catalog, "a"), std::nullopt);
  EXPECT_TRUE(put(*catalog, "a", "b"));
}

TEST_F(PostgresqlCatalog, GivesUpWhenConnectionsKeepBreaking) {
  const auto catalog = open();
  const auto done = catalog->read([&](CatalogReader& reader) -> Result<void> {
    place_->disconnect();
    (void)reader.setting("a");
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::service_unavailable);
  EXPECT_EQ(setting(*catalog, "a"), std::nullopt);
}

TEST_F(PostgresqlCatalog, RefusesTransactionsBeyondTheQueue) {
  const auto catalog = open({.connections = 1, .transactions_waiting_max = 0});
  EXPECT_TRUE(catalog->read([&](CatalogReader&) -> Result<void> {
    std::thread([&] {
      const auto refused = put(*catalog, "a", "b");
      EXPECT_TRUE(!refused && refused.error().kind() == ErrorKind::service_unavailable);
    }).join();
    return {};
  }));
  EXPECT_TRUE(put(*catalog, "a", "b"));
}

TEST_F(PostgresqlCatalog, KeepsAConnectionThroughManyFailures) {
  const auto catalog = open({.connections = 1});
  for (int i = 0; i < 50; ++i)
    EXPECT_FALSE(catalog->write([](CatalogWriter& writer) -> Result<void> {
      writer.update(content::Library{});
      return {};
    }));
  EXPECT_TRUE(put(*catalog, "a", "b"));
  EXPECT_EQ(place_->disconnect(), 1);
}

TEST(PostgresqlUrl, SaysWhenTheDatabaseCannotBeReached) {
  const auto opened = sql::open_postgresql_catalog("postgresql://quire:secret@%2Fno%2Fsuch%2Ffolder/quire");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::service_unavailable);
  EXPECT_EQ(opened.error().cause().find("secret"), std::string::npos);
  EXPECT_NE(opened.error().cause().find("such"), std::string::npos) << opened.error().cause();
}

TEST(PostgresqlUrl, RefusesWhatIsNoUrl) {
  const auto opened = sql::open_postgresql_catalog("postgresql://quire:secret@[host/quire");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::unsupported);
  EXPECT_EQ((opened.error().text() + opened.error().cause()).find("secret"), std::string::npos);
}

}  // namespace
}  // namespace quire::test_suites
