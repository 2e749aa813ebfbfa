#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "adapters/sql/connection.h"
#include "content/catalog.h"

namespace quire::adapters::sql {

/// The row of a table that a transaction has read or written last: what it needs again, and nobody else can change it
/// meanwhile.
template <class Row>
class LastRow {
 public:
  template <class Id, class Read>
  std::optional<Row> get(const Id& id, Read read) {
    if (!row_ || row_->id != id) row_ = read();
    return row_;
  }
  void remember(const Row& row) { row_ = row; }
  void forget() { row_.reset(); }

 private:
  std::optional<Row> row_;
};

/// What a transaction can read and change, on a connection where that transaction is open.
class CatalogView final : public content::CatalogWriter {
 public:
  /// `connection` must outlive the view.
  explicit CatalogView(Connection& connection) : connection_(connection) {}

  /// Whether a login was changed or removed here.
  bool logins_changed() const { return logins_changed_; }
  /// Whether a user, group, role or permission was.
  bool access_changed() const { return access_changed_; }
  /// Whether a library was, or its generation.
  bool libraries_changed() const { return libraries_changed_; }

  void find_row(const content::FindAnyRow& request) override;
  void list_parts(const content::ListAnyParts& request) override;
  void insert_row(const content::WriteAnyRow& request) override;
  void update_row(const content::WriteAnyRow& request) override;
  void put_row(const content::WriteAnyRow& request) override;
  void remove_row(const content::RemoveAnyRow& request) override;

  std::size_t login_count() override;
  std::vector<content::LoginSession> api_tokens(std::string_view user) override;
  std::vector<content::User> users() override;
  std::vector<content::Group> groups() override;
  std::vector<std::string> groups_of(std::string_view user) override;
  std::vector<content::Role> roles() override;
  std::optional<content::Role> role_named(std::string_view name) override;
  std::vector<content::Permission> permissions(const content::PermissionFilter& filter) override;
  std::vector<content::GrantedRole> granted_roles(std::string_view user, std::span<const std::string> groups) override;
  std::vector<content::TrustedCertificate> trusted_certificates() override;
  std::vector<content::Webhook> webhooks() override;
  std::size_t webhook_delivery_count(content::DeliveryState state) override;
  std::vector<content::LibraryId> libraries(const content::LibraryFilter& filter) override;
  std::optional<content::ItemId> item_named(const content::LibraryId& library, std::string_view name) override;
  std::vector<content::ItemId> items(const content::ItemFilter& filter) override;
  std::optional<std::vector<std::byte>> blob_bytes(const content::BlobId& id) override;
  bool library_has_blob(const content::LibraryId& library, const content::BlobId& blob) override;
  std::optional<content::Blob> blob_with(const content::StorageId& storage, std::string_view sha256,
                                         std::int64_t size) override;
  std::vector<content::Blob> blobs_after(const content::StorageId& storage, const content::BlobId& after,
                                         std::size_t limit) override;
  std::vector<content::Blob> blobs_elsewhere(const content::ItemId& item, const content::StorageId& storage) override;
  bool is_prepared_direct(const content::BlobId& id) override;
  std::optional<content::UpdateSession> active_update_session(const content::ItemId& item) override;
  std::vector<content::UpdateSessionId> update_sessions(std::string_view user,
                                                        const std::optional<content::ItemId>& item) override;
  std::size_t update_session_count(content::UpdateSessionState state) override;
  std::vector<content::UpdateSessionId> expired_update_sessions(base::Time now, std::size_t limit) override;
  std::vector<content::UpdateSessionId> idle_pull_sessions(base::Time before, std::size_t limit) override;
  std::vector<std::pair<content::UpdateSessionId, std::string>> pending_pulls(std::size_t limit) override;
  std::vector<content::UpdateSessionId> ended_update_sessions(base::Time before, std::size_t limit) override;
  std::vector<content::UpdateSessionId> active_update_sessions_after(const content::UpdateSessionId& after,
                                                                     std::size_t limit) override;
  std::optional<std::pair<content::UpdateSessionId, content::SessionFile>> session_file_of(
      const content::TransferToken& token) override;
  std::optional<content::DownloadSession> download_session_of(const content::TransferToken& token) override;
  std::vector<content::DownloadSessionId> download_sessions(std::string_view user,
                                                            const std::optional<content::ItemId>& item) override;
  std::size_t download_session_count() override;
  std::vector<content::DownloadSessionId> expired_download_sessions(base::Time now, std::size_t limit) override;
  std::vector<content::TaskId> tasks(std::string_view user, std::size_t limit) override;
  std::vector<content::TaskId> due_tasks(base::Time now, std::size_t limit) override;
  std::vector<content::TaskId> ended_tasks(base::Time before, std::size_t limit) override;
  std::size_t active_task_count() override;
  content::SyncedItemCounts synced_item_counts(const content::LibraryId& library) override;
  std::vector<content::ItemId> items_with_problem(const content::LibraryId& library, std::size_t limit) override;
  std::vector<content::Task> active_tasks_on(std::string_view target) override;
  std::vector<content::TagCategory> tag_categories() override;
  std::optional<content::TagCategory> tag_category_named(std::string_view name) override;
  std::vector<content::Tag> tags(const std::optional<content::TagCategoryId>& category) override;
  std::optional<content::Tag> tag_named(const content::TagCategoryId& category, std::string_view name) override;
  std::vector<content::TagAttachment> attachments_of_tag(const content::TagId& tag) override;
  std::vector<content::TagAttachment> attachments_of_object(std::string_view type, std::string_view object) override;
  std::vector<content::Contradiction> contradictions(std::size_t limit_per_kind) override;
  std::size_t repair_contradictions() override;
  std::vector<content::Event> events_after(std::int64_t number, std::size_t limit) override;
  std::vector<content::Event> events_before(std::int64_t number, std::size_t limit) override;

