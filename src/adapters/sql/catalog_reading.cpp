#include <algorithm>
#include <bit>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/sql/catalog_view.h"
#include "adapters/sql/conditions.h"
#include "adapters/sql/contradictions.h"
#include "adapters/sql/sql_text.h"
#include "content/text.h"

namespace quire::adapters::sql {
namespace {

using content::Blob;
using content::DownloadSession;
using content::DownloadSessionId;
using content::ItemId;
using content::LibraryId;
using content::SessionFile;
using content::UpdateSession;
using content::UpdateSessionId;

/// A value for each of `count` parameters of an IN, named after `prefix`.
std::string placeholders(std::string_view prefix, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? ":" : ", :") + std::string(prefix) + std::to_string(i);
  return " IN (" + text + ")";
}

/// Filled up to a power of two with its last one, so that there are few different statements.
template <class T>
std::vector<T> padded(std::vector<T> values) {
  if (!values.empty()) values.resize(std::bit_ceil(values.size()), T(values.back()));
  return values;
}

// Which libraries count: told to the database while they are few, else compared with what it finds, by library alone.

constexpr std::size_t libraries_in_query_max = 16;

bool is_nothing(const content::LibrarySelection* among) {
  return among != nullptr && !among->all_but_named && among->named.empty();
}

std::vector<LibraryId> named_in_query(const content::LibrarySelection* among) {
  if (among == nullptr || among->named.size() > libraries_in_query_max) return {};
  return padded(among->named);
}

bool is_judged_outside(const content::LibrarySelection* among, const std::vector<LibraryId>& in_query) {
  return among != nullptr && in_query.empty() && !among->is_every();
}

std::string in_list(const content::LibrarySelection& among, const std::vector<LibraryId>& in_query) {
  return (among.all_but_named ? " NOT" : "") + placeholders("among", in_query.size());
}

// Without statistics SQLite takes the index that gives the order, although another one would find the few rows at once.
// A column inside an expression (`column || ''`) is not looked up in an index: these queries use it to leave only the
// right one.

/// Sessions of one user (every user's when empty), of one item if given.
template <class Id>
std::vector<Id> sessions_of(Connection& connection, std::string_view table, std::string_view user,
                            const std::optional<ItemId>& item) {
  const auto creator = user.empty() ? std::nullopt : std::optional<std::string_view>(user);
  Conditions conditions;
  conditions.add(creator && !item, "creator = :creator");
  conditions.add(creator && item, "creator || '' = :creator");
  conditions.add(item.has_value(), "item_id = :item_id");
  return connection.all<Id>("SELECT id FROM " + std::string(table) + conditions.text() + " ORDER BY created, id",
                            IfGiven{creator}, IfGiven{item});
}

}  // namespace

std::size_t CatalogView::login_count() {
  return connection_.one<std::size_t>("SELECT COUNT(*) FROM logins WHERE api_token IS NULL").value_or(0);
}

std::vector<content::LoginSession> CatalogView::api_tokens(std::string_view user) {
  static const std::string all =
      select_from<content::LoginSession>("WHERE api_token IS NOT NULL ORDER BY user_name, created, id");
  static const std::string of_user =
      select_from<content::LoginSession>("WHERE user_name = :user_name AND api_token IS NOT NULL ORDER BY created, id");
  return user.empty() ? connection_.all<content::LoginSession>(all)
                      : connection_.all<content::LoginSession>(of_user, user);
}

std::vector<content::User> CatalogView::users() {
  static const std::string sql = select_from<content::User>("ORDER BY folded_name");
  return connection_.all<content::User>(sql);
}

std::vector<content::Group> CatalogView::groups() {
  static const std::string sql = select_from<content::Group>("ORDER BY id");
  return connection_.all<content::Group>(sql);
}

std::vector<std::string> CatalogView::groups_of(std::string_view user) {
  return connection_.all<std::string>(
      "SELECT name FROM user_groups WHERE id IN (SELECT group_id FROM group_members WHERE folded_name = :folded_name)"
      " ORDER BY id",
      content::fold_case(user));
}

std::vector<content::Role> CatalogView::roles() {
  static const std::string sql = select_from<content::Role>("ORDER BY folded_name");
  return connection_.all<content::Role>(sql);
}

std::optional<content::Role> CatalogView::role_named(std::string_view name) {
  static const std::string sql = select_from<content::Role>("WHERE folded_name = :folded_name");
  return connection_.one<content::Role>(sql, content::fold_case(name));
}

