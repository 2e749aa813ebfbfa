#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sql/catalog_view.h"
#include "adapters/sql/conditions.h"
#include "adapters/sql/contradictions.h"
#include "adapters/sql/sql_text.h"

namespace quire::adapters::sql {

using content::BlobId;

void CatalogView::touch_login(const content::LoginId& id, base::Time now) {
  const auto changed =
      connection_.run("UPDATE logins SET last_accessed = :now WHERE id = :id AND last_accessed <= :stale", now, id,
                      now - content::login_access_granularity);
  logins_changed_ |= changed > 0;
}

void CatalogView::remove_logins(base::Time accessed_before, base::Time created_before) {
  const auto removed = connection_.run(
      "DELETE FROM logins WHERE api_token IS NULL"
      " AND (last_accessed < :accessed_before OR created < :created_before)",
      accessed_before, created_before);
  logins_changed_ |= removed > 0;
}

void CatalogView::remove_logins_of(std::string_view user, const content::LoginId& but) {
  static const std::string sql = "DELETE FROM logins WHERE user_name = :user_name AND api_token IS NULL";
  // An empty identifier is NULL to the database, from which nothing differs.
  logins_changed_ |=
      (but.empty() ? connection_.run(sql, user) : connection_.run(sql + " AND id <> :but", user, but)) > 0;
}

void CatalogView::remove_api_tokens_of(std::string_view user) {
  logins_changed_ |=
      connection_.run("DELETE FROM logins WHERE user_name = :user_name AND api_token IS NOT NULL", user) > 0;
}

void CatalogView::remove_memberships(std::string_view user) {
  access_changed_ = true;
  connection_.run("DELETE FROM group_members WHERE folded_name = :folded_name", content::fold_case(user));
}

void CatalogView::remove_permissions(const content::PermissionFilter& filter) {
  access_changed_ = true;
  PermissionConditions(filter).apply([&](const std::string& where, const auto&... parameters) {
    connection_.run("DELETE FROM permissions" + where, parameters...);
  });
}

void CatalogView::remove_client_tokens(base::Time created_before) {
  connection_.run("DELETE FROM client_tokens WHERE created < :created_before", created_before);
}

std::vector<BlobId> CatalogView::remove_content_if_unused(const content::ContentId& id) {
  const auto used = connection_.one<int>(
      "SELECT 1 FROM items WHERE content_id = :pointed_to UNION ALL"
      " SELECT 1 FROM download_sessions WHERE content_id = :pinned AND state = 'ACTIVE' UNION ALL"
      " SELECT 1 FROM tasks WHERE content_id = :read_by_task LIMIT 1",
      id, id, id);
  if (used) return {};
  auto blobs = connection_.all<BlobId>("SELECT DISTINCT blob_id FROM content_files WHERE content_id = :content_id", id);
  remove<content::Content>(id);
  return blobs;
}

void CatalogView::insert_blob(const content::Blob& blob, std::span<const std::byte> bytes) {
  static const std::string sql = insert_into<content::Blob>("bytes, ", ":bytes, ");
  const auto held = blob.in_catalog ? std::optional(std::vector<std::byte>(bytes.begin(), bytes.end())) : std::nullopt;
  connection_.run(sql, held, blob);
}

void CatalogView::advance_generation(const content::LibraryId& id) {
  const auto changed =
      connection_.run("UPDATE libraries SET generation = generation + 1 WHERE id = :id AND published = 1", id);
  if (changed == 0) return;
  libraries_changed_ = true;
  std::get<LastRow<content::Library>>(last_rows_).forget();
}

void CatalogView::move_blob_to_storage(const content::BlobId& id) {
  connection_.run("UPDATE blobs SET in_catalog = 0, bytes = NULL WHERE id = :id", id);
}

void CatalogView::replace_blob(const content::ItemId& item, const BlobId& old, const BlobId& replacement) {
  session_files_.reset();
  connection_.run(
      "UPDATE content_files SET blob_id = :replacement WHERE blob_id = :old AND content_id IN"
      " (SELECT content_id FROM items WHERE id = :item UNION"
      " SELECT content_id FROM download_sessions WHERE item_id = :item_of_download)",
      replacement, old, item, item);
  connection_.run(
      "UPDATE session_files SET blob_id = :replacement WHERE blob_id = :old AND session_id IN"
      " (SELECT id FROM update_sessions WHERE item_id = :item)",
      replacement, old, item);
}

std::vector<content::Blob> CatalogView::remove_unreferenced_blobs(std::span<const BlobId> candidates) {
  static const std::string sql =
      "DELETE FROM blobs WHERE id = :id"
      " AND NOT EXISTS (SELECT 1 FROM content_files WHERE blob_id = blobs.id)"
      " AND NOT EXISTS (SELECT 1 FROM session_files WHERE blob_id = blobs.id)"
      " AND NOT EXISTS (SELECT 1 FROM task_blobs WHERE blob_id = blobs.id) RETURNING " +
      names_of<content::Blob>(is_read, as_name);
  std::vector<content::Blob> removed;
  for (const auto& id : candidates)
    if (auto blob = connection_.one<content::Blob>(sql, id)) removed.push_back(*std::move(blob));
  return removed;
}

void CatalogView::remove_attachments_of_tag(const content::TagId& tag) {
  connection_.run("DELETE FROM tag_attachments WHERE tag_id = :tag_id", tag);
}

void CatalogView::remove_attachments_of_object(std::string_view type, std::string_view object) {
  connection_.run("DELETE FROM tag_attachments WHERE object = :object AND object_type = :object_type", object, type);
}

void CatalogView::restart_leases(base::Time now, const content::TimeBounds& update_sessions,
                                 const content::TimeBounds& download_sessions) {
  logins_changed_ = true;
  std::get<LastRow<content::UpdateSession>>(last_rows_).forget();
  for (const auto& [table, bounds] :
       {std::pair("update_sessions", update_sessions), std::pair("download_sessions", download_sessions)}) {
    const auto set =
        "UPDATE " + std::string(table) + " SET expires_at = :expires_at WHERE state = 'ACTIVE' AND expires_at ";
    connection_.run(set + "< :bound", bounds.at_least, bounds.at_least);
    connection_.run(set + "> :bound", bounds.at_most, bounds.at_most);
  }
  for (const auto& [table, column] :
       {std::pair("logins", "created"), std::pair("logins", "last_accessed"), std::pair("client_tokens", "created"),
        std::pair("update_sessions", "changed"), std::pair("update_sessions", "ended_at"), std::pair("tasks", "ended")})
    connection_.run(std::string("UPDATE ") + table + " SET " + column + " = :now WHERE " + column + " > :later", now,
                    now);
}

std::size_t CatalogView::remove_events(base::Time created_before, std::size_t limit) {
  return static_cast<std::size_t>(connection_.run(
      "DELETE FROM events WHERE time < :created_before AND number IN"
      " (SELECT number FROM events WHERE number < (SELECT max(number) FROM events) ORDER BY number LIMIT :limit_rows)",
      created_before, limit));
}

std::size_t CatalogView::repair_contradictions() { return sql::repair_contradictions(connection_); }

}  // namespace quire::adapters::sql
