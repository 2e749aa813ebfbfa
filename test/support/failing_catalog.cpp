#include "support/failing_catalog.h"

#include <boost/core/demangle.hpp>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

namespace quire::test_support {
namespace {

/// Forwards every operation of a transaction, each a fault point; a fault is a CatalogFailure. Access to rows is
/// forwarded for all tables at once. `View` is content::CatalogReader or content::CatalogWriter.
template <class View>
class FailingView : public View {
 public:
  FailingView(View& inner, Faults& faults) : inner_(inner), faults_(faults) {}

  std::size_t login_count() override { return pass("login_count").login_count(); }
  std::vector<content::LoginSession> api_tokens(std::string_view user) override {
    return pass("api_tokens").api_tokens(user);
  }
  std::vector<content::Webhook> webhooks() override { return pass("webhooks").webhooks(); }
  std::size_t webhook_delivery_count(content::DeliveryState state) override {
    return pass("webhook_delivery_count").webhook_delivery_count(state);
  }
  std::vector<content::User> users() override { return pass("users").users(); }
  std::vector<content::Group> groups() override { return pass("groups").groups(); }
  std::vector<std::string> groups_of(std::string_view user) override { return pass("groups_of").groups_of(user); }
  std::vector<content::Role> roles() override { return pass("roles").roles(); }
  std::optional<content::Role> role_named(std::string_view name) override {
    return pass("role_named").role_named(name);
  }
  std::vector<content::Permission> permissions(const content::PermissionFilter& filter) override {
    return pass("permissions").permissions(filter);
  }
  std::vector<content::GrantedRole> granted_roles(std::string_view user, std::span<const std::string> groups) override {
    return pass("granted_roles").granted_roles(user, groups);
  }
  std::vector<content::TrustedCertificate> trusted_certificates() override {
    return pass("trusted_certificates").trusted_certificates();
  }
  std::vector<content::LibraryId> libraries(const content::LibraryFilter& filter) override {
    return pass("libraries").libraries(filter);
  }
  std::optional<content::ItemId> item_named(const content::LibraryId& library, std::string_view name) override {
    return pass("item_named").item_named(library, name);
  }
  std::vector<content::ItemId> items(const content::ItemFilter& filter) override { return pass("items").items(filter); }
  content::SyncedItemCounts synced_item_counts(const content::LibraryId& library) override {
    return pass("synced_item_counts").synced_item_counts(library);
  }
  std::vector<content::ItemId> items_with_problem(const content::LibraryId& library, std::size_t limit) override {
    return pass("items_with_problem").items_with_problem(library, limit);
  }
  std::optional<std::vector<std::byte>> blob_bytes(const content::BlobId& id) override {
    return pass("blob_bytes").blob_bytes(id);
  }
  bool library_has_blob(const content::LibraryId& library, const content::BlobId& blob) override {
    return pass("library_has_blob").library_has_blob(library, blob);
  }
  std::optional<content::Blob> blob_with(const content::StorageId& storage, std::string_view sha256,
                                         std::int64_t size) override {
    return pass("blob_with").blob_with(storage, sha256, size);
  }
  std::vector<content::Blob> blobs_after(const content::StorageId& storage, const content::BlobId& after,
                                         std::size_t limit) override {
    return pass("blobs_after").blobs_after(storage, after, limit);
  }
  std::vector<content::Blob> blobs_elsewhere(const content::ItemId& item, const content::StorageId& storage) override {
    return pass("blobs_elsewhere").blobs_elsewhere(item, storage);
  }
  bool is_prepared_direct(const content::BlobId& id) override {
    return pass("is_prepared_direct").is_prepared_direct(id);
  }
  std::optional<content::UpdateSession> active_update_session(const content::ItemId& item) override {
    return pass("active_update_session").active_update_session(item);
  }
  std::vector<content::UpdateSessionId> update_sessions(std::string_view user,
                                                        const std::optional<content::ItemId>& item) override {
    return pass("update_sessions").update_sessions(user, item);
  }
  std::size_t update_session_count(content::UpdateSessionState state) override {
    return pass("update_session_count").update_session_count(state);
  }
  std::vector<content::UpdateSessionId> expired_update_sessions(base::Time now, std::size_t limit) override {
    return pass("expired_update_sessions").expired_update_sessions(now, limit);
  }
  std::vector<content::UpdateSessionId> ended_update_sessions(base::Time before, std::size_t limit) override {
    return pass("ended_update_sessions").ended_update_sessions(before, limit);
  }
  std::vector<content::UpdateSessionId> active_update_sessions_after(const content::UpdateSessionId& after,
                                                                     std::size_t limit) override {
    return pass("active_update_sessions_after").active_update_sessions_after(after, limit);
  }
  std::vector<content::UpdateSessionId> idle_pull_sessions(base::Time before, std::size_t limit) override {
    return pass("idle_pull_sessions").idle_pull_sessions(before, limit);
  }
  std::vector<std::pair<content::UpdateSessionId, std::string>> pending_pulls(std::size_t limit) override {
    return pass("pending_pulls").pending_pulls(limit);
  }
  std::optional<std::pair<content::UpdateSessionId, content::SessionFile>> session_file_of(
      const content::TransferToken& token) override {
    return pass("session_file_of").session_file_of(token);
  }
  std::optional<content::DownloadSession> download_session_of(const content::TransferToken& token) override {
    return pass("download_session_of").download_session_of(token);
  }
  std::vector<content::DownloadSessionId> download_sessions(std::string_view user,
                                                            const std::optional<content::ItemId>& item) override {
    return pass("download_sessions").download_sessions(user, item);
  }
  std::size_t download_session_count() override { return pass("download_session_count").download_session_count(); }
  std::vector<content::DownloadSessionId> expired_download_sessions(base::Time now, std::size_t limit) override {
    return pass("expired_download_sessions").expired_download_sessions(now, limit);
  }
  std::vector<content::TaskId> tasks(std::string_view user, std::size_t limit) override {
    return pass("tasks").tasks(user, limit);
  }
  std::vector<content::TaskId> due_tasks(base::Time now, std::size_t limit) override {
    return pass("due_tasks").due_tasks(now, limit);
  }
  std::vector<content::TaskId> ended_tasks(base::Time before, std::size_t limit) override {
    return pass("ended_tasks").ended_tasks(before, limit);
  }
  std::size_t active_task_count() override { return pass("active_task_count").active_task_count(); }
  std::vector<content::Task> active_tasks_on(std::string_view target) override {
    return pass("active_tasks_on").active_tasks_on(target);
  }
  std::vector<content::TagCategory> tag_categories() override { return pass("tag_categories").tag_categories(); }
  std::optional<content::TagCategory> tag_category_named(std::string_view name) override {
    return pass("tag_category_named").tag_category_named(name);
  }
  std::vector<content::Tag> tags(const std::optional<content::TagCategoryId>& category) override {
    return pass("tags").tags(category);
  }
  std::optional<content::Tag> tag_named(const content::TagCategoryId& category, std::string_view name) override {
    return pass("tag_named").tag_named(category, name);
  }
  std::vector<content::TagAttachment> attachments_of_tag(const content::TagId& tag) override {
    return pass("attachments_of_tag").attachments_of_tag(tag);
  }
  std::vector<content::TagAttachment> attachments_of_object(std::string_view type, std::string_view object) override {
    return pass("attachments_of_object").attachments_of_object(type, object);
  }
  std::vector<content::Contradiction> contradictions(std::size_t limit) override {
    return pass("contradictions").contradictions(limit);
  }
  std::vector<content::Event> events_after(std::int64_t number, std::size_t limit) override {
    return pass("events_after").events_after(number, limit);
  }
  std::vector<content::Event> events_before(std::int64_t number, std::size_t limit) override {
    return pass("events_before").events_before(number, limit);
  }
  bool has_quotas() override { return pass("has_quotas").has_quotas(); }
  std::vector<content::Quota> quotas(content::QuotaKind kind) override { return pass("quotas").quotas(kind); }
  content::QuotaUse use_of(const content::QuotaOwner& owner) override { return pass("use_of").use_of(owner); }
  void find_row(const content::FindAnyRow& request) override { pass("find", request).find_row(request); }
  void list_parts(const content::ListAnyParts& request) override { pass("list", request).list_parts(request); }

