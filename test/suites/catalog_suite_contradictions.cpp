#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "suites/catalog_suite.h"

// Facts that contradict each other, which no version of Quire writes: whatever the engine, each kind is found, and what
// loses nothing is ended.

namespace quire::test_suites {
namespace {

using namespace quire::content;  // NOLINT(google-build-using-namespace): the suite speaks of nothing else
using base::Time;
using testing::Contains;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

struct Damage {
  std::string kind;
  bool repairable;
  std::vector<std::string> statements;
};

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {"item_without_library", false, {"DELETE FROM libraries"}},
      {"item_without_content", false, {"UPDATE items SET content_id = 'gone'"}},
      {"item_size", true, {"UPDATE items SET size = size + 1"}},
      {"file_without_blob", false, {"UPDATE content_files SET blob_id = 'gone' WHERE name = 'large'"}},
      {"file_size", false, {"UPDATE content_files SET size = size + 1 WHERE name = 'large'"}},
      {"file_without_content",
       true,
       {"INSERT INTO content_files (content_id, name, position, version, blob_id, size, checksum)"
        " SELECT 'gone', name, position, version, blob_id, size, checksum FROM content_files WHERE name = 'large'"}},
      {"session_without_item", false, {"UPDATE update_sessions SET item_id = 'gone'"}},
      {"session_file_without_session", true, {"DELETE FROM update_sessions"}},
      {"session_file_without_blob", false, {"UPDATE session_files SET blob_id = 'gone'"}},
      {"several_active_sessions",
       false,
       {"DROP INDEX update_sessions_one_active",
        "INSERT INTO update_sessions (id, item_id, item_content_version, creator, state, completing, completed_itself,"
        " client_progress, created, changed, expires_at) SELECT 'another', item_id, item_content_version, creator,"
        " state, completing, completed_itself, client_progress, created, changed, expires_at FROM update_sessions"}},
      {"download_session_without_item",
       true,
       {"INSERT INTO download_sessions (id, item_id, item_content_version, creator, state, client_progress, created,"
        " expires_at) VALUES ('lost', 'gone', 1, 'a', 'ACTIVE', 0, 0, 0)",
        "INSERT INTO prepared_files (session_id, name, direct) VALUES ('lost', 'large', 0)"}},
      {"prepared_file_without_session",
       true,
       {"INSERT INTO prepared_files (session_id, name, direct) VALUES ('gone', 'large', 0)"}},
      {"change_without_item",
       true,
       {"INSERT INTO changes (item_id, position, content_version, time, user_name) VALUES ('gone', 1, 2, 0, 'a')"}},
      {"task_blob_without_task",
       true,
       {"INSERT INTO task_blobs (task_id, blob_id, position) VALUES ('gone', 'aa-large', 0)"}},
      {"migration_without_task",
       false,
       {"UPDATE libraries SET migration = 'anything'",
        "INSERT INTO tasks (id, service, operation, target_type, target, user_name, description, status, total, "
        "completed,"
        " cancel_requested, claim, due, attempts, created) VALUES ('other', 's', 'sync', 'x', 'library', 'a', '{}',"
        " 'RUNNING', 0, 0, 0, '', 0, 0, 0)"}},
      {"content_nobody_has",
       true,
       {"INSERT INTO contents (id, item_id, content_version, created) VALUES ('alone', 'item', 1, 0)"}},
      {"small_blob_without_bytes", false, {"UPDATE blobs SET bytes = NULL WHERE in_catalog = 1"}},
      {"bytes_twice", false, {"UPDATE blobs SET bytes = 'AAAA' WHERE in_catalog = 0"}},
      {"blob_nobody_has",
       true,
       {"INSERT INTO blobs (id, storage, size, sha256, in_catalog) VALUES ('ab-alone', 'datastore-11', 1, 'x', 0)"}},
      {"permission_without_library",
       true,
       {"INSERT INTO permissions (folded_principal, type, object, principal, library_id, role, propagate)"
        " VALUES ('a', 'USER', 'gone', 'a', 'gone', -102, 1)"}},
      {"permission_without_role",
       true,
       {"INSERT INTO permissions (folded_principal, type, object, principal, role, propagate)"
        " VALUES ('a', 'USER', '', 'a', 77, 1)"}},
      {"member_without_group",
       true,
       {"INSERT INTO group_members (group_id, folded_name, name) VALUES ('gone', 'a', 'a')"}},
      {"usage_without_library",
       true,
       {"INSERT INTO library_usages (library_id, id, position, resource_urn, added)"
        " VALUES ('gone', 'u', 0, 'urn:x:y:z', 0)"}},
      {"subscription_without_library",
       true,
       {"INSERT INTO subscriptions (library_id, id, position, subscribed_library, subscribed_library_name, location,"
        " placement) VALUES ('gone', 's', 1, 'x', 'x', 'LOCAL', '{}')"}},
      {"source_without_item",
       true,
       {"INSERT INTO source_items (item_id, document, content_document) VALUES ('gone', '{}', '')"}},
      {"library_without_publisher", false, {"UPDATE libraries SET type = 'SUBSCRIBED'"}},
      {"local_library_with_publisher", false, {"UPDATE libraries SET subscription = '{}'"}},
      {"local_item_elsewhere", true, {"UPDATE items SET cached = 0"}},
      {"attachment_without_tag",
       true,
       {"INSERT INTO tag_attachments (tag_id, object_type, object) VALUES ('gone', 'x', 'y')"}},
      {"tag_without_category",
       false,
       {"INSERT INTO tags (id, category_id, name, description) VALUES ('t', 'gone', 'tag', '')"}},
  };
  return all;
}

