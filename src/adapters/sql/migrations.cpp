#include "adapters/sql/migrations.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace quire::adapters::sql {
namespace {

/// {integer}, {text} and {numbered} become the engine's words. Once released, a migration is never changed, only
/// followed.
struct Migration {
  std::int64_t number;
  std::string_view name;
  std::vector<std::string_view> statements;
};

// NOLINTBEGIN(bugprone-suspicious-missing-comma): a statement of several lines is one string
const std::vector<Migration>& migrations() {
  static const std::vector<Migration> all = {
      {1,
       "libraries, items, sessions",
       {
           "CREATE TABLE settings ("
           " name {text} NOT NULL PRIMARY KEY,"
           " value {text} NOT NULL)",

           "CREATE TABLE users ("
           " folded_name {text} NOT NULL PRIMARY KEY,"
           " name {text} NOT NULL,"
           " password_hash {text} NOT NULL,"
           " administrator {integer} NOT NULL)",

           "CREATE TABLE logins ("
           " id {text} NOT NULL PRIMARY KEY,"
           " user_name {text} NOT NULL,"
           " created {integer} NOT NULL,"
           " last_accessed {integer} NOT NULL)",
           "CREATE INDEX logins_by_access ON logins (last_accessed)",
           "CREATE INDEX logins_by_creation ON logins (created)",

           "CREATE TABLE client_tokens ("
           " user_name {text} NOT NULL,"
           " operation {text} NOT NULL,"
           " token {text} NOT NULL,"
           " spec_digest {text} NOT NULL,"
           " result_id {text} NOT NULL,"
           " created {integer} NOT NULL,"
           " PRIMARY KEY (user_name, operation, token))",
           "CREATE INDEX client_tokens_by_creation ON client_tokens (created)",

           "CREATE TABLE libraries ("
           " id {text} NOT NULL PRIMARY KEY,"
           " name {text} NOT NULL,"
           " folded_name {text} NOT NULL,"
           " description {text} NOT NULL,"
           " type {text} NOT NULL,"
           " creation_time {integer} NOT NULL,"
           " last_modified_time {integer} NOT NULL,"
           " version {integer} NOT NULL,"
           " backing {text} NOT NULL,"
           " storage {text} NOT NULL,"
           " optimize_remote_publishing {integer} NOT NULL)",
           "CREATE INDEX libraries_by_creation ON libraries (creation_time, id)",
           "CREATE INDEX libraries_by_name ON libraries (folded_name)",

           "CREATE TABLE blobs ("
           " id {text} NOT NULL PRIMARY KEY,"
           " storage {text} NOT NULL,"
           " size {integer} NOT NULL,"
           " sha256 {text} NOT NULL)",
           "CREATE INDEX blobs_by_bytes ON blobs (sha256, size, storage)",
           "CREATE INDEX blobs_by_storage ON blobs (storage, id)",

           "CREATE TABLE contents ("
           " id {text} NOT NULL PRIMARY KEY,"
           " item_id {text} NOT NULL,"
           " content_version {integer} NOT NULL,"
           " created {integer} NOT NULL)",

           "CREATE TABLE content_files ("
           " content_id {text} NOT NULL REFERENCES contents (id),"
           " name {text} NOT NULL,"
           " position {integer} NOT NULL,"
           " version {integer} NOT NULL,"
           " blob_id {text} NOT NULL REFERENCES blobs (id),"
           " size {integer} NOT NULL,"
           " checksum {text} NOT NULL,"
           " PRIMARY KEY (content_id, name))",
           "CREATE INDEX content_files_by_position ON content_files (content_id, position)",
           "CREATE INDEX content_files_by_blob ON content_files (blob_id)",

           "CREATE TABLE items ("
           " id {text} NOT NULL PRIMARY KEY,"
           " library_id {text} NOT NULL REFERENCES libraries (id),"
           " name {text} NOT NULL,"
           " folded_name {text} NOT NULL,"
           " description {text} NOT NULL,"
           " type {text} NOT NULL,"
           " folded_type {text} NOT NULL,"
           " creation_time {integer} NOT NULL,"
           " last_modified_time {integer} NOT NULL,"
           " version {integer} NOT NULL,"
           " metadata_version {integer} NOT NULL,"
           " content_version {integer} NOT NULL,"
           " content_id {text} REFERENCES contents (id),"
           " size {integer} NOT NULL,"
           " source_id {text},"
           " security_compliance {integer} NOT NULL,"
           " certificate_verification {text},"
           " UNIQUE (library_id, name))",
           "CREATE INDEX items_by_library ON items (library_id, creation_time, id)",
           "CREATE INDEX items_by_creation ON items (creation_time, id)",
           "CREATE INDEX items_by_name ON items (folded_name)",
           "CREATE INDEX items_by_source ON items (source_id)",
           "CREATE INDEX items_by_content ON items (content_id)",

           "CREATE TABLE changes ("
           " item_id {text} NOT NULL REFERENCES items (id),"
           " position {integer} NOT NULL,"
           " content_version {integer} NOT NULL,"
           " time {integer} NOT NULL,"
           " user_name {text} NOT NULL,"
           " PRIMARY KEY (item_id, position))",

           "CREATE TABLE update_sessions ("
           " id {text} NOT NULL PRIMARY KEY,"
           " item_id {text} NOT NULL REFERENCES items (id),"
           " item_content_version {integer} NOT NULL,"
           " creator {text} NOT NULL,"
           " login {text},"
           " state {text} NOT NULL,"
           " completing {integer} NOT NULL,"
           " completed_itself {integer} NOT NULL,"
           " error_message {text},"
           " client_progress {integer} NOT NULL,"
           " created {integer} NOT NULL,"
           " changed {integer} NOT NULL,"
           " expires_at {integer} NOT NULL,"
           " ended_at {integer},"
           " warning_behavior {text})",
           "CREATE UNIQUE INDEX update_sessions_one_active ON update_sessions (item_id) WHERE state = 'ACTIVE'",
           "CREATE INDEX update_sessions_by_item ON update_sessions (item_id)",
           "CREATE INDEX update_sessions_by_creator ON update_sessions (creator, created, id)",
           "CREATE INDEX update_sessions_by_expiry ON update_sessions (expires_at) WHERE state = 'ACTIVE'",
           "CREATE INDEX update_sessions_by_end ON update_sessions (ended_at) WHERE state <> 'ACTIVE'",
           "CREATE INDEX update_sessions_active ON update_sessions (id) WHERE state = 'ACTIVE'",

           "CREATE TABLE session_files ("
           " session_id {text} NOT NULL REFERENCES update_sessions (id),"
           " name {text} NOT NULL,"
           " position {integer} NOT NULL,"
           " source_type {text} NOT NULL,"
           " source_endpoint {text},"
           " upload_token {text},"
           " declared_size {integer},"
           " declared_checksum {text},"
           " status {text} NOT NULL,"
           " bytes_transferred {integer} NOT NULL,"
           " size {integer},"
           " digests {text} NOT NULL,"
           " blob_id {text} REFERENCES blobs (id),"
           " error_message {text},"
           " keep_in_storage {integer} NOT NULL,"
           " attempt {integer} NOT NULL,"
           " archive {text} NOT NULL,"
           " facts {text} NOT NULL,"
           " PRIMARY KEY (session_id, name))",
           "CREATE INDEX session_files_by_position ON session_files (session_id, position)",
           "CREATE UNIQUE INDEX session_files_by_token ON session_files (upload_token)",
           "CREATE INDEX session_files_by_blob ON session_files (blob_id)",
           "CREATE INDEX session_files_pulling ON session_files (session_id, position) WHERE source_type = 'PULL'",

           "CREATE TABLE download_sessions ("
           " id {text} NOT NULL PRIMARY KEY,"
           " item_id {text} NOT NULL REFERENCES items (id),"
           " item_content_version {integer} NOT NULL,"
           " content_id {text},"
           " creator {text} NOT NULL,"
           " login {text},"
           " token {text},"
           " state {text} NOT NULL,"
           " error_message {text},"
           " client_progress {integer} NOT NULL,"
           " created {integer} NOT NULL,"
           " expires_at {integer} NOT NULL)",
           "CREATE UNIQUE INDEX download_sessions_by_token ON download_sessions (token)",
           "CREATE INDEX download_sessions_by_item ON download_sessions (item_id)",
           "CREATE INDEX download_sessions_by_creator ON download_sessions (creator, created, id)",
           "CREATE INDEX download_sessions_by_expiry ON download_sessions (expires_at)",
           "CREATE INDEX download_sessions_pinning ON download_sessions (content_id) WHERE state = 'ACTIVE'",

           "CREATE TABLE prepared_files ("
           " session_id {text} NOT NULL REFERENCES download_sessions (id),"
           " name {text} NOT NULL,"
           " PRIMARY KEY (session_id, name))",
       }},
      {2, "uploads that go on", {"ALTER TABLE session_files ADD COLUMN unfinished {text}"}},
      {3,
       "files prepared for direct access",
       {"ALTER TABLE prepared_files ADD COLUMN direct {integer} NOT NULL DEFAULT 0"}},
      {4,
       "small blobs",
       {"ALTER TABLE blobs ADD COLUMN in_catalog {integer} NOT NULL DEFAULT 0",
        "ALTER TABLE blobs ADD COLUMN bytes {text}"}},
      {5,
       "events; what the files of packages say",
       {"CREATE TABLE events ("
        " number {numbered},"
        " kind {text} NOT NULL,"
        " time {integer} NOT NULL,"
        " actor {text} NOT NULL,"
        " library_id {text},"
        " item_id {text},"
        " subject_id {text} NOT NULL,"
        " details {text} NOT NULL)",
        "ALTER TABLE content_files ADD COLUMN facts {text}"}},
      {6,
       "groups, roles, permissions",
       {"CREATE TABLE user_groups ("
        " id {text} NOT NULL PRIMARY KEY,"
        " name {text} NOT NULL,"
        " description {text} NOT NULL)",
        "CREATE TABLE group_members ("
        " group_id {text} NOT NULL REFERENCES user_groups (id),"
        " folded_name {text} NOT NULL,"
        " name {text} NOT NULL,"
        " PRIMARY KEY (group_id, folded_name))",
        "CREATE INDEX group_members_by_name ON group_members (folded_name)",
        "CREATE TABLE roles ("
        " id {integer} NOT NULL PRIMARY KEY,"
        " name {text} NOT NULL,"
        " folded_name {text} NOT NULL UNIQUE,"
        " privileges {text} NOT NULL)",
        "CREATE TABLE permissions ("
        " folded_principal {text} NOT NULL,"
        " type {text} NOT NULL,"
        " object {text} NOT NULL,"
        " principal {text} NOT NULL,"
        " library_id {text} REFERENCES libraries (id),"
        " role {integer} NOT NULL,"
        " propagate {integer} NOT NULL,"
        " PRIMARY KEY (folded_principal, type, object))",
        "CREATE INDEX permissions_by_library ON permissions (library_id)",
        "CREATE INDEX permissions_by_role ON permissions (role)",
        // Administrators stay that; no version could make other users, who get the Contributor's role.
        "INSERT INTO permissions (folded_principal, type, object, principal, library_id, role, propagate)"
        " SELECT folded_name, 'USER', '', name, NULL, CASE administrator WHEN 0 THEN -102 ELSE -1 END, 1 FROM users",
        "ALTER TABLE users DROP COLUMN administrator",
        "ALTER TABLE users ADD COLUMN description {text} NOT NULL DEFAULT ''",
        "ALTER TABLE logins ADD COLUMN outside_groups {text} NOT NULL DEFAULT '[]'"}},
      {7,
       "tasks",
       {
           "CREATE TABLE tasks ("
           " id {text} NOT NULL PRIMARY KEY,"
           " service {text} NOT NULL,"
           " operation {text} NOT NULL,"
           " target_type {text} NOT NULL,"
           " target {text} NOT NULL,"
           " user_name {text} NOT NULL,"
           " description {text} NOT NULL,"
           " status {text} NOT NULL,"
           " total {integer} NOT NULL,"
           " completed {integer} NOT NULL,"
           " cancel_requested {integer} NOT NULL,"
           " error {text},"
           " content_id {text} REFERENCES contents (id),"
           " claim {text} NOT NULL,"
           " due {integer} NOT NULL,"
           " attempts {integer} NOT NULL,"
           " created {integer} NOT NULL,"
           " started {integer},"
           " ended {integer})",
           "CREATE INDEX tasks_by_creation ON tasks (created, id)",
           "CREATE INDEX tasks_by_user ON tasks (user_name, created, id)",
           "CREATE INDEX tasks_by_end ON tasks (ended) WHERE ended IS NOT NULL",
           "CREATE INDEX tasks_by_due ON tasks (due) WHERE ended IS NULL",
           "CREATE INDEX tasks_by_target ON tasks (target) WHERE ended IS NULL",
           "CREATE INDEX tasks_pinning ON tasks (content_id) WHERE content_id IS NOT NULL",

           "CREATE TABLE task_blobs ("
           " task_id {text} NOT NULL REFERENCES tasks (id),"
           " blob_id {text} NOT NULL REFERENCES blobs (id),"
           " position {integer} NOT NULL,"
           " PRIMARY KEY (task_id, blob_id))",
           "CREATE INDEX task_blobs_by_blob ON task_blobs (blob_id)",
       }},
      {8, "users that may not log in", {"ALTER TABLE users ADD COLUMN enabled {integer} NOT NULL DEFAULT 1"}},
      {9,
       "trust store, security policies",
       {"CREATE TABLE trusted_certificates ("
        " id {text} NOT NULL PRIMARY KEY,"
        " pem {text} NOT NULL,"
        " added {integer} NOT NULL)",
        "ALTER TABLE libraries ADD COLUMN security_policy_id {text}"}},
      {10,
       "maintenance and migration of libraries",
       {"ALTER TABLE libraries ADD COLUMN state {text} NOT NULL DEFAULT 'ACTIVE'",
        "ALTER TABLE libraries ADD COLUMN migration {text}"}},
      {11,
       "usages of libraries",
       {"ALTER TABLE libraries ADD COLUMN usage_protects_items {integer} NOT NULL DEFAULT 0",
        "CREATE TABLE library_usages ("
        " library_id {text} NOT NULL REFERENCES libraries (id),"
        " id {text} NOT NULL,"
        " position {integer} NOT NULL,"
        " resource_urn {text} NOT NULL,"
        " added {integer} NOT NULL,"
        " PRIMARY KEY (library_id, id),"
        " UNIQUE (library_id, resource_urn))"}},
      {12,
       "tags",
       {"CREATE TABLE tag_categories ("
        " id {text} NOT NULL PRIMARY KEY,"
        " name {text} NOT NULL UNIQUE,"
        " description {text} NOT NULL,"
        " cardinality {text} NOT NULL,"
        " associable_types {text} NOT NULL)",
        "CREATE TABLE tags ("
        " id {text} NOT NULL PRIMARY KEY,"
        " category_id {text} NOT NULL REFERENCES tag_categories (id),"
        " name {text} NOT NULL,"
        " description {text} NOT NULL,"
        " UNIQUE (category_id, name))",
        "CREATE TABLE tag_attachments ("
        " tag_id {text} NOT NULL REFERENCES tags (id),"
        " object_type {text} NOT NULL,"
        " object {text} NOT NULL,"
        " PRIMARY KEY (tag_id, object_type, object))",
        "CREATE INDEX tag_attachments_by_object ON tag_attachments (object, object_type)"}},
      {13,
       "fewer index entries",
       {// Each entry is a page more that a commit writes: none for columns that are empty.
        "DROP INDEX items_by_source", "CREATE INDEX items_by_source ON items (source_id) WHERE source_id IS NOT NULL",
        "DROP INDEX items_by_content",
        "CREATE INDEX items_by_content ON items (content_id) WHERE content_id IS NOT NULL",
        "DROP INDEX session_files_by_blob",
        "CREATE INDEX session_files_by_blob ON session_files (blob_id) WHERE blob_id IS NOT NULL",
        // Only a walk through all blobs asks by storage; it can go by their keys.
        "DROP INDEX blobs_by_storage"}},
      {14,
       "where changes come from",
       {"ALTER TABLE events ADD COLUMN operation {text} NOT NULL DEFAULT ''",
        "ALTER TABLE events ADD COLUMN address {text} NOT NULL DEFAULT ''",
        "ALTER TABLE events ADD COLUMN operation_id {text} NOT NULL DEFAULT ''",
        "ALTER TABLE events ADD COLUMN api_token {text} NOT NULL DEFAULT ''"}},
      {15,
       "API tokens",
       {"ALTER TABLE logins ADD COLUMN api_token {text}",
        "CREATE INDEX api_tokens_by_user ON logins (user_name) WHERE api_token IS NOT NULL"}},
      {16,
       "quotas",
       {"CREATE TABLE quotas ("
        " kind {text} NOT NULL,"
        " owner {text} NOT NULL,"
        " items_max {integer},"
        " bytes_max {integer},"
        " items {integer} NOT NULL,"
        " bytes {integer} NOT NULL,"
        " reserved {integer} NOT NULL,"
        " PRIMARY KEY (kind, owner))",
        "ALTER TABLE items ADD COLUMN creator {text} NOT NULL DEFAULT ''",
        "ALTER TABLE items ADD COLUMN reserved {integer} NOT NULL DEFAULT 0",
        // Who made an item was not written down; who gave it its first content is most often the same.
        "UPDATE items SET creator = COALESCE((SELECT lower(user_name) FROM changes WHERE changes.item_id = items.id"
        " ORDER BY position LIMIT 1), '')",
        "ALTER TABLE session_files ADD COLUMN reserved {integer} NOT NULL DEFAULT 0"}},
      {17,
       "webhooks",
       {"CREATE TABLE webhooks (id {text} NOT NULL PRIMARY KEY, url {text} NOT NULL, secret {text} NOT NULL,"
        " description {text} NOT NULL, enabled {integer} NOT NULL, kinds {text} NOT NULL, library_id {text},"
        " creator {text} NOT NULL, created {integer} NOT NULL, queued_to {integer} NOT NULL)",
        "CREATE TABLE webhook_deliveries (webhook_id {text} NOT NULL REFERENCES webhooks (id),"
        " event {integer} NOT NULL, state {text} NOT NULL, attempts {integer} NOT NULL, due {integer} NOT NULL,"
        " problem {text} NOT NULL, position {integer} NOT NULL, PRIMARY KEY (webhook_id, event))"}},
      {18,
       "publication",
       {"ALTER TABLE libraries ADD COLUMN published {integer} NOT NULL DEFAULT 0",
        "ALTER TABLE libraries ADD COLUMN publish_authentication {text} NOT NULL DEFAULT 'NONE'",
        "ALTER TABLE libraries ADD COLUMN publish_password_hash {text} NOT NULL DEFAULT ''",
        "ALTER TABLE libraries ADD COLUMN generation {integer} NOT NULL DEFAULT 0",
        // Which content version brought a file was not written down; nobody has seen a later one than that it is in.
        "ALTER TABLE content_files ADD COLUMN since {integer} NOT NULL DEFAULT 1",
        "UPDATE content_files SET since = COALESCE((SELECT content_version FROM contents"
        " WHERE contents.id = content_files.content_id), 1)"}},
      {19,
       "subscriptions",
       {"ALTER TABLE download_sessions ADD COLUMN awaits_content {integer} NOT NULL DEFAULT 0",
        "ALTER TABLE libraries ADD COLUMN subscription {text}",
        "ALTER TABLE items ADD COLUMN cached {integer} NOT NULL DEFAULT 1",
        "ALTER TABLE items ADD COLUMN last_sync_time {integer}", "ALTER TABLE tasks ADD COLUMN source_id {text}",
        "CREATE TABLE source_items (item_id {text} NOT NULL PRIMARY KEY REFERENCES items (id),"
        " document {text} NOT NULL, content_document {text} NOT NULL, problem {text})",
        "CREATE TABLE subscriptions (library_id {text} NOT NULL REFERENCES libraries (id), id {text} NOT NULL,"
        " position {integer} NOT NULL, subscribed_library {text} NOT NULL, subscribed_library_name {text} NOT NULL,"
        " location {text} NOT NULL, server {text}, placement {text} NOT NULL, last_notified {integer},"
        " waiting_since {integer}, problem {text}, PRIMARY KEY (library_id, id))",
        "CREATE INDEX source_items_with_problem ON source_items (item_id) WHERE problem IS NOT NULL"}},
      {20, "persisted JSON", {"ALTER TABLE libraries ADD COLUMN persist_json {integer} NOT NULL DEFAULT 0"}},
  };
  return all;
}

// NOLINTEND(bugprone-suspicious-missing-comma)

void replace_all(std::string& in, std::string_view what, std::string_view by) {
  for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + by.size()))
    in.replace(at, what.size(), by);
}

