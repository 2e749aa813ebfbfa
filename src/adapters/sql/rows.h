#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "adapters/sql/encoding.h"
#include "content/tables.h"
#include "content/text.h"

namespace quire::adapters::sql {

/// What is done with a column.
struct ColumnUse {
  bool key = false;     ///< part of the primary key: finds the row, is never updated
  bool read = true;     ///< into the member
  bool written = true;  ///< by INSERT, and by UPDATE unless it is of the key
};

/// A column of a table and what it holds of a Row: a member, or what a function makes of the row.
template <ColumnUse column_use, class Value>
struct Column {
  static constexpr ColumnUse use = column_use;
  std::string_view name;
  Value value;
};

template <class Value>
constexpr auto key(std::string_view name, Value value) {
  return Column<ColumnUse{.key = true}, Value>{name, value};
}
template <class Value>
constexpr auto column(std::string_view name, Value value) {
  return Column<ColumnUse{}, Value>{name, value};
}
/// Computed from the others when the row is written.
template <class Value>
constexpr auto derived(std::string_view name, Value value) {
  return Column<ColumnUse{.read = false}, Value>{name, value};
}
template <class Value>
constexpr auto derived_key(std::string_view name, Value value) {
  return Column<ColumnUse{.key = true, .read = false}, Value>{name, value};
}

/// The engine numbers the rows.
template <class Value>
constexpr auto numbered_key(std::string_view name, Value value) {
  return Column<ColumnUse{.key = true, .written = false}, Value>{name, value};
}

/// A text member without regard to case.
template <auto member>
struct Folded {
  template <class Row>
  std::string operator()(const Row& row) const {
    return content::fold_case(row.*member);
  }
};

/// How the parts of an owner are ordered: `as_added` has a column `position`.
enum class Order { any, as_added };

template <class... Columns>
struct TableColumns {
  std::string_view name;
  std::string_view owner;  ///< the column that names the owner of a part; empty for rows of their own
  Order order;
  std::tuple<Columns...> columns;
};

template <class... Columns>
constexpr auto table(std::string_view name, Columns... columns) {
  return TableColumns<Columns...>{name, "", Order::any, {columns...}};
}
template <class... Columns>
constexpr auto part_table(std::string_view name, std::string_view owner, Order order, Columns... columns) {
  return TableColumns<Columns...>{name, owner, order, {columns...}};
}

/// The table that holds values of type Row: its columns, once, for every statement that selects, inserts or updates.
template <class Row>
inline constexpr auto table_of = nullptr;

template <>
inline constexpr auto table_of<content::Setting> =
    table("settings", key("name", &content::Setting::name), column("value", &content::Setting::value));

template <>
inline constexpr auto table_of<content::User> =
    table("users", derived_key("folded_name", Folded<&content::User::name>()), column("name", &content::User::name),
          column("password_hash", &content::User::password_hash), column("description", &content::User::description),
          column("enabled", &content::User::enabled));

template <>
inline constexpr auto table_of<content::Group> =
    table("user_groups", key("id", &content::Group::id), column("name", &content::Group::name),
          column("description", &content::Group::description));

template <>
inline constexpr auto table_of<content::GroupMember> = part_table(
    "group_members", "group_id", Order::any, derived_key("folded_name", Folded<&content::GroupMember::name>()),
    column("name", &content::GroupMember::name));

template <>
inline constexpr auto table_of<content::Role> =
    table("roles", key("id", &content::Role::id), column("name", &content::Role::name),
          derived("folded_name", Folded<&content::Role::name>()), column("privileges", &content::Role::privileges));

/// What a permission is on, as a part of its key: a library's identifier, or nothing for the root.
struct ObjectOf {
  const std::string& operator()(const content::Permission& permission) const { return permission.library.text(); }
};

template <>
inline constexpr auto table_of<content::Permission> =
    table("permissions", derived_key("folded_principal", Folded<&content::Permission::principal>()),
          key("type", &content::Permission::type), derived_key("object", ObjectOf()),
          column("principal", &content::Permission::principal), column("library_id", &content::Permission::library),
          column("role", &content::Permission::role), column("propagate", &content::Permission::propagate));

template <>
inline constexpr auto table_of<content::LoginSession> = table(
    "logins", key("id", &content::LoginSession::id), column("user_name", &content::LoginSession::user),
    column("created", &content::LoginSession::created), column("last_accessed", &content::LoginSession::last_accessed),
    column("outside_groups", &content::LoginSession::groups), column("api_token", &content::LoginSession::api_token));

template <>
inline constexpr auto table_of<content::ClientToken> = table(
    "client_tokens", key("user_name", &content::ClientToken::user), key("operation", &content::ClientToken::operation),
    key("token", &content::ClientToken::token), column("spec_digest", &content::ClientToken::spec_digest),
    column("result_id", &content::ClientToken::result_id), column("created", &content::ClientToken::created));

template <>
inline constexpr auto table_of<content::TrustedCertificate> =
    table("trusted_certificates", key("id", &content::TrustedCertificate::id),
          column("pem", &content::TrustedCertificate::pem), column("added", &content::TrustedCertificate::added));

template <>
inline constexpr auto table_of<content::Library> = table(
    "libraries", key("id", &content::Library::id), column("name", &content::Library::name),
    derived("folded_name", Folded<&content::Library::name>()), column("description", &content::Library::description),
    column("type", &content::Library::type), column("creation_time", &content::Library::creation_time),
    column("last_modified_time", &content::Library::last_modified_time), column("version", &content::Library::version),
    column("backing", &content::Library::backing), column("storage", &content::Library::storage),
    column("optimize_remote_publishing", &content::Library::optimize_remote_publishing),
    column("security_policy_id", &content::Library::security_policy_id), column("state", &content::Library::state),
    column("usage_protects_items", &content::Library::usage_protects_items),
    column("migration", &content::Library::migration), column("published", &content::Library::published),
    column("publish_authentication", &content::Library::publish_authentication),
    column("publish_password_hash", &content::Library::publish_password_hash),
    column("generation", &content::Library::generation), column("persist_json", &content::Library::persist_json),
    column("subscription", &content::Library::subscription));

template <>
inline constexpr auto table_of<content::LibraryUsage> = part_table(
    "library_usages", "library_id", Order::as_added, key("id", &content::LibraryUsage::id),
    column("resource_urn", &content::LibraryUsage::resource_urn), column("added", &content::LibraryUsage::added));

template <>
inline constexpr auto table_of<content::LibrarySubscription> =
    part_table("subscriptions", "library_id", Order::as_added, key("id", &content::LibrarySubscription::id),
               column("subscribed_library", &content::LibrarySubscription::subscribed_library),
               column("subscribed_library_name", &content::LibrarySubscription::subscribed_library_name),
               column("location", &content::LibrarySubscription::location),
               column("server", &content::LibrarySubscription::server),
               column("placement", &content::LibrarySubscription::placement),
               column("last_notified", &content::LibrarySubscription::last_notified),
               column("waiting_since", &content::LibrarySubscription::waiting_since),
               column("problem", &content::LibrarySubscription::problem));

template <>
inline constexpr auto table_of<content::Item> = table(
    "items", key("id", &content::Item::id), column("library_id", &content::Item::library_id),
    column("name", &content::Item::name), derived("folded_name", Folded<&content::Item::name>()),
    column("description", &content::Item::description), column("type", &content::Item::type),
    derived("folded_type", Folded<&content::Item::type>()), column("creation_time", &content::Item::creation_time),
    column("last_modified_time", &content::Item::last_modified_time), column("version", &content::Item::version),
    column("metadata_version", &content::Item::metadata_version),
    column("content_version", &content::Item::content_version), column("content_id", &content::Item::content),
    column("size", &content::Item::size), column("source_id", &content::Item::source_id),
    column("security_compliance", &content::Item::security_compliance),
    column("certificate_verification", &content::Item::certificate_verification),
    column("creator", &content::Item::creator), column("reserved", &content::Item::reserved),
    column("cached", &content::Item::cached), column("last_sync_time", &content::Item::last_sync_time));

template <>
inline constexpr auto table_of<content::SourceItem> = table(
    "source_items", key("item_id", &content::SourceItem::item), column("document", &content::SourceItem::document),
    column("content_document", &content::SourceItem::content_document),
    column("problem", &content::SourceItem::problem));

template <>
inline constexpr auto table_of<content::Content> =
    table("contents", key("id", &content::Content::id), column("item_id", &content::Content::item_id),
          column("content_version", &content::Content::content_version), column("created", &content::Content::created));

template <>
inline constexpr auto table_of<content::ContentFile> =
    part_table("content_files", "content_id", Order::as_added, key("name", &content::ContentFile::name),
               column("version", &content::ContentFile::version), column("blob_id", &content::ContentFile::blob),
               column("size", &content::ContentFile::size), column("checksum", &content::ContentFile::checksum),
               column("facts", &content::ContentFile::facts), column("since", &content::ContentFile::since));

template <>
inline constexpr auto table_of<content::Change> =
    part_table("changes", "item_id", Order::as_added, key("content_version", &content::Change::content_version),
               column("time", &content::Change::time), column("user_name", &content::Change::user));

template <>
inline constexpr auto table_of<content::Blob> =
    table("blobs", key("id", &content::Blob::id), column("storage", &content::Blob::storage),
          column("size", &content::Blob::size), column("sha256", &content::Blob::sha256),
          column("in_catalog", &content::Blob::in_catalog));

template <>
inline constexpr auto table_of<content::UpdateSession> = table(
    "update_sessions", key("id", &content::UpdateSession::id), column("item_id", &content::UpdateSession::item_id),
    column("item_content_version", &content::UpdateSession::item_content_version),
    column("creator", &content::UpdateSession::creator), column("login", &content::UpdateSession::login),
    column("state", &content::UpdateSession::state), column("completing", &content::UpdateSession::completing),
    column("completed_itself", &content::UpdateSession::completed_itself),
    column("error_message", &content::UpdateSession::error_message),
    column("client_progress", &content::UpdateSession::client_progress),
    column("created", &content::UpdateSession::created), column("changed", &content::UpdateSession::changed),
    column("expires_at", &content::UpdateSession::expires_at), column("ended_at", &content::UpdateSession::ended_at),
    column("warning_behavior", &content::UpdateSession::warning_behavior));

template <>
inline constexpr auto table_of<content::SessionFile> =
    part_table("session_files", "session_id", Order::as_added, key("name", &content::SessionFile::name),
               column("source_type", &content::SessionFile::source_type),
               column("source_endpoint", &content::SessionFile::source_endpoint),
               column("upload_token", &content::SessionFile::upload_token),
               column("declared_size", &content::SessionFile::declared_size),
               column("declared_checksum", &content::SessionFile::declared_checksum),
               column("status", &content::SessionFile::status),
               column("bytes_transferred", &content::SessionFile::bytes_transferred),
               column("size", &content::SessionFile::size), column("digests", &content::SessionFile::digests),
               column("blob_id", &content::SessionFile::blob), column("unfinished", &content::SessionFile::unfinished),
               column("error_message", &content::SessionFile::error_message),
               column("keep_in_storage", &content::SessionFile::keep_in_storage),
               column("reserved", &content::SessionFile::reserved), column("attempt", &content::SessionFile::attempt),
               column("archive", &content::SessionFile::archive), column("facts", &content::SessionFile::facts));

template <>
inline constexpr auto table_of<content::DownloadSession> = table(
    "download_sessions", key("id", &content::DownloadSession::id),
    column("item_id", &content::DownloadSession::item_id),
    column("item_content_version", &content::DownloadSession::item_content_version),
    column("content_id", &content::DownloadSession::content), column("creator", &content::DownloadSession::creator),
    column("login", &content::DownloadSession::login), column("token", &content::DownloadSession::token),
    column("state", &content::DownloadSession::state),
    column("error_message", &content::DownloadSession::error_message),
    column("client_progress", &content::DownloadSession::client_progress),
    column("awaits_content", &content::DownloadSession::awaits_content),
    column("created", &content::DownloadSession::created), column("expires_at", &content::DownloadSession::expires_at));

template <>
inline constexpr auto table_of<content::PreparedFile> =
    part_table("prepared_files", "session_id", Order::any, key("name", &content::PreparedFile::name),
               column("direct", &content::PreparedFile::access));

template <>
inline constexpr auto table_of<content::Event> =
    table("events", numbered_key("number", &content::Event::number), column("kind", &content::Event::kind),
          column("time", &content::Event::time), column("actor", &content::Event::actor),
          column("library_id", &content::Event::library_id), column("item_id", &content::Event::item_id),
          column("subject_id", &content::Event::subject_id), column("details", &content::Event::details),
          column("operation", &content::Event::operation), column("address", &content::Event::address),
          column("operation_id", &content::Event::operation_id), column("api_token", &content::Event::api_token));

template <>
inline constexpr auto table_of<content::TagCategory> =
    table("tag_categories", key("id", &content::TagCategory::id), column("name", &content::TagCategory::name),
          column("description", &content::TagCategory::description),
          column("cardinality", &content::TagCategory::cardinality),
          column("associable_types", &content::TagCategory::associable_types));

template <>
inline constexpr auto table_of<content::Tag> =
    table("tags", key("id", &content::Tag::id), column("category_id", &content::Tag::category),
          column("name", &content::Tag::name), column("description", &content::Tag::description));

template <>
inline constexpr auto table_of<content::TagAttachment> =
    table("tag_attachments", key("tag_id", &content::TagAttachment::tag),
          key("object_type", &content::TagAttachment::object_type), key("object", &content::TagAttachment::object));

template <>
inline constexpr auto table_of<content::Task> =
    table("tasks", key("id", &content::Task::id), column("service", &content::Task::service),
          column("operation", &content::Task::operation), column("target_type", &content::Task::target_type),
          column("target", &content::Task::target), column("source_id", &content::Task::source),
          column("user_name", &content::Task::user), column("description", &content::Task::description),
          column("status", &content::Task::status), column("total", &content::Task::total),
          column("completed", &content::Task::completed), column("cancel_requested", &content::Task::cancel_requested),
          column("error", &content::Task::error), column("content_id", &content::Task::content),
          column("claim", &content::Task::claim), column("due", &content::Task::due),
          column("attempts", &content::Task::attempts), column("created", &content::Task::created),
          column("started", &content::Task::started), column("ended", &content::Task::ended));

template <>
inline constexpr auto table_of<content::TaskBlob> =
    part_table("task_blobs", "task_id", Order::as_added, key("blob_id", &content::TaskBlob::blob));

template <>
inline constexpr auto table_of<content::Quota> =
    table("quotas", key("kind", &content::Quota::kind), key("owner", &content::Quota::owner),
          column("items_max", &content::Quota::items_max), column("bytes_max", &content::Quota::bytes_max),
          column("items", &content::Quota::items), column("bytes", &content::Quota::bytes),
          column("reserved", &content::Quota::reserved));

template <>
inline constexpr auto table_of<content::Webhook> =
    table("webhooks", key("id", &content::Webhook::id), column("url", &content::Webhook::url),
          column("secret", &content::Webhook::secret), column("description", &content::Webhook::description),
          column("enabled", &content::Webhook::enabled), column("kinds", &content::Webhook::kinds),
          column("library_id", &content::Webhook::library), column("creator", &content::Webhook::creator),
          column("created", &content::Webhook::created), column("queued_to", &content::Webhook::queued_to));

template <>
inline constexpr auto table_of<content::WebhookDelivery> = part_table(
    "webhook_deliveries", "webhook_id", Order::as_added, key("event", &content::WebhookDelivery::event),
    column("state", &content::WebhookDelivery::state), column("attempts", &content::WebhookDelivery::attempts),
    column("due", &content::WebhookDelivery::due), column("problem", &content::WebhookDelivery::problem));

/// Calls `visit` with each column of Row's table, in order.
template <class Row, class Visit>
void each_column(Visit visit) {
  std::apply([&](const auto&... columns) { (visit(columns), ...); }, table_of<Row>.columns);
}

/// A structure with columns, unlike a single value.
template <class T>
concept Described = !std::is_null_pointer_v<std::remove_const_t<decltype(table_of<T>)>>;

}  // namespace quire::adapters::sql