 protected:
  View& pass(std::string_view operation) {
    if (faults_.strikes(FaultPoint::in_transaction, operation)) throw content::CatalogFailure(faults_.error());
    return inner_;
  }
  /// `request` is a variant of requests for rows of each table.
  template <class Request>
  View& pass(std::string_view verb, const Request& request) {
    const auto row_type = []<template <class> class One, class Row>(const One<Row>&) {
      const auto name = boost::core::demangle(typeid(Row).name());
      return name.substr(name.rfind(':') + 1);
    };
    return pass(std::string(verb) + " " + std::visit(row_type, request));
  }

 private:
  View& inner_;
  Faults& faults_;
};

using FailingReader = FailingView<content::CatalogReader>;

class FailingWriter final : public FailingView<content::CatalogWriter> {
 public:
  using FailingView::FailingView;

  void touch_login(const content::LoginId& id, base::Time now) override {
    return pass("touch_login").touch_login(id, now);
  }
  void remove_logins(base::Time accessed_before, base::Time created_before) override {
    return pass("remove_logins").remove_logins(accessed_before, created_before);
  }
  void remove_logins_of(std::string_view user, const content::LoginId& but) override {
    return pass("remove_logins_of").remove_logins_of(user, but);
  }
  void remove_api_tokens_of(std::string_view user) override {
    return pass("remove_api_tokens_of").remove_api_tokens_of(user);
  }
  void remove_memberships(std::string_view user) override {
    return pass("remove_memberships").remove_memberships(user);
  }
  void remove_permissions(const content::PermissionFilter& filter) override {
    return pass("remove_permissions").remove_permissions(filter);
  }
  void remove_client_tokens(base::Time created_before) override {
    return pass("remove_client_tokens").remove_client_tokens(created_before);
  }
  std::vector<content::BlobId> remove_content_if_unused(const content::ContentId& id) override {
    return pass("remove_content_if_unused").remove_content_if_unused(id);
  }
  void insert_blob(const content::Blob& blob, std::span<const std::byte> bytes) override {
    return pass("insert_blob").insert_blob(blob, bytes);
  }
  void advance_generation(const content::LibraryId& id) override {
    return pass("advance_generation").advance_generation(id);
  }
  void move_blob_to_storage(const content::BlobId& id) override {
    return pass("move_blob_to_storage").move_blob_to_storage(id);
  }
  void replace_blob(const content::ItemId& item, const content::BlobId& old,
                    const content::BlobId& replacement) override {
    pass("replace_blob").replace_blob(item, old, replacement);
  }
  std::vector<content::Blob> remove_unreferenced_blobs(std::span<const content::BlobId> candidates) override {
    return pass("remove_unreferenced_blobs").remove_unreferenced_blobs(candidates);
  }
  void remove_attachments_of_tag(const content::TagId& tag) override {
    pass("remove_attachments_of_tag").remove_attachments_of_tag(tag);
  }
  void remove_attachments_of_object(std::string_view type, std::string_view object) override {
    pass("remove_attachments_of_object").remove_attachments_of_object(type, object);
  }
  void restart_leases(base::Time now, const content::TimeBounds& update_sessions,
                      const content::TimeBounds& download_sessions) override {
    return pass("restart_leases").restart_leases(now, update_sessions, download_sessions);
  }
  std::size_t remove_events(base::Time created_before, std::size_t limit) override {
    return pass("remove_events").remove_events(created_before, limit);
  }
  std::vector<content::ExceededQuota> exceeded_quotas() override { return pass("exceeded_quotas").exceeded_quotas(); }
  std::size_t repair_contradictions() override { return pass("repair_contradictions").repair_contradictions(); }
  void insert_row(const content::WriteAnyRow& request) override { pass("insert", request).insert_row(request); }
  void update_row(const content::WriteAnyRow& request) override { pass("update", request).update_row(request); }
  void put_row(const content::WriteAnyRow& request) override { pass("put", request).put_row(request); }
  void remove_row(const content::RemoveAnyRow& request) override { pass("remove", request).remove_row(request); }
};

}  // namespace

std::optional<std::uint64_t> FailingCatalog::logins_version() const { return inner_.logins_version(); }
std::optional<std::uint64_t> FailingCatalog::access_version() const { return inner_.access_version(); }
std::optional<std::uint64_t> FailingCatalog::libraries_version() const { return inner_.libraries_version(); }

base::Result<void> FailingCatalog::read_transaction(
    const std::function<base::Result<void>(content::CatalogReader&)>& function) {
  if (faults_.strikes(FaultPoint::before_transaction, "read")) return faults_.error();
  return inner_.read_transaction([&](content::CatalogReader& reader) {
    FailingReader failing(reader, faults_);
    return function(failing);
  });
}

base::Result<void> FailingCatalog::write_transaction(
    const std::function<base::Result<void>(content::CatalogWriter&)>& function) {
  if (faults_.strikes(FaultPoint::before_transaction, "write")) return faults_.error();
  auto done = inner_.write_transaction([&](content::CatalogWriter& writer) {
    FailingWriter failing(writer, faults_);
    return function(failing);
  });
  if (done && faults_.strikes(FaultPoint::after_commit, "write")) return faults_.error();
  return done;
}

}  // namespace quire::test_support