  bool has_quotas() override;
  std::vector<content::Quota> quotas(content::QuotaKind kind) override;
  content::QuotaUse use_of(const content::QuotaOwner& owner) override;
  std::vector<content::ExceededQuota> exceeded_quotas() override;

  void touch_login(const content::LoginId& id, base::Time now) override;
  void remove_logins(base::Time accessed_before, base::Time created_before) override;
  void remove_logins_of(std::string_view user, const content::LoginId& but) override;
  void remove_api_tokens_of(std::string_view user) override;
  void remove_memberships(std::string_view user) override;
  void remove_permissions(const content::PermissionFilter& filter) override;
  void remove_client_tokens(base::Time created_before) override;
  std::vector<content::BlobId> remove_content_if_unused(const content::ContentId& id) override;
  void insert_blob(const content::Blob& blob, std::span<const std::byte> bytes) override;
  void advance_generation(const content::LibraryId& id) override;
  void move_blob_to_storage(const content::BlobId& id) override;
  void replace_blob(const content::ItemId& item, const content::BlobId& old,
                    const content::BlobId& replacement) override;
  std::vector<content::Blob> remove_unreferenced_blobs(std::span<const content::BlobId> candidates) override;
  void remove_attachments_of_tag(const content::TagId& tag) override;
  void remove_attachments_of_object(std::string_view type, std::string_view object) override;
  void restart_leases(base::Time now, const content::TimeBounds& update_sessions,
                      const content::TimeBounds& download_sessions) override;
  std::size_t remove_events(base::Time created_before, std::size_t limit) override;

 private:
  struct FilesOfSession {
    content::UpdateSessionId session;
    std::vector<content::SessionFile> files;
  };

  template <class Row>
  std::optional<Row> read(const content::KeyOf<Row>& key);
  template <class Row, class... Owner>
  std::optional<Row> read_stored(const Row& row, const Owner&... owner);
  template <class Row, class... Owner>
  void insert_new(const Row& row, const Owner&... owner);
  template <class Row, class... Owner>
  bool overwrite(const Row& row, const Owner&... owner);
  template <class Row, class... Owner>
  void remember(const Row& row, const Owner&... owner);
  template <class Row>
  void remove_with_parts(const content::KeyOf<Row>& key);
  content::SessionFile* known_file(const content::UpdateSessionId& id, std::string_view name);

  // Keeping the use of quotas (catalog_quotas.cpp): what a row of these tables took before it was written and takes
  // now.
  bool keeps_use();
  void count(const content::Item* before, const content::Item* after);
  void count(const content::UpdateSession* before, const content::UpdateSession* after);
  void count(const content::SessionFile* before, const content::SessionFile* after,
             const content::UpdateSessionId& session);
  void add_reserved(const content::UpdateSession& session, std::int64_t bytes);
  void add_use(const content::QuotaOwner& owner, const content::QuotaUse& growth);
  std::optional<content::Quota> quota_in_force(const content::QuotaOwner& owner);

  Connection& connection_;
  bool logins_changed_ = false;
  bool access_changed_ = false;
  bool libraries_changed_ = false;
  std::tuple<LastRow<content::Library>, LastRow<content::Item>, LastRow<content::UpdateSession>> last_rows_;
  std::optional<FilesOfSession> session_files_;  ///< as LastRow
  std::optional<bool> keeps_use_;                ///< whether there are quotas, once that was asked
  std::vector<std::pair<content::QuotaOwner, content::QuotaUse>> growth_;  ///< of quotas, by this transaction
};

}  // namespace quire::adapters::sql