std::vector<content::Permission> CatalogView::permissions(const content::PermissionFilter& filter) {
  const PermissionConditions conditions(filter);
  return conditions.apply([&](const std::string& where, const auto&... parameters) {
    return connection_.all<content::Permission>(
        select_from<content::Permission>(where + " ORDER BY object, folded_principal, type"), parameters...);
  });
}

std::vector<content::GrantedRole> CatalogView::granted_roles(std::string_view user,
                                                             std::span<const std::string> groups) {
  static const std::string select =
      "SELECT " +
      names_of<content::Permission>(is_read, [](std::string_view name) { return "p." + std::string(name); }) +
      ", r.privileges FROM permissions p LEFT JOIN roles r ON r.id = p.role WHERE ";
  static const std::string by_user = "p.type = 'USER' AND p.folded_principal = :user";
  static const std::string by_group =
      "p.type = 'GROUP' AND p.folded_principal IN (SELECT group_id FROM group_members WHERE folded_name = :member)";
  auto sql = select + by_user + " UNION ALL " + select + by_group;
  std::vector<std::string> outside;
  for (const auto& group : groups) outside.push_back(content::fold_case(group));
  outside = padded(std::move(outside));
  if (!outside.empty())
    sql += " UNION ALL " + select + "p.type = 'GROUP' AND p.folded_principal" + placeholders("group", outside.size());
  const auto name = content::fold_case(user);
  std::vector<content::GrantedRole> granted;
  for (auto& [permission, privileges] :
       connection_.all<std::pair<content::Permission, std::optional<content::PrivilegeSet>>>(sql, name, name,
                                                                                             EachOf{outside})) {
    const auto* system = content::find_system_role(permission.role);
    if (!privileges && system == nullptr) fail_corrupt("role " + std::to_string(permission.role));
    granted.push_back({std::move(permission), privileges ? *privileges : system->privileges});
  }
  return granted;
}

std::vector<content::TrustedCertificate> CatalogView::trusted_certificates() {
  static const std::string sql = select_from<content::TrustedCertificate>("ORDER BY added, id");
  return connection_.all<content::TrustedCertificate>(sql);
}

std::vector<content::Webhook> CatalogView::webhooks() {
  static const std::string sql = select_from<content::Webhook>("ORDER BY created, id");
  return connection_.all<content::Webhook>(sql);
}

std::size_t CatalogView::webhook_delivery_count(content::DeliveryState state) {
  return connection_.one<std::size_t>("SELECT COUNT(*) FROM webhook_deliveries WHERE state = :state", state)
      .value_or(0);
}

std::vector<LibraryId> CatalogView::libraries(const content::LibraryFilter& filter) {
  if (is_nothing(filter.among)) return {};
  const auto name = folded(filter.name);
  const auto among = named_in_query(filter.among);
  Conditions conditions;
  conditions.add(name.has_value(), "folded_name = :folded_name");
  conditions.add(filter.type.has_value(), "type = :type");
  conditions.add(filter.backing.has_value(), "backing = :backing");
  conditions.add(filter.persisted, "published = 1 AND persist_json = 1");
  if (!among.empty()) conditions.add(true, "id" + in_list(*filter.among, among));
  auto found =
      connection_.all<LibraryId>("SELECT id FROM libraries" + conditions.text() + " ORDER BY creation_time, id",
                                 IfGiven{name}, IfGiven{filter.type}, IfGiven{filter.backing}, EachOf{among});
  if (is_judged_outside(filter.among, among))
    std::erase_if(found, [&](const LibraryId& id) { return !filter.among->contains(id); });
  return found;
}

std::optional<ItemId> CatalogView::item_named(const LibraryId& library, std::string_view name) {
  return connection_.one<ItemId>("SELECT id FROM items WHERE library_id = :library_id AND name = :name", library, name);
}

