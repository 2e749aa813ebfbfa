#include <gmock/gmock.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
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
    return sql::open_postgresql_catalog(url(), options);
  }
  void execute(const std::string& statement) override { run(statement, "SET search_path = " + schema_); }
  void execute_unchecked(const std::string& statement) override {
    session() << "SET session_replication_role = replica";
    execute(statement);
    session() << "SET session_replication_role = DEFAULT";
  }
  std::string url() const {
    return std::string(test_database()) + "?options=-csearch_path%3D" + schema_ + "&application_name=" + schema_;
  }
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

/// Rows of most tables, with what engines treat differently: NULL, numbers that are counted up, bytes, odd texts.
void fill(content::Catalog& catalog) {
  const auto filled = catalog.write([](CatalogWriter& writer) -> Result<void> {
    content::Library library;
    library.id = content::LibraryId("library");
    library.name = "\xC3\xA4 'quoted' \"and\" :colon $1 \\ back\nslash";
    library.backing = {content::StorageBackingType::DATASTORE, "datastore-11", std::nullopt};
    library.storage = content::StorageId("datastore-11");
    writer.insert(library);
    writer.insert_blob({content::BlobId("aa-1"), content::StorageId("datastore-11"), 3, "00", true},
                       std::vector<std::byte>(3));
    writer.insert(content::Content{content::ContentId("content"), content::ItemId("item"), 2, base::Time()});
    content::ContentFile file;
    file.name = "small";
    file.blob = content::BlobId("aa-1");
    file.size = 3;
    writer.insert(content::ContentId("content"), file);
    content::Item item;
    item.id = content::ItemId("item");
    item.library_id = library.id;
    item.name = "item";
    item.content = content::ContentId("content");
    item.size = 3;
    writer.insert(item);
    // More rows than are copied at once.
    for (int number = 0; number < 450; ++number) {
      content::Event event;
      event.kind = content::EventKind::item_created;
      event.actor = std::to_string(number);
      writer.append_event(event);
      writer.put_setting("name " + std::to_string(number), std::string(static_cast<std::size_t>(number), 'x'));
    }
    return {};
  });
  EXPECT_TRUE(filled) << filled.error().cause();
}

struct Rows {
  std::vector<content::LibraryId> libraries;
  std::optional<content::Library> library;
  std::optional<content::Item> item;
  std::vector<content::ContentFile> files;
  std::optional<std::vector<std::byte>> bytes;
  std::vector<content::Event> events;
  std::vector<std::optional<std::string>> settings;
  bool operator==(const Rows&) const = default;
};
Rows rows_of(content::Catalog& catalog) {
  const auto rows = catalog.read([](CatalogReader& reader) -> Result<Rows> {
    Rows all{reader.libraries({}),
             reader.find<content::Library>(content::LibraryId("library")),
             reader.find<content::Item>(content::ItemId("item")),
             reader.list<content::ContentFile>(content::ContentId("content")),
             reader.blob_bytes(content::BlobId("aa-1")),
             reader.events_after(0, 1000),
             {}};
    for (int number = 0; number < 450; ++number)
      all.settings.push_back(reader.setting("name " + std::to_string(number)));
    return all;
  });
  EXPECT_TRUE(rows) << rows.error().cause();
  return rows ? *rows : Rows();
}

TEST_F(PostgresqlCatalog, IsCopiedToTheOtherEngineAndBack) {
  const auto original = open();
  fill(*original);
  const auto rows = rows_of(*original);
  ASSERT_EQ(rows.events.size(), 450U);
  const test_support::TemporaryFolder folder;
  const auto file = folder.path() / "copy.sqlite";
  const auto copied = sql::copy_postgresql_catalog(place_->url(), file);
  ASSERT_TRUE(copied) << copied.error().text() << copied.error().cause();
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "nothing is left beside it";
  {
    const auto copy = sql::open_sqlite_catalog_to_read(file);
    ASSERT_TRUE(copy) << copy.error().cause();
    EXPECT_EQ(rows_of(**copy), rows);
    const auto written = put(**copy, "a", "b");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind(), ErrorKind::unsupported) << "it was opened to be read";
  }

  std::string why;
  const auto other = make_place(why);
  const auto filled = sql::fill_postgresql_catalog(file, other->url());
  ASSERT_TRUE(filled) << filled.error().text() << filled.error().cause();
  auto again = other->open();
  ASSERT_TRUE(again);
  EXPECT_EQ(rows_of(**again), rows);
  const auto appended = (*again)->write([&](CatalogWriter& writer) -> Result<std::int64_t> {
    writer.append_event(content::Event());
    return writer.events_before(1'000'000, 1).front().number;
  });
  ASSERT_TRUE(appended) << appended.error().cause();
  EXPECT_EQ(*appended, rows.events.back().number + 1) << "numbers go on behind the highest";

  const auto refused = sql::fill_postgresql_catalog(file, other->url());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::resource_in_use);
}

TEST_F(PostgresqlCatalog, IsSurveyedAndReadWithoutBeingChanged) {
  const auto empty = sql::survey_postgresql_catalog(place_->url());
  ASSERT_TRUE(empty) << empty.error().cause();
  EXPECT_EQ(empty->schema, 0) << "looking makes no tables";
  const auto none = sql::open_postgresql_catalog_to_read(place_->url());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::unsupported);
  const auto catalog = open();
  fill(*catalog);
  const auto survey = sql::survey_postgresql_catalog(place_->url());
  ASSERT_TRUE(survey) << survey.error().cause();
  EXPECT_EQ(survey->schema, sql::newest_catalog_schema());
  EXPECT_TRUE(survey->engine.starts_with("PostgreSQL "));
  EXPECT_GT(survey->bytes, 0);
  const std::map<std::string, std::int64_t> rows(survey->rows.begin(), survey->rows.end());
  EXPECT_EQ(rows.at("events"), 450);
  EXPECT_EQ(rows.at("items"), 1);
  auto to_read = sql::open_postgresql_catalog_to_read(place_->url());
  ASSERT_TRUE(to_read) << to_read.error().cause();
  EXPECT_EQ(rows_of(**to_read), rows_of(*catalog));
  EXPECT_FALSE(put(**to_read, "a", "b"));
}

TEST_F(PostgresqlCatalog, OfAnOlderSchemaIsNotCopied) {
  open();
  place_->execute("DELETE FROM schema_migrations WHERE number > 5");
  const test_support::TemporaryFolder folder;
  const auto copied = sql::copy_postgresql_catalog(place_->url(), folder.path() / "copy.sqlite");
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(copied.error().text(), testing::HasSubstr("schema 5"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(PostgresqlCatalog, TellsWhoElseIsConnected) {
  const auto nobody = sql::other_users_of_postgresql_catalog(place_->url());
  ASSERT_TRUE(nobody) << nobody.error().cause();
  EXPECT_EQ(*nobody, 0);
  const auto catalog = open();
  fill(*catalog);
  const auto others = sql::other_users_of_postgresql_catalog(place_->url());
  ASSERT_TRUE(others);
  EXPECT_GT(*others, 0);
}

}  // namespace
}  // namespace quire::test_suites