auto has_kind(const std::string& kind) { return Contains(Field(&Contradiction::kind, kind)); }

/// A library with an item of two files, one of them kept in the catalog, and an active session with a third.
void fill(CatalogWriter& writer) {
  Library library;
  library.id = LibraryId("library");
  library.name = "library";
  library.backing = {StorageBackingType::DATASTORE, "datastore-11", std::nullopt};
  library.storage = StorageId("datastore-11");
  writer.insert(library);
  const std::vector<std::byte> small(3);
  writer.insert_blob({BlobId("aa-large"), StorageId("datastore-11"), 5, "00"}, {});
  writer.insert_blob({BlobId("aa-small"), StorageId("datastore-11"), 3, "01", true}, small);
  writer.insert_blob({BlobId("aa-more"), StorageId("datastore-11"), 7, "02"}, {});
  writer.insert(Content{ContentId("content"), ItemId("item"), 2, Time()});
  for (const auto& [name, size] : {std::pair("large", 5), std::pair("small", 3)}) {
    ContentFile file;
    file.name = name;
    file.blob = BlobId(std::string("aa-") + name);
    file.size = size;
    writer.insert(ContentId("content"), file);
  }
  Item item;
  item.id = ItemId("item");
  item.library_id = library.id;
  item.name = "item";
  item.content = ContentId("content");
  item.size = 8;
  writer.insert(item);
  UpdateSession session;
  session.id = UpdateSessionId("session");
  session.item_id = item.id;
  writer.insert(session);
  SessionFile file;
  file.name = "more";
  file.source_type = SourceType::PUSH;
  file.blob = BlobId("aa-more");
  writer.insert(session.id, file);
}

std::vector<Contradiction> contradictions(CatalogReader& reader) { return reader.contradictions(10); }

}  // namespace

TEST_P(CatalogSuite, FindsEachContradictionAndEndsWhatLosesNothing) {
  for (const auto& damage : damages()) {
    SCOPED_TRACE(damage.kind);
    std::string why;
    catalog_.reset();
    place_ = GetParam().make_place(why);
    reopen();
    change(fill);
    EXPECT_THAT(look(contradictions), IsEmpty()) << "a sound catalog";
    for (const auto& statement : damage.statements) place_->execute_unchecked(statement);
    reopen();
    const auto found = look(contradictions);
    EXPECT_THAT(found, has_kind(damage.kind));
    for (const auto& one : found) {
      if (one.kind != damage.kind) continue;
      EXPECT_EQ(one.repairable, damage.repairable);
      EXPECT_TRUE(!one.object.empty() && !one.problem.empty() && !one.remedy.empty());
    }
    std::size_t rows = 0;
    change([&](CatalogWriter& writer) { rows = writer.repair_contradictions(); });
    EXPECT_EQ(look(contradictions).empty() || !damage.repairable, true);
    if (damage.repairable) {
      EXPECT_GT(rows, 0U);
      EXPECT_THAT(look([](CatalogReader& reader) { return reader.list<ContentFile>(ContentId("content")); }),
                  SizeIs(2));
    } else {
      EXPECT_THAT(look(contradictions), has_kind(damage.kind)) << "only a backup knows better";
    }
  }
}

TEST_P(CatalogSuite, TellsSoManyContradictionsOfAKindAtMost) {
  change(fill);
  for (const auto* name : {"a", "b", "c"})
    place_->execute_unchecked("INSERT INTO group_members (group_id, folded_name, name) VALUES ('gone', '" +
                              std::string(name) + "', 'x')");
  reopen();
  EXPECT_THAT(look([](CatalogReader& reader) { return reader.contradictions(2); }), SizeIs(2));
}

}  // namespace quire::test_suites
