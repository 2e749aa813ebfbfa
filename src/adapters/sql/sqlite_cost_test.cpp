#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "adapters/sql/sql_catalog.h"
#include "support/temporary_folder.h"

namespace quire::adapters::sql {
namespace {

using content::CatalogReader;
using content::CatalogWriter;

/// Counts what SQLite does for the statements of this process: one step of its machine handles about one row.
class Steps {
 public:
  Steps() {
    total = 0;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch));
  }
  ~Steps() { sqlite3_reset_auto_extension(); }
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;

  static int of(const std::function<void()>& work) {
    total = 0;
    work();
    return total;
  }

 private:
  static int watch(sqlite3* connection, char**, const void*) {
    return sqlite3_trace_v2(connection, SQLITE_TRACE_PROFILE, count, nullptr);
  }
  static int count(unsigned, void*, void* statement, void*) {
    total += sqlite3_stmt_status(static_cast<sqlite3_stmt*>(statement), SQLITE_STMTSTATUS_VM_STEP, 1);
    return 0;
  }
  static int total;
};
int Steps::total = 0;

/// The search for a blob of the same bytes took the index that gave the order it asked for, and read every blob of the
/// storage: half of all work once there were ten thousand. So did the search for an item of a library by name.
TEST(SqliteCost, SearchesDoNotGrowWithTheCatalog) {
  constexpr int rows = 2000;
  constexpr int steps_max = 500;
  const Steps steps;
  const test_support::TemporaryFolder folder;
  auto catalog = open_sqlite_catalog(folder.path() / "catalog.sqlite");
  ASSERT_TRUE(catalog);
  const content::LibraryId library("l");
  const content::StorageId storage("s");
  const auto filled = (*catalog)->write([&](CatalogWriter& writer) -> base::Result<void> {
    content::Library one;
    one.id = library;
    one.storage = storage;
    writer.insert(one);
    for (int i = 0; i < rows; ++i) {
      const auto number = std::to_string(i);
      writer.insert(content::Blob{content::BlobId(number), storage, i, number});
      content::Item item;
      item.id = content::ItemId(number);
      item.library_id = library;
      item.name = number;
      item.source_id = number;
      writer.insert(item);
      content::UpdateSession session;
      session.id = content::UpdateSessionId(number);
      session.item_id = item.id;
      session.creator = "somebody";
      writer.insert(session);
      content::SessionFile pushed;
      pushed.name = "file";
      pushed.blob = content::BlobId(number);
      pushed.upload_token = content::TransferToken(number);
      writer.insert(session.id, pushed);
    }
    return {};
  });
  ASSERT_TRUE(filled) << filled.error().cause();
  const auto cost = [&](const std::function<std::size_t(CatalogReader&)>& search) {
    return Steps::of([&] {
      const auto found =
          (*catalog)->read([&](CatalogReader& reader) -> base::Result<std::size_t> { return search(reader); });
      EXPECT_TRUE(found && *found == 1);
    });
  };
  EXPECT_LT(cost([&](CatalogReader& reader) -> std::size_t { return reader.blob_with(storage, "1990", 1990) ? 1 : 0; }),
            steps_max);
  content::ItemFilter by_name;
  by_name.library_id = library;
  by_name.name = "1990";
  EXPECT_LT(cost([&](CatalogReader& reader) { return reader.items(by_name).size(); }), steps_max);
  content::ItemFilter by_source;
  by_source.library_id = library;
  by_source.source_id = "1990";
  EXPECT_LT(cost([&](CatalogReader& reader) { return reader.items(by_source).size(); }), steps_max);
  EXPECT_LT(
      cost([&](CatalogReader& reader) { return reader.update_sessions("somebody", content::ItemId("1990")).size(); }),
      steps_max);
  EXPECT_LT(
      Steps::of([&] {
        const auto removed = (*catalog)->write([&](CatalogWriter& writer) -> base::Result<std::size_t> {
          content::Content content;
          content.id = content::ContentId("content");
          content.item_id = content::ItemId("1990");
          writer.insert(content);
          EXPECT_EQ(writer.remove_content_if_unused(content.id).size(), 0U);
          writer.remove<content::SessionFile>({content::UpdateSessionId("1990"), "file"});
          return writer.remove_unreferenced_blobs(std::vector{content::BlobId("1990"), content::BlobId("1991")}).size();
        });
        EXPECT_TRUE(removed && *removed == 1);
      }),
      steps_max);
  // The measure sees a search that does read all.
  content::ItemFilter all;
  all.library_id = library;
  EXPECT_GT(Steps::of([&] {
              const auto read = (*catalog)->read(
                  [&](CatalogReader& reader) -> base::Result<std::size_t> { return reader.items(all).size(); });
              EXPECT_TRUE(read && *read == rows);
            }),
            steps_max);
}

