#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "adapters/sql/encoding.h"
#include "content/catalog.h"
#include "content/text.h"

namespace quire::adapters::sql {

/// The table that holds values of type Row.
template <class Row>
inline constexpr std::string_view table_of = "";
template <>
inline constexpr std::string_view table_of<content::User> = "users";
template <>
inline constexpr std::string_view table_of<content::LoginSession> = "logins";
template <>
inline constexpr std::string_view table_of<content::ClientToken> = "client_tokens";
template <>
inline constexpr std::string_view table_of<content::Library> = "libraries";
template <>
inline constexpr std::string_view table_of<content::Item> = "items";
template <>
inline constexpr std::string_view table_of<content::Content> = "contents";
template <>
inline constexpr std::string_view table_of<content::ContentFile> = "content_files";
template <>
inline constexpr std::string_view table_of<content::Change> = "changes";
template <>
inline constexpr std::string_view table_of<content::Blob> = "blobs";
template <>
inline constexpr std::string_view table_of<content::UpdateSession> = "update_sessions";
template <>
inline constexpr std::string_view table_of<content::SessionFile> = "session_files";
template <>
inline constexpr std::string_view table_of<content::DownloadSession> = "download_sessions";

// Each structure's columns, once, for every statement that selects, inserts or updates it. A visitor has
//   key(name, member)      part of the primary key, never updated
//   column(name, member)   any other
//   derived(name, make)    computed from the others when written, never read
// Columns that no structure has (the owner of a file, its position) stand in the statements themselves.

template <class T, class Row>
concept RowOf = std::same_as<std::remove_const_t<T>, Row>;

template <class Visitor, RowOf<content::User> Row>
void each_column(Visitor& visit, Row& user) {
  visit.derived("folded_name", [&] { return content::fold_case(user.name); });
  visit.column("name", user.name);
  visit.column("password_hash", user.password_hash);
  visit.column("administrator", user.administrator);
}

template <class Visitor, RowOf<content::LoginSession> Row>
void each_column(Visitor& visit, Row& login) {
  visit.key("id", login.id);
  visit.column("user_name", login.user);
  visit.column("created", login.created);
  visit.column("last_accessed", login.last_accessed);
}

template <class Visitor, RowOf<content::ClientToken> Row>
void each_column(Visitor& visit, Row& token) {
  visit.key("user_name", token.user);
  visit.key("operation", token.operation);
  visit.key("token", token.token);
  visit.column("spec_digest", token.spec_digest);
  visit.column("result_id", token.result_id);
  visit.column("created", token.created);
}

template <class Visitor, RowOf<content::Library> Row>
void each_column(Visitor& visit, Row& library) {
  visit.key("id", library.id);
  visit.column("name", library.name);
  visit.derived("folded_name", [&] { return content::fold_case(library.name); });
  visit.column("description", library.description);
  visit.column("type", library.type);
  visit.column("creation_time", library.creation_time);
  visit.column("last_modified_time", library.last_modified_time);
  visit.column("version", library.version);
  visit.column("backing", library.backing);
  visit.column("storage", library.storage);
  visit.column("optimize_remote_publishing", library.optimize_remote_publishing);
}

template <class Visitor, RowOf<content::Item> Row>
void each_column(Visitor& visit, Row& item) {
  visit.key("id", item.id);
  visit.column("library_id", item.library_id);
  visit.column("name", item.name);
  visit.derived("folded_name", [&] { return content::fold_case(item.name); });
  visit.column("description", item.description);
  visit.column("type", item.type);
  visit.derived("folded_type", [&] { return content::fold_case(item.type); });
  visit.column("creation_time", item.creation_time);
  visit.column("last_modified_time", item.last_modified_time);
  visit.column("version", item.version);
  visit.column("metadata_version", item.metadata_version);
  visit.column("content_version", item.content_version);
  visit.column("content_id", item.content);
  visit.column("size", item.size);
  visit.column("source_id", item.source_id);
  visit.column("security_compliance", item.security_compliance);
  visit.column("certificate_verification", item.certificate_verification);
}

template <class Visitor, RowOf<content::Content> Row>
void each_column(Visitor& visit, Row& set) {
  visit.key("id", set.id);
  visit.column("item_id", set.item_id);
  visit.column("content_version", set.content_version);
  visit.column("created", set.created);
}

template <class Visitor, RowOf<content::ContentFile> Row>
void each_column(Visitor& visit, Row& file) {
  visit.key("name", file.name);
  visit.column("version", file.version);
  visit.column("blob_id", file.blob);
  visit.column("size", file.size);
  visit.column("checksum", file.checksum);
}

template <class Visitor, RowOf<content::Change> Row>
void each_column(Visitor& visit, Row& change) {
  visit.key("item_id", change.item_id);
  visit.column("content_version", change.content_version);
  visit.column("time", change.time);
  visit.column("user_name", change.user);
}

template <class Visitor, RowOf<content::Blob> Row>
void each_column(Visitor& visit, Row& blob) {
  visit.key("id", blob.id);
  visit.column("storage", blob.storage);
  visit.column("size", blob.size);
  visit.column("sha256", blob.sha256);
  visit.column("in_catalog", blob.in_catalog);
}

template <class Visitor, RowOf<content::UpdateSession> Row>
void each_column(Visitor& visit, Row& session) {
  visit.key("id", session.id);
  visit.column("item_id", session.item_id);
  visit.column("item_content_version", session.item_content_version);
  visit.column("creator", session.creator);
  visit.column("login", session.login);
  visit.column("state", session.state);
  visit.column("completing", session.completing);
  visit.column("completed_itself", session.completed_itself);
  visit.column("error_message", session.error_message);
  visit.column("client_progress", session.client_progress);
  visit.column("created", session.created);
  visit.column("changed", session.changed);
  visit.column("expires_at", session.expires_at);
  visit.column("ended_at", session.ended_at);
  visit.column("warning_behavior", session.warning_behavior);
}

template <class Visitor, RowOf<content::SessionFile> Row>
void each_column(Visitor& visit, Row& file) {
  visit.key("name", file.name);
  visit.column("source_type", file.source_type);
  visit.column("source_endpoint", file.source_endpoint);
  visit.column("upload_token", file.upload_token);
  visit.column("declared_size", file.declared_size);
  visit.column("declared_checksum", file.declared_checksum);
  visit.column("status", file.status);
  visit.column("bytes_transferred", file.bytes_transferred);
  visit.column("size", file.size);
  visit.column("digests", file.digests);
  visit.column("blob_id", file.blob);
  visit.column("unfinished", file.unfinished);
  visit.column("error_message", file.error_message);
  visit.column("keep_in_storage", file.keep_in_storage);
  visit.column("attempt", file.attempt);
  visit.column("archive", file.archive);
  visit.column("facts", file.facts);
}

template <class Visitor, RowOf<content::DownloadSession> Row>
void each_column(Visitor& visit, Row& session) {
  visit.key("id", session.id);
  visit.column("item_id", session.item_id);
  visit.column("item_content_version", session.item_content_version);
  visit.column("content_id", session.content);
  visit.column("creator", session.creator);
  visit.column("login", session.login);
  visit.column("token", session.token);
  visit.column("state", session.state);
  visit.column("error_message", session.error_message);
  visit.column("client_progress", session.client_progress);
  visit.column("created", session.created);
  visit.column("expires_at", session.expires_at);
}

/// A structure with columns, unlike a single value.
template <class T>
concept Described = !table_of<T>.empty();

}  // namespace quire::adapters::sql
