#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sql/catalog_view.h"
#include "adapters/sql/sql_text.h"

namespace quire::adapters::sql {
namespace {

using content::BlobId;
using content::SessionFile;

/// An update of a row that is not there is a broken invariant of the caller.
void check_found(bool found, std::string_view table, const std::string& id) {
  if (!found)
    throw content::CatalogFailure(
        base::internal_error("no row " + id + " in " + std::string(table) + ", which was to be updated"));
}

template <class Row>
constexpr std::string_view by_id = "WHERE id = :id";
template <>
constexpr std::string_view by_id<SessionFile> = "WHERE session_id = :session_id AND name = :name";

/// Sets the columns of the row with this key that differ from `before`.
template <class Row, class... Key>
void update_changed(Connection& connection, const Row& before, const Row& after, const Key&... key) {
  const auto places = ChangedColumns::between(before, after);
  if (std::find(places.begin(), places.end(), true) == places.end()) return;
  connection.run(update_set_at<Row>(places, by_id<Row>), ColumnsAt{after, places}, key...);
}

/// False when there is no row with this key. `find` reads it.
template <class Row, class Find, class... Key>
bool update(Connection& connection, Find find, const Row& row, const Key&... key) {
  static const std::string all_columns = update_set<Row>(by_id<Row>);
  if (!connection.updates_every_index()) return connection.run(all_columns, WithoutKey{row}, key...) > 0;
  const std::optional<Row> before = find();
  if (before) update_changed(connection, *before, row, key...);
  return before.has_value();
}

}  // namespace

void CatalogView::put_setting(std::string_view name, std::string_view value) {
  connection_.run(
      "INSERT INTO settings (name, value) VALUES (:name, :value)"
      " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      name, value);
}

void CatalogView::put_user(const content::User& user) {
  static const std::string sql = insert_into<content::User>() + " ON CONFLICT (folded_name) DO UPDATE SET " +
                                 names_of<content::User>({.derived_ones = false, .form = as_replacement});
  logins_changed_ = true;
  connection_.run(sql, user);
}

void CatalogView::insert_login(const content::LoginSession& login) {
  static const std::string sql = insert_into<content::LoginSession>();
  connection_.run(sql, login);
}

void CatalogView::touch_login(const content::LoginId& id, base::Time now) {
  const auto changed =
      connection_.run("UPDATE logins SET last_accessed = :now WHERE id = :id AND last_accessed <= :stale", now, id,
                      now - content::login_access_granularity);
  logins_changed_ |= changed > 0;
}

void CatalogView::remove_login(const content::LoginId& id) {
  logins_changed_ = true;
  connection_.run("DELETE FROM logins WHERE id = :id", id);
}

void CatalogView::remove_logins(base::Time accessed_before, base::Time created_before) {
  const auto removed =
      connection_.run("DELETE FROM logins WHERE last_accessed < :accessed_before OR created < :created_before",
                      accessed_before, created_before);
  logins_changed_ |= removed > 0;
}

void CatalogView::insert_client_token(const content::ClientToken& token) {
  static const std::string sql = insert_into<content::ClientToken>();
  connection_.run(sql, token);
}

void CatalogView::remove_client_tokens(base::Time created_before) {
  connection_.run("DELETE FROM client_tokens WHERE created < :created_before", created_before);
}

void CatalogView::insert_library(const content::Library& library) {
  static const std::string sql = insert_into<content::Library>();
  connection_.run(sql, library);
}

void CatalogView::update_library(const content::Library& library) {
  const bool found = update(connection_, [&] { return this->library(library.id); }, library, library.id);
  check_found(found, "libraries", library.id.text());
  library_.remember(library);
}

void CatalogView::remove_library(const content::LibraryId& id) {
  library_.forget();
  connection_.run("DELETE FROM libraries WHERE id = :id", id);
}

void CatalogView::insert_item(const content::Item& item) {
  static const std::string sql = insert_into<content::Item>();
  connection_.run(sql, item);
}

void CatalogView::update_item(const content::Item& item) {
  const bool found = update(connection_, [&] { return this->item(item.id); }, item, item.id);
  check_found(found, "items", item.id.text());
  item_.remember(item);
}

void CatalogView::remove_item(const content::ItemId& id) {
  item_.forget();
  connection_.run("DELETE FROM changes WHERE item_id = :item_id", id);
  connection_.run("DELETE FROM items WHERE id = :id", id);
}

void CatalogView::insert_content(const content::Content& content) {
  static const std::string sql = insert_into<content::Content>();
  connection_.run(sql, content);
}

void CatalogView::insert_content_file(const content::ContentId& id, const content::ContentFile& file) {
  static const std::string sql = insert_into<content::ContentFile>(
      "content_id, position, ",
      ":content_id, (SELECT COALESCE(MAX(position), 0) + 1 FROM content_files WHERE content_id = :same_content_id), ");
  connection_.run(sql, id, id, file);
}

std::vector<BlobId> CatalogView::remove_content_if_unused(const content::ContentId& id) {
  const auto used = connection_.one<int>(
      "SELECT 1 FROM items WHERE content_id = :pointed_to UNION ALL"
      " SELECT 1 FROM download_sessions WHERE content_id = :pinned AND state = 'ACTIVE' LIMIT 1",
      id, id);
  if (used) return {};
  auto blobs = connection_.all<BlobId>("SELECT DISTINCT blob_id FROM content_files WHERE content_id = :content_id", id);
  connection_.run("DELETE FROM content_files WHERE content_id = :content_id", id);
  connection_.run("DELETE FROM contents WHERE id = :id", id);
  return blobs;
}

void CatalogView::insert_change(const content::Change& change) {
  static const std::string sql = insert_into<content::Change>(
      "position, ", "(SELECT COALESCE(MAX(position), 0) + 1 FROM changes WHERE item_id = :same_item_id), ");
  connection_.run(sql, change.item_id, change);
}

void CatalogView::insert_blob(const content::Blob& blob, std::span<const std::byte> bytes) {
  static const std::string plain = insert_into<content::Blob>();
  static const std::string with_bytes = insert_into<content::Blob>("bytes, ", ":bytes, ");
  if (blob.in_catalog)
    connection_.run(with_bytes, std::vector<std::byte>(bytes.begin(), bytes.end()), blob);
  else
    connection_.run(plain, blob);
}

void CatalogView::move_blob_to_storage(const content::BlobId& id) {
  connection_.run("UPDATE blobs SET in_catalog = 0, bytes = NULL WHERE id = :id", id);
}

std::vector<content::Blob> CatalogView::remove_unreferenced_blobs(std::span<const BlobId> candidates) {
  static const std::string sql =
      "DELETE FROM blobs WHERE id = :id"
      " AND NOT EXISTS (SELECT 1 FROM content_files WHERE blob_id = blobs.id)"
      " AND NOT EXISTS (SELECT 1 FROM session_files WHERE blob_id = blobs.id) RETURNING " +
      names_of<content::Blob>({});
  std::vector<content::Blob> removed;
  for (const auto& id : candidates)
    if (auto blob = connection_.one<content::Blob>(sql, id)) removed.push_back(*std::move(blob));
  return removed;
}

void CatalogView::insert_update_session(const content::UpdateSession& session) {
  static const std::string sql = insert_into<content::UpdateSession>();
  connection_.run(sql, session);
}

void CatalogView::update_update_session(const content::UpdateSession& session) {
  const bool found = update(connection_, [&] { return update_session(session.id); }, session, session.id);
  check_found(found, "update_sessions", session.id.text());
  update_session_.remember(session);
}

void CatalogView::remove_update_session(const content::UpdateSessionId& id) {
  update_session_.forget();
  session_files_.reset();
  connection_.run("DELETE FROM session_files WHERE session_id = :session_id", id);
  connection_.run("DELETE FROM update_sessions WHERE id = :id", id);
}

void CatalogView::restart_leases(base::Time now, base::Time at_least, base::Time at_most) {
  logins_changed_ = true;
  update_session_.forget();
  for (const std::string table : {"update_sessions", "download_sessions"}) {
    const auto set = "UPDATE " + table + " SET expires_at = :expires_at WHERE state = 'ACTIVE' AND expires_at ";
    connection_.run(set + "< :bound", at_least, at_least);
    connection_.run(set + "> :bound", at_most, at_most);
  }
  for (const auto& [table, column] :
       {std::pair("logins", "created"), std::pair("logins", "last_accessed"), std::pair("client_tokens", "created"),
        std::pair("update_sessions", "changed"), std::pair("update_sessions", "ended_at")})
    connection_.run(std::string("UPDATE ") + table + " SET " + column + " = :now WHERE " + column + " > :later", now,
                    now);
}

void CatalogView::put_session_file(const content::UpdateSessionId& id, const SessionFile& file) {
  // No upsert: on PostgreSQL, looking for the next position makes transactions on other files of the session collide.
  static const std::string insert = insert_into<SessionFile>(
      "session_id, position, ",
      ":session_id, (SELECT COALESCE(MAX(position), 0) + 1 FROM session_files WHERE session_id = :same_session_id), ");
  const bool found = update(connection_, [&] { return session_file(id, file.name); }, file, id, file.name);
  if (!found) connection_.run(insert, id, id, file);
  if (!session_files_ || session_files_->session != id) return;
  if (auto* known = known_file(id, file.name))
    *known = file;
  else
    session_files_->files.push_back(file);
}

void CatalogView::remove_session_file(const content::UpdateSessionId& id, std::string_view name) {
  connection_.run("DELETE FROM session_files WHERE session_id = :session_id AND name = :name", id, name);
  session_files_.reset();
}

void CatalogView::insert_download_session(const content::DownloadSession& session) {
  static const std::string sql = insert_into<content::DownloadSession>();
  connection_.run(sql, session);
}

void CatalogView::update_download_session(const content::DownloadSession& session) {
  const bool found = update(connection_, [&] { return download_session(session.id); }, session, session.id);
  check_found(found, "download_sessions", session.id.text());
}

void CatalogView::remove_download_session(const content::DownloadSessionId& id) {
  connection_.run("DELETE FROM prepared_files WHERE session_id = :session_id", id);
  connection_.run("DELETE FROM download_sessions WHERE id = :id", id);
}

void CatalogView::put_prepared(const content::DownloadSessionId& id, std::string_view file_name,
                               content::DownloadAccess access) {
  const std::int64_t direct = access == content::DownloadAccess::DIRECT ? 1 : 0;
  connection_.run(
      "INSERT INTO prepared_files (session_id, name, direct) VALUES (:session_id, :name, :direct)"
      " ON CONFLICT (session_id, name) DO UPDATE SET direct = excluded.direct",
      id, file_name, direct);
}

}  // namespace quire::adapters::sql