std::string in_words(std::string_view statement, const SchemaWords& words) {
  std::string sql(statement);
  replace_all(sql, "{integer}", words.integer);
  replace_all(sql, "{text}", words.text);
  replace_all(sql, "{numbered}", words.numbered);
  return sql;
}

}  // namespace

const SchemaWords& sqlite_words() {
  static const SchemaWords words{.integer = "INTEGER",
                                 .text = "TEXT",
                                 .numbered = "INTEGER PRIMARY KEY",
                                 .tables = "SELECT name FROM sqlite_schema WHERE type = 'table'"};
  return words;
}

const SchemaWords& postgresql_words() {
  static const SchemaWords words{
      .integer = "BIGINT",
      .text = "TEXT COLLATE \"C\"",
      .numbered = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
      .tables = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()"};
  return words;
}

std::int64_t newest_schema() { return migrations().back().number; }

std::int64_t schema_of(Connection& connection, const SchemaWords& words) {
  connection.run_once(in_words(
      "CREATE TABLE IF NOT EXISTS schema_migrations (number {integer} NOT NULL PRIMARY KEY, name {text} NOT NULL)",
      words));
  return connection.one<std::int64_t>("SELECT COALESCE(MAX(number), 0) FROM schema_migrations").value_or(0);
}

std::int64_t schema_to_read(Connection& connection, const SchemaWords& words) {
  const auto tables = connection.all<std::string>(words.tables);
  if (std::ranges::find(tables, "schema_migrations") == tables.end()) return 0;
  return connection.one<std::int64_t>("SELECT COALESCE(MAX(number), 0) FROM schema_migrations").value_or(0);
}

base::Result<void> check_newest_schema(std::int64_t present) {
  if (present == newest_schema()) return {};
  return base::Error(base::ErrorKind::unsupported, "quire.catalog.other_schema",
                     "The catalog has schema {present}, but this version of Quire reads and copies schema {newest} "
                     "only. Use the version that its server has.",
                     {{"present", present}, {"newest", newest_schema()}});
}

base::Result<void> migrate(Connection& connection, const SchemaWords& words) {
  const auto present = schema_of(connection, words);
  if (present > newest_schema())
    return base::Error(base::ErrorKind::unsupported, "quire.catalog.newer_schema",
                       "The catalog has schema {present}, but this version of Quire knows only schemas up to {newest}. "
                       "Start the newer version that wrote it, or restore a catalog from before the upgrade.",
                       {{"present", present}, {"newest", newest_schema()}});
  for (const auto& migration : migrations()) {
    if (migration.number <= present) continue;
    for (const auto statement : migration.statements) connection.run_once(in_words(statement, words));
    connection.run("INSERT INTO schema_migrations (number, name) VALUES (:number, :name)", migration.number,
                   migration.name);
  }
  return {};
}

}  // namespace quire::adapters::sql