std::vector<ItemId> CatalogView::items(const content::ItemFilter& filter) {
  if (is_nothing(filter.among)) return {};
  if (filter.library_id && filter.among != nullptr && !filter.among->contains(*filter.library_id)) return {};
  const auto* selection = filter.library_id ? nullptr : filter.among;
  const auto among = named_in_query(selection);
  const auto name = folded(filter.name);
  const auto type = folded(filter.type);
  Conditions conditions;
  conditions.add(name.has_value(), "folded_name = :folded_name");
  const bool by_name = name || filter.source_id;
  conditions.add(filter.library_id && !by_name, "library_id = :library_id");
  conditions.add(filter.library_id && by_name, "library_id || '' = :library_id");
  conditions.add(filter.source_id.has_value(), "source_id = :source_id");
  conditions.add(type.has_value(), "folded_type = :folded_type");
  conditions.add(filter.cached.has_value(), "cached = :cached");
  if (!among.empty()) conditions.add(true, (by_name ? "library_id || ''" : "library_id") + in_list(*selection, among));
  const auto rest = " FROM items" + conditions.text() + " ORDER BY creation_time, id";
  if (!is_judged_outside(selection, among))
    return connection_.all<ItemId>("SELECT id" + rest, IfGiven{name}, IfGiven{filter.library_id},
                                   IfGiven{filter.source_id}, IfGiven{type}, IfGiven{filter.cached}, EachOf{among});
  std::vector<ItemId> found;
  for (auto& [id, library] : connection_.all<std::pair<ItemId, LibraryId>>(
           "SELECT id, library_id" + rest, IfGiven{name}, IfGiven{filter.library_id}, IfGiven{filter.source_id},
           IfGiven{type}, IfGiven{filter.cached}))
    if (selection->contains(library)) found.push_back(std::move(id));
  return found;
}

std::optional<std::vector<std::byte>> CatalogView::blob_bytes(const content::BlobId& id) {
  return connection_.one<std::vector<std::byte>>("SELECT bytes FROM blobs WHERE id = :id AND in_catalog = 1", id);
}

std::optional<Blob> CatalogView::blob_with(const content::StorageId& storage, std::string_view sha256,
                                           std::int64_t size) {
  static const std::string sql =
      select_from<Blob>("WHERE sha256 = :sha256 AND size = :size AND storage || '' = :storage ORDER BY id LIMIT 1");
  return connection_.one<Blob>(sql, sha256, size, storage);
}

std::vector<Blob> CatalogView::blobs_after(const content::StorageId& storage, const content::BlobId& after,
                                           std::size_t limit) {
  static const std::string sql =
      select_from<Blob>("WHERE storage = :storage AND id > :after ORDER BY id LIMIT :limit_rows");
  return connection_.all<Blob>(sql, storage, std::string_view(after.text()), limit);
}

std::vector<Blob> CatalogView::blobs_elsewhere(const ItemId& item, const content::StorageId& storage) {
  static const std::string sql = select_from<Blob>(
      "WHERE id IN (SELECT blob_id FROM content_files WHERE content_id IN"
      " (SELECT content_id FROM items WHERE id = :item UNION"
      " SELECT content_id FROM download_sessions WHERE item_id = :item_of_download)"
      " UNION SELECT blob_id FROM session_files WHERE session_id IN"
      " (SELECT id FROM update_sessions WHERE item_id = :item_of_update))"
      " AND storage || '' <> :storage ORDER BY id");
  return connection_.all<Blob>(sql, item, item, item, storage);
}

bool CatalogView::library_has_blob(const content::LibraryId& library, const content::BlobId& blob) {
  return connection_
      .one<int>(
          "SELECT 1 FROM content_files JOIN items ON items.content_id = content_files.content_id"
          " WHERE content_files.blob_id = :blob_id AND items.library_id = :library_id LIMIT 1",
          blob, library)
      .has_value();
}

bool CatalogView::is_prepared_direct(const content::BlobId& id) {
  return connection_
      .one<int>(
          "SELECT 1 FROM content_files JOIN download_sessions ON download_sessions.content_id = "
          "content_files.content_id"
          " JOIN prepared_files ON prepared_files.session_id = download_sessions.id"
          " AND prepared_files.name = content_files.name"
          " WHERE content_files.blob_id = :blob_id AND download_sessions.state = 'ACTIVE' AND prepared_files.direct = 1"
          " LIMIT 1",
          id)
      .has_value();
}

content::SyncedItemCounts CatalogView::synced_item_counts(const content::LibraryId& library) {
  content::SyncedItemCounts counts;
  const auto count = [&](std::string_view sql) { return connection_.one<std::int64_t>(sql, library).value_or(0); };
  counts.items = count("SELECT COUNT(*) FROM items WHERE library_id = :library_id");
  counts.cached = count("SELECT COUNT(*) FROM items WHERE library_id = :library_id AND cached = 1");
  counts.with_problem = count(
      "SELECT COUNT(*) FROM source_items JOIN items ON items.id = source_items.item_id"
      " WHERE source_items.problem IS NOT NULL AND items.library_id = :library_id");
  return counts;
}