/// An update that named all columns rewrote the entries of all seven indexes of a session, mostly with what was there.
TEST(SqliteCost, AnUpdateCostsWhatItChanges) {
  const Steps steps;
  const test_support::TemporaryFolder folder;
  auto catalog = open_sqlite_catalog(folder.path() / "catalog.sqlite");
  ASSERT_TRUE(catalog);
  content::UpdateSession session;
  session.id = content::UpdateSessionId("session");
  session.item_id = content::ItemId("item");
  const auto write = [&](const std::function<void(CatalogWriter&)>& change) {
    return Steps::of([&] {
      const auto done = (*catalog)->write([&](CatalogWriter& writer) -> base::Result<void> {
        change(writer);
        return {};
      });
      EXPECT_TRUE(done) << done.error().cause();
    });
  };
  write([&](CatalogWriter& writer) {
    content::Library library;
    library.id = content::LibraryId("library");
    library.storage = content::StorageId("storage");
    writer.insert(library);
    content::Item item;
    item.id = session.item_id;
    item.library_id = library.id;
    writer.insert(item);
    writer.insert(session);
  });
  const auto update = [&] { return write([&](CatalogWriter& writer) { writer.update(session); }); };
  const auto nothing = update();
  session.client_progress = 50;
  const auto no_index = update();
  session.expires_at += base::Duration(1);
  const auto one_index = update();
  EXPECT_LT(nothing, no_index);
  EXPECT_LT(no_index, one_index);
  session.creator = "somebody else";
  session.created += base::Duration(1);
  session.item_id = content::ItemId("item");
  session.expires_at += base::Duration(1);
  EXPECT_LT(one_index, update());

  const auto read = [&](int times) {
    return write([&](CatalogWriter& writer) {
      for (int i = 0; i < times; ++i) EXPECT_EQ(writer.find<content::UpdateSession>(session.id), session);
    });
  };
  EXPECT_EQ(read(1), read(5)) << "a transaction reads a row once";
}

/// Readers keep their snapshots between transactions; if those stayed while others write, the log could never begin
/// anew.
TEST(SqliteCost, TheLogDoesNotGrowWithoutEndBesideReaders) {
  constexpr int writes = 400;
  constexpr std::uintmax_t bytes_max = 150 * 4096;
  const test_support::TemporaryFolder folder;
  SqliteOptions options;
  options.checkpoint_pages = 20;
  auto catalog = open_sqlite_catalog(folder.path() / "catalog.sqlite", options);
  ASSERT_TRUE(catalog);
  for (int i = 0; i < writes; ++i) {
    const auto value = std::to_string(i);
    ASSERT_TRUE((*catalog)->write([&](CatalogWriter& writer) -> base::Result<void> {
      writer.put_setting("a", value);
      return {};
    }));
    const auto seen = (*catalog)->read(
        [](CatalogReader& reader) -> base::Result<std::string> { return reader.setting("a").value_or(""); });
    ASSERT_TRUE(seen);
    EXPECT_EQ(*seen, value);
  }
  EXPECT_LT(std::filesystem::file_size(folder.path() / "catalog.sqlite-wal"), bytes_max);
}

}  // namespace
}  // namespace quire::adapters::sql
