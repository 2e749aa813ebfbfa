#include "adapters/sql/contradictions.h"

#include <string>
#include <string_view>

namespace quire::adapters::sql {
namespace {

/// One kind: the query finds the objects, each told in one text. The statements that repair it, if anything may.
struct Check {
  std::string_view kind;
  std::string_view problem;
  std::string_view remedy;
  std::string_view query;
  std::vector<std::string_view> repair = {};
};

constexpr std::string_view restore = "Restore the catalog from a backup (quire restore).";
constexpr std::string_view harmless = "Nothing can reach it any more; quire doctor --repair removes it.";

/// The statements repair in this order: what removes rows that others name comes after those.
// NOLINTBEGIN(bugprone-suspicious-missing-comma): a statement of several lines is one string
const std::vector<Check>& checks() {
  static const std::vector<Check> all = {
      {"item_without_library", "Its library does not exist.", restore,
       "SELECT 'item ' || id || ' (' || name || ')' FROM items"
       " WHERE NOT EXISTS (SELECT 1 FROM libraries WHERE libraries.id = items.library_id)"},
      {"item_without_content", "The set of files that it points to does not exist.", restore,
       "SELECT 'item ' || id || ' (' || name || ')' FROM items WHERE content_id IS NOT NULL"
       " AND NOT EXISTS (SELECT 1 FROM contents WHERE contents.id = items.content_id)"},
      {"item_size",
       "Its size is not the sum of its files' sizes.",
       "quire doctor --repair adds them up again.",
       "SELECT 'item ' || id || ' (' || name || ')' FROM items WHERE size <> COALESCE("
       "(SELECT SUM(size) FROM content_files WHERE content_files.content_id = items.content_id), 0)",
       {"UPDATE items SET size = COALESCE("
        "(SELECT SUM(size) FROM content_files WHERE content_files.content_id = items.content_id), 0)"
        " WHERE size <> COALESCE("
        "(SELECT SUM(size) FROM content_files WHERE content_files.content_id = items.content_id), 0)"}},
      {"file_without_blob", "The catalog knows no bytes of it.",
       "Restore the catalog from a backup (quire restore), or push the file again (quire push).",
       "SELECT 'file ' || content_files.name || COALESCE(' of item ' || items.id || ' (' || items.name || ')', '')"
       " FROM content_files LEFT JOIN items ON items.content_id = content_files.content_id"
       " WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE blobs.id = content_files.blob_id)"},
      {"file_size", "Its size is not that of its bytes.",
       "Push the file again (quire push), or restore the catalog from a backup (quire restore).",
       "SELECT 'file ' || content_files.name || COALESCE(' of item ' || items.id || ' (' || items.name || ')', '')"
       " FROM content_files JOIN blobs ON blobs.id = content_files.blob_id"
       " LEFT JOIN items ON items.content_id = content_files.content_id WHERE content_files.size <> blobs.size"},
      {"file_without_content",
       "It is in no set of files.",
       harmless,
       "SELECT 'file ' || name || ' of content ' || content_id FROM content_files"
       " WHERE NOT EXISTS (SELECT 1 FROM contents WHERE contents.id = content_files.content_id)"
       " AND NOT EXISTS (SELECT 1 FROM items WHERE items.content_id = content_files.content_id)",
       {"DELETE FROM content_files WHERE NOT EXISTS (SELECT 1 FROM contents WHERE contents.id = "
        "content_files.content_id)"
        " AND NOT EXISTS (SELECT 1 FROM items WHERE items.content_id = content_files.content_id)"}},
      {"session_without_item", "Its item does not exist.", restore,
       "SELECT 'update session ' || id FROM update_sessions"
       " WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = update_sessions.item_id)"},
      {"session_file_without_session",
       "Its update session does not exist.",
       harmless,
       "SELECT 'file ' || name || ' of update session ' || session_id FROM session_files"
       " WHERE NOT EXISTS (SELECT 1 FROM update_sessions WHERE update_sessions.id = session_files.session_id)",
       {"DELETE FROM session_files"
        " WHERE NOT EXISTS (SELECT 1 FROM update_sessions WHERE update_sessions.id = session_files.session_id)"}},
      {"session_file_without_blob", "The catalog knows no bytes of it.", "Cancel the session and begin another one.",
       "SELECT 'file ' || name || ' of update session ' || session_id FROM session_files WHERE blob_id IS NOT NULL"
       " AND NOT EXISTS (SELECT 1 FROM blobs WHERE blobs.id = session_files.blob_id)"},
      {"several_active_sessions", "It has more than one active update session.",
       "Cancel the sessions of the item that nobody needs (quire sessions).",
       "SELECT 'item ' || item_id FROM update_sessions WHERE state = 'ACTIVE' GROUP BY item_id HAVING COUNT(*) > 1"},
      {"download_session_without_item",
       "Its item does not exist.",
       harmless,
       "SELECT 'download session ' || id FROM download_sessions"
       " WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = download_sessions.item_id)",
       {"DELETE FROM prepared_files WHERE session_id IN (SELECT id FROM download_sessions"
        " WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = download_sessions.item_id))",
        "DELETE FROM download_sessions"
        " WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = download_sessions.item_id)"}},
      {"prepared_file_without_session",
       "Its download session does not exist.",
       harmless,
       "SELECT 'file ' || name || ' of download session ' || session_id FROM prepared_files"
       " WHERE NOT EXISTS (SELECT 1 FROM download_sessions WHERE download_sessions.id = prepared_files.session_id)",
       {"DELETE FROM prepared_files"
        " WHERE NOT EXISTS (SELECT 1 FROM download_sessions WHERE download_sessions.id = prepared_files.session_id)"}},
      {"change_without_item",
       "Its item does not exist.",
       harmless,
       "SELECT 'change ' || position || ' of item ' || item_id FROM changes"
       " WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = changes.item_id)",
       {"DELETE FROM changes WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = changes.item_id)"}},
      {"task_blob_without_task",
       "Its task does not exist.",
       harmless,
       "SELECT 'blob ' || blob_id || ' of task ' || task_id FROM task_blobs"
       " WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = task_blobs.task_id)",
       {"DELETE FROM task_blobs WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = task_blobs.task_id)"}},
      {"migration_without_task", "It is half moved to another storage, and no task goes on with it.",
       "Start the migration to the same storage again.",
       "SELECT 'library ' || id || ' (' || name || ')' FROM libraries WHERE migration IS NOT NULL"
       " AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.target = libraries.id AND tasks.operation = 'migrate'"
       " AND tasks.ended IS NULL)"},
      {"content_nobody_has",
       "No item, download session or task has this set of files.",
       harmless,
       "SELECT 'content ' || id || ' of item ' || item_id FROM contents"
       " WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.content_id = contents.id)"
       " AND NOT EXISTS (SELECT 1 FROM download_sessions WHERE download_sessions.content_id = contents.id"
       " AND download_sessions.state = 'ACTIVE')"
       " AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.content_id = contents.id)",
       {"DELETE FROM content_files WHERE content_id IN (SELECT id FROM contents"
        " WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.content_id = contents.id)"
        " AND NOT EXISTS (SELECT 1 FROM download_sessions WHERE download_sessions.content_id = contents.id"
        " AND download_sessions.state = 'ACTIVE')"
        " AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.content_id = contents.id))",
        "DELETE FROM contents"
        " WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.content_id = contents.id)"
        " AND NOT EXISTS (SELECT 1 FROM download_sessions WHERE download_sessions.content_id = contents.id"
        " AND download_sessions.state = 'ACTIVE')"
        " AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.content_id = contents.id)"}},
      {"small_blob_without_bytes", "The catalog should hold its bytes, and does not.",
       "Push the files that have these bytes again (quire push), or restore the catalog from a backup (quire restore).",
       "SELECT 'blob ' || id FROM blobs WHERE in_catalog <> 0 AND bytes IS NULL"},
      {"bytes_twice", "The catalog holds its bytes, which should lie on its storage.",
       "Look whether its file lies on the storage (quire doctor tells); the server reads that one.",
       "SELECT 'blob ' || id FROM blobs WHERE in_catalog = 0 AND bytes IS NOT NULL"},
      {"blob_nobody_has",
       "No file, upload or task has these bytes.",
       harmless,
       "SELECT 'blob ' || id FROM blobs"
       " WHERE NOT EXISTS (SELECT 1 FROM content_files WHERE content_files.blob_id = blobs.id)"
       " AND NOT EXISTS (SELECT 1 FROM session_files WHERE session_files.blob_id = blobs.id)"
       " AND NOT EXISTS (SELECT 1 FROM task_blobs WHERE task_blobs.blob_id = blobs.id)",
       {"DELETE FROM blobs"
        " WHERE NOT EXISTS (SELECT 1 FROM content_files WHERE content_files.blob_id = blobs.id)"
        " AND NOT EXISTS (SELECT 1 FROM session_files WHERE session_files.blob_id = blobs.id)"
        " AND NOT EXISTS (SELECT 1 FROM task_blobs WHERE task_blobs.blob_id = blobs.id)"}},
      {"permission_without_library",
       "Its library does not exist.",
       "It gives nothing; quire doctor --repair removes it.",
       "SELECT 'permission of ' || principal || ' on library ' || library_id FROM permissions"
       " WHERE library_id IS NOT NULL"
       " AND NOT EXISTS (SELECT 1 FROM libraries WHERE libraries.id = permissions.library_id)",
       {"DELETE FROM permissions WHERE library_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM libraries WHERE libraries.id = permissions.library_id)"}},
      {"permission_without_role",
       "Its role does not exist.",
       "It gives nothing; quire doctor --repair removes it.",
       "SELECT 'permission of ' || principal || ' with role ' || role FROM permissions"
       " WHERE role > 0 AND NOT EXISTS (SELECT 1 FROM roles WHERE roles.id = permissions.role)",
       {"DELETE FROM permissions WHERE role > 0 AND NOT EXISTS (SELECT 1 FROM roles WHERE roles.id = "
        "permissions.role)"}},
      {"member_without_group",
       "The group does not exist.",
       harmless,
       "SELECT 'member ' || name || ' of group ' || group_id FROM group_members"
       " WHERE NOT EXISTS (SELECT 1 FROM user_groups WHERE user_groups.id = group_members.group_id)",
       {"DELETE FROM group_members"
        " WHERE NOT EXISTS (SELECT 1 FROM user_groups WHERE user_groups.id = group_members.group_id)"}},
      {"usage_without_library",
       "Its library does not exist.",
       harmless,
       "SELECT 'usage ' || resource_urn FROM library_usages"
       " WHERE NOT EXISTS (SELECT 1 FROM libraries WHERE libraries.id = library_usages.library_id)",
       {"DELETE FROM library_usages"
        " WHERE NOT EXISTS (SELECT 1 FROM libraries WHERE libraries.id = library_usages.library_id)"}},
      {"subscription_without_library",
       "Its library does not exist.",
       harmless,
       "SELECT 'subscription ' || id FROM subscriptions"
       " WHERE NOT EXISTS (SELECT 1 FROM libraries WHERE libraries.id = subscriptions.library_id)",
       {"DELETE FROM subscriptions"
        " WHERE NOT EXISTS (SELECT 1 FROM libraries WHERE libraries.id = subscriptions.library_id)"}},
      {"source_without_item",
       "Its item does not exist.",
       harmless,
       "SELECT 'what a publisher says of item ' || item_id FROM source_items"
       " WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = source_items.item_id)",
       {"DELETE FROM source_items WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.id = source_items.item_id)"}},
      {"library_without_publisher", "It is subscribed, but to nobody.", restore,
       "SELECT 'library ' || id || ' (' || name || ')' FROM libraries"
       " WHERE type = 'SUBSCRIBED' AND subscription IS NULL"},
      {"local_library_with_publisher", "It is a local library, but follows a publisher.", restore,
       "SELECT 'library ' || id || ' (' || name || ')' FROM libraries"
       " WHERE type = 'LOCAL' AND subscription IS NOT NULL"},
      {"local_item_elsewhere",
       "Its content is said to be at a publisher, but its library is a local one.",
       "Its content is what is here; quire doctor --repair says so.",
       "SELECT 'item ' || id || ' (' || name || ')' FROM items WHERE cached = 0 AND EXISTS"
       " (SELECT 1 FROM libraries WHERE libraries.id = items.library_id AND libraries.type = 'LOCAL')",
       {"UPDATE items SET cached = 1 WHERE cached = 0 AND EXISTS"
        " (SELECT 1 FROM libraries WHERE libraries.id = items.library_id AND libraries.type = 'LOCAL')"}},
      {"attachment_without_tag",
       "The tag does not exist.",
       harmless,
       "SELECT 'tag ' || tag_id || ' on ' || object FROM tag_attachments"
       " WHERE NOT EXISTS (SELECT 1 FROM tags WHERE tags.id = tag_attachments.tag_id)",
       {"DELETE FROM tag_attachments WHERE NOT EXISTS (SELECT 1 FROM tags WHERE tags.id = tag_attachments.tag_id)"}},
      {"tag_without_category", "Its category does not exist.", restore,
       "SELECT 'tag ' || id || ' (' || name || ')' FROM tags"
       " WHERE NOT EXISTS (SELECT 1 FROM tag_categories WHERE tag_categories.id = tags.category_id)"},
  };
  return all;
}
// NOLINTEND(bugprone-suspicious-missing-comma)

}  // namespace

std::vector<content::Contradiction> contradictions(Connection& connection, std::size_t limit_per_kind) {
  std::vector<content::Contradiction> found;
  const auto add = [&](const Check& check, std::string object) {
    found.push_back({std::string(check.kind), std::move(object), std::string(check.problem), std::string(check.remedy),
                     !check.repair.empty()});
  };
  for (const auto& problem : connection.damage_of_file()) {
    static const Check damaged{"catalog_file_damaged", "The database file is damaged.", restore, ""};
    add(damaged, problem);
  }
  for (const auto& check : checks()) {
    const auto limited = std::string(check.query) + " LIMIT " + std::to_string(limit_per_kind);
    for (auto& object : connection.all<std::string>(limited)) add(check, std::move(object));
  }
  return found;
}

std::size_t repair_contradictions(Connection& connection) {
  std::size_t changed = 0;
  for (const auto& check : checks())
    for (const auto statement : check.repair) changed += static_cast<std::size_t>(connection.run(statement));
  return changed;
}

}  // namespace quire::adapters::sql