std::vector<content::ItemId> CatalogView::items_with_problem(const content::LibraryId& library, std::size_t limit) {
  return connection_.all<content::ItemId>(
      "SELECT items.id FROM source_items JOIN items ON items.id = source_items.item_id"
      " WHERE source_items.problem IS NOT NULL AND items.library_id = :library_id ORDER BY items.id LIMIT :limit_rows",
      library, limit);
}

std::optional<UpdateSession> CatalogView::active_update_session(const ItemId& item) {
  static const std::string sql = select_from<UpdateSession>("WHERE item_id = :item_id AND state = 'ACTIVE'");
  return connection_.one<UpdateSession>(sql, item);
}

std::vector<UpdateSessionId> CatalogView::update_sessions(std::string_view user, const std::optional<ItemId>& item) {
  return sessions_of<UpdateSessionId>(connection_, "update_sessions", user, item);
}

std::size_t CatalogView::update_session_count(content::UpdateSessionState state) {
  // The state stands in the text, because indexes of some states serve no other question.
  const std::string sql =
      "SELECT COUNT(*) FROM update_sessions WHERE state = '" + std::string(base::name_of(state)) + "'";
  return connection_.one<std::size_t>(sql).value_or(0);
}

std::vector<UpdateSessionId> CatalogView::expired_update_sessions(base::Time now, std::size_t limit) {
  return connection_.all<UpdateSessionId>(
      "SELECT id FROM update_sessions WHERE state = 'ACTIVE' AND expires_at < :now"
      " ORDER BY created, id LIMIT :limit_rows",
      now, limit);
}

std::vector<UpdateSessionId> CatalogView::idle_pull_sessions(base::Time before, std::size_t limit) {
  return connection_.all<UpdateSessionId>(
      "SELECT id FROM update_sessions WHERE state = 'ACTIVE' AND completing = 0 AND changed < :before AND EXISTS"
      " (SELECT 1 FROM session_files WHERE session_id = update_sessions.id AND source_type = 'PULL')"
      " ORDER BY created, id LIMIT :limit_rows",
      before, limit);
}

std::vector<std::pair<UpdateSessionId, std::string>> CatalogView::pending_pulls(std::size_t limit) {
  return connection_.all<std::pair<UpdateSessionId, std::string>>(
      "SELECT session_id, name FROM session_files WHERE source_type = 'PULL' AND status IN ('WAITING_FOR_TRANSFER',"
      " 'TRANSFERRING') AND EXISTS (SELECT 1 FROM update_sessions WHERE id = session_files.session_id"
      " AND state = 'ACTIVE') ORDER BY session_id, position LIMIT :limit_rows",
      limit);
}

std::vector<UpdateSessionId> CatalogView::ended_update_sessions(base::Time before, std::size_t limit) {
  return connection_.all<UpdateSessionId>(
      "SELECT id FROM update_sessions WHERE state <> 'ACTIVE' AND ended_at < :before"
      " ORDER BY created, id LIMIT :limit_rows",
      before, limit);
}

std::vector<UpdateSessionId> CatalogView::active_update_sessions_after(const UpdateSessionId& after,
                                                                       std::size_t limit) {
  return connection_.all<UpdateSessionId>(
      "SELECT id FROM update_sessions WHERE state = 'ACTIVE' AND id > :after ORDER BY id LIMIT :limit_rows",
      std::string_view(after.text()), limit);
}

std::optional<std::pair<UpdateSessionId, SessionFile>> CatalogView::session_file_of(
    const content::TransferToken& token) {
  static const std::string sql = select_from<SessionFile>("WHERE upload_token = :upload_token", "session_id, ");
  return connection_.one<std::pair<UpdateSessionId, SessionFile>>(sql, token);
}

std::optional<DownloadSession> CatalogView::download_session_of(const content::TransferToken& token) {
  static const std::string sql = select_from<DownloadSession>("WHERE token = :token");
  return connection_.one<DownloadSession>(sql, token);
}

std::vector<DownloadSessionId> CatalogView::download_sessions(std::string_view user,
                                                              const std::optional<ItemId>& item) {
  return sessions_of<DownloadSessionId>(connection_, "download_sessions", user, item);
}

std::size_t CatalogView::download_session_count() {
  return connection_
      .one<std::size_t>("SELECT COUNT(*) FROM download_sessions WHERE creator <> :creator", content::publication_user)
      .value_or(0);
}

std::vector<DownloadSessionId> CatalogView::expired_download_sessions(base::Time now, std::size_t limit) {
  return connection_.all<DownloadSessionId>(
      "SELECT id FROM download_sessions WHERE expires_at < :now ORDER BY created, id LIMIT :limit_rows", now, limit);
}

std::vector<content::TaskId> CatalogView::tasks(std::string_view user, std::size_t limit) {
  const auto of_user = user.empty() ? std::nullopt : std::optional<std::string_view>(user);
  Conditions conditions;
  conditions.add(of_user.has_value(), "user_name = :user_name");
  return connection_.all<content::TaskId>(
      "SELECT id FROM tasks" + conditions.text() + " ORDER BY created DESC, id DESC LIMIT :limit_rows",
      IfGiven{of_user}, limit);
}

std::vector<content::TaskId> CatalogView::due_tasks(base::Time now, std::size_t limit) {
  return connection_.all<content::TaskId>(
      "SELECT id FROM tasks WHERE ended IS NULL AND due <= :now ORDER BY cancel_requested DESC, created, id"
      " LIMIT :limit_rows",
      now, limit);
}

std::vector<content::TaskId> CatalogView::ended_tasks(base::Time before, std::size_t limit) {
  return connection_.all<content::TaskId>("SELECT id FROM tasks WHERE ended < :before ORDER BY ended LIMIT :limit_rows",
                                          before, limit);
}

std::size_t CatalogView::active_task_count() {
  return connection_.one<std::size_t>("SELECT COUNT(*) FROM tasks WHERE ended IS NULL").value_or(0);
}

std::vector<content::Task> CatalogView::active_tasks_on(std::string_view target) {
  static const std::string sql =
      select_from<content::Task>("WHERE target = :target AND ended IS NULL ORDER BY created, id");
  return connection_.all<content::Task>(sql, target);
}

std::vector<content::TagCategory> CatalogView::tag_categories() {
  static const std::string sql = select_from<content::TagCategory>("ORDER BY name");
  return connection_.all<content::TagCategory>(sql);
}

std::optional<content::TagCategory> CatalogView::tag_category_named(std::string_view name) {
  static const std::string sql = select_from<content::TagCategory>("WHERE name = :name");
  return connection_.one<content::TagCategory>(sql, name);
}

std::vector<content::Tag> CatalogView::tags(const std::optional<content::TagCategoryId>& category) {
  Conditions conditions;
  conditions.add(category.has_value(), "category_id = :category_id");
  return connection_.all<content::Tag>(select_from<content::Tag>(conditions.text() + " ORDER BY name, id"),
                                       IfGiven{category});
}

std::optional<content::Tag> CatalogView::tag_named(const content::TagCategoryId& category, std::string_view name) {
  static const std::string sql = select_from<content::Tag>("WHERE category_id = :category_id AND name = :name");
  return connection_.one<content::Tag>(sql, category, name);
}

std::vector<content::TagAttachment> CatalogView::attachments_of_tag(const content::TagId& tag) {
  static const std::string sql =
      select_from<content::TagAttachment>("WHERE tag_id = :tag_id ORDER BY object_type, object");
  return connection_.all<content::TagAttachment>(sql, tag);
}

std::vector<content::TagAttachment> CatalogView::attachments_of_object(std::string_view type, std::string_view object) {
  static const std::string sql =
      select_from<content::TagAttachment>("WHERE object = :object AND object_type = :object_type ORDER BY tag_id");
  return connection_.all<content::TagAttachment>(sql, object, type);
}

std::vector<content::Contradiction> CatalogView::contradictions(std::size_t limit_per_kind) {
  return sql::contradictions(connection_, limit_per_kind);
}

std::vector<content::Event> CatalogView::events_after(std::int64_t number, std::size_t limit) {
  static const std::string sql = select_from<content::Event>("WHERE number > :after ORDER BY number LIMIT :limit_rows");
  return connection_.all<content::Event>(sql, number, limit);
}

std::vector<content::Event> CatalogView::events_before(std::int64_t number, std::size_t limit) {
  static const std::string sql =
      select_from<content::Event>("WHERE number < :before ORDER BY number DESC LIMIT :limit_rows");
  return connection_.all<content::Event>(sql, number, limit);
}

}  // namespace quire::adapters::sql
