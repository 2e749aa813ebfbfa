#pragma once

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/hex.h"
#include "base/identity.h"
#include "content/catalog.h"
#include "service/access/catalog_authenticator.h"
#include "service/access/passwords.h"
#include "service/services.h"
#include "wire/soap/vim_inventory_fixture.h"

/// For tests of the SOAP façade: real logins over a catalog that knows nothing but users and logins.
namespace quire::wire {

[[noreturn]] inline void not_for_logins() { std::abort(); }

class LoginsOnly final : public content::CatalogWriter {
 public:
  void find_row(const content::FindAnyRow& request) override {
    if (const auto* user = std::get_if<content::FindRow<content::User>>(&request))
      find(users_, base::to_lower(user->key), user->found);
    else if (const auto* login = std::get_if<content::FindRow<content::LoginSession>>(&request))
      find(logins_, login->key, login->found);
    else
      not_for_logins();
  }
  void insert_row(const content::WriteAnyRow& request) override {
    if (const auto* event = std::get_if<content::WriteRow<content::Event>>(&request)) {
      events.push_back(event->row);
      return;
    }
    const auto& login = std::get<content::WriteRow<content::LoginSession>>(request).row;
    logins_[login.id] = login;
  }
  void put_row(const content::WriteAnyRow& request) override {
    const auto& user = std::get<content::WriteRow<content::User>>(request).row;
    users_[base::to_lower(user.name)] = user;
  }
  void remove_row(const content::RemoveAnyRow& request) override {
    logins_.erase(std::get<content::RemoveRow<content::LoginSession>>(request).key);
  }
  std::size_t login_count() override { return logins_.size(); }
  std::vector<content::GrantedRole> granted_roles(std::string_view, std::span<const std::string>) override {
    return {{{"admin@cls.local", content::PrincipalType::USER, {}, content::administrator_role},
             content::PrivilegeSet::all()}};
  }
  void touch_login(const content::LoginId& id, base::Time now) override {
    if (const auto found = logins_.find(id); found != logins_.end()) found->second.last_accessed = now;
  }

  std::vector<content::TrustedCertificate> trusted_certificates() override { not_for_logins(); }
  bool has_quotas() override { not_for_logins(); }
  std::vector<content::Quota> quotas(content::QuotaKind) override { not_for_logins(); }
  content::QuotaUse use_of(const content::QuotaOwner&) override { not_for_logins(); }
  std::vector<content::ExceededQuota> exceeded_quotas() override { return {}; }
  std::vector<content::Webhook> webhooks() override { not_for_logins(); }
  std::size_t webhook_delivery_count(content::DeliveryState) override { not_for_logins(); }
  std::vector<content::LoginSession> api_tokens(std::string_view) override { not_for_logins(); }
  void remove_api_tokens_of(std::string_view) override { not_for_logins(); }
  std::vector<content::Contradiction> contradictions(std::size_t) override { not_for_logins(); }
  std::size_t repair_contradictions() override { not_for_logins(); }
  std::vector<content::User> users() override { not_for_logins(); }
  std::vector<content::Group> groups() override { not_for_logins(); }
  std::vector<std::string> groups_of(std::string_view) override { not_for_logins(); }
  std::vector<content::Role> roles() override { return {}; }
  std::optional<content::Role> role_named(std::string_view) override { not_for_logins(); }
  std::vector<content::Permission> permissions(const content::PermissionFilter&) override { not_for_logins(); }
  std::vector<content::LibraryId> libraries(const content::LibraryFilter&) override { not_for_logins(); }
  std::optional<content::ItemId> item_named(const content::LibraryId&, std::string_view) override { not_for_logins(); }
  std::vector<content::ItemId> items(const content::ItemFilter&) override { not_for_logins(); }
  std::optional<std::vector<std::byte>> blob_bytes(const content::BlobId&) override { not_for_logins(); }
  bool library_has_blob(const content::LibraryId&, const content::BlobId&) override { not_for_logins(); }
  std::optional<content::Blob> blob_with(const content::StorageId&, std::string_view, std::int64_t) override {
    not_for_logins();
  }
  std::vector<content::Blob> blobs_after(const content::StorageId&, const content::BlobId&, std::size_t) override {
    not_for_logins();
  }
  std::vector<content::Blob> blobs_elsewhere(const content::ItemId&, const content::StorageId&) override {
    not_for_logins();
  }
  bool is_prepared_direct(const content::BlobId&) override { not_for_logins(); }
  std::optional<content::UpdateSession> active_update_session(const content::ItemId&) override { not_for_logins(); }
  std::vector<content::UpdateSessionId> update_sessions(std::string_view,
                                                        const std::optional<content::ItemId>&) override {
    not_for_logins();
  }
  std::size_t update_session_count(content::UpdateSessionState) override { not_for_logins(); }
  std::vector<content::UpdateSessionId> expired_update_sessions(base::Time, std::size_t) override { not_for_logins(); }
  std::vector<content::UpdateSessionId> ended_update_sessions(base::Time, std::size_t) override { not_for_logins(); }
  std::vector<content::UpdateSessionId> active_update_sessions_after(const content::UpdateSessionId&,
                                                                     std::size_t) override {
    not_for_logins();
  }
  std::vector<content::UpdateSessionId> idle_pull_sessions(base::Time, std::size_t) override { not_for_logins(); }
  std::vector<content::TaskId> tasks(std::string_view, std::size_t) override { not_for_logins(); }
  std::vector<content::TaskId> due_tasks(base::Time, std::size_t) override { not_for_logins(); }
  std::vector<content::TaskId> ended_tasks(base::Time, std::size_t) override { not_for_logins(); }
  std::size_t active_task_count() override { not_for_logins(); }
  content::SyncedItemCounts synced_item_counts(const content::LibraryId&) override { not_for_logins(); }
  std::vector<content::ItemId> items_with_problem(const content::LibraryId&, std::size_t) override { not_for_logins(); }
  std::vector<content::Task> active_tasks_on(std::string_view) override { not_for_logins(); }
  std::vector<std::pair<content::UpdateSessionId, std::string>> pending_pulls(std::size_t) override {
    not_for_logins();
  }
  std::optional<std::pair<content::UpdateSessionId, content::SessionFile>> session_file_of(
      const content::TransferToken&) override {
    not_for_logins();
  }
  std::optional<content::DownloadSession> download_session_of(const content::TransferToken&) override {
    not_for_logins();
  }
  std::vector<content::DownloadSessionId> download_sessions(std::string_view,
                                                            const std::optional<content::ItemId>&) override {
    not_for_logins();
  }
  std::size_t download_session_count() override { not_for_logins(); }
  std::vector<content::DownloadSessionId> expired_download_sessions(base::Time, std::size_t) override {
    not_for_logins();
  }
  void list_parts(const content::ListAnyParts&) override { not_for_logins(); }
  void remove_logins(base::Time, base::Time) override { not_for_logins(); }
  void remove_logins_of(std::string_view, const content::LoginId&) override { not_for_logins(); }
  void remove_memberships(std::string_view) override { not_for_logins(); }
  void remove_permissions(const content::PermissionFilter&) override { not_for_logins(); }
  void remove_client_tokens(base::Time) override { not_for_logins(); }
  std::vector<content::BlobId> remove_content_if_unused(const content::ContentId&) override { not_for_logins(); }
  void insert_blob(const content::Blob&, std::span<const std::byte>) override { not_for_logins(); }
  void advance_generation(const content::LibraryId&) override { not_for_logins(); }
  void move_blob_to_storage(const content::BlobId&) override { not_for_logins(); }
  void replace_blob(const content::ItemId&, const content::BlobId&, const content::BlobId&) override {
    not_for_logins();
  }
  std::vector<content::Blob> remove_unreferenced_blobs(std::span<const content::BlobId>) override { not_for_logins(); }
  void remove_attachments_of_tag(const content::TagId&) override { not_for_logins(); }
  void remove_attachments_of_object(std::string_view, std::string_view) override { not_for_logins(); }
  void restart_leases(base::Time, const content::TimeBounds&, const content::TimeBounds&) override { not_for_logins(); }
  std::vector<content::TagCategory> tag_categories() override { not_for_logins(); }
  std::optional<content::TagCategory> tag_category_named(std::string_view) override { not_for_logins(); }
  std::vector<content::Tag> tags(const std::optional<content::TagCategoryId>&) override { not_for_logins(); }
  std::optional<content::Tag> tag_named(const content::TagCategoryId&, std::string_view) override { not_for_logins(); }
  std::vector<content::TagAttachment> attachments_of_tag(const content::TagId&) override { not_for_logins(); }
  std::vector<content::TagAttachment> attachments_of_object(std::string_view, std::string_view) override {
    not_for_logins();
  }
  std::vector<content::Event> events_after(std::int64_t, std::size_t) override { not_for_logins(); }
  std::vector<content::Event> events_before(std::int64_t, std::size_t) override { not_for_logins(); }
  std::size_t remove_events(base::Time, std::size_t) override { not_for_logins(); }
  void update_row(const content::WriteAnyRow&) override { not_for_logins(); }

  std::vector<content::Event> events;  ///< of logins

 private:
  template <class Row>
  static void find(const auto& rows, const auto& key, std::optional<Row>& found) {
    if (const auto row = rows.find(key); row != rows.end()) found = row->second;
  }

  std::map<std::string, content::User> users_;
  std::map<content::LoginId, content::LoginSession> logins_;
};

class LoginsOnlyCatalog final : public content::Catalog {
 public:
  base::Result<void> read_transaction(
      const std::function<base::Result<void>(content::CatalogReader&)>& function) override {
    return write_transaction(function);
  }
  base::Result<void> write_transaction(
      const std::function<base::Result<void>(content::CatalogWriter&)>& function) override {
    const std::lock_guard lock(mutex_);
    if (broken) return base::internal_error("the database is gone");
    return function(rows_);
  }

  bool broken = false;

 private:
  std::mutex mutex_;
  LoginsOnly rows_;
};

class SetClock final : public base::Clock {
 public:
  base::Time now() const override { return time; }
  base::Duration uptime() const override { return time.time_since_epoch(); }
  base::Time time = *base::parse_time("2026-11-24T04:00:00.000Z");
};

/// 0…01, 0…02, and so on.
class CountingIdentities final : public base::IdentitySource {
 public:
  std::string uuid() override { return "00000000-0000-0000-0000-" + counted().substr(20); }
  std::string uuid_made_at(base::Time) override { return uuid(); }
  std::string secret() override { return counted(); }
  std::uint64_t number() override { return 4; }

 private:
  std::string counted() {
    std::string digits = std::to_string(++count_);
    return std::string(32 - digits.size(), '0') + digits;
  }
  int count_ = 0;
};

/// Everything a façade needs, with the user admin@cls.local, password s3cret, and two storages.
struct SoapWorld {
  LoginsOnlyCatalog catalog;
  SetClock clock;
  CountingIdentities identities;
  content::Storages storages{
      {storage_of("datastore-11", "LocalDS_0", content::BlobStore::Space{1'000'000'000'000, 400'000'000'000}),
       storage_of("datastore-12", "R&D <\"disks\">", std::nullopt)}};
  service::TransferBoard transfers;
  service::Context context{catalog,
                           storages,
                           clock,
                           service::LeaseClock(clock),
                           identities,
                           transfers,
                           {.password_cost = service::least_password_cost},
                           {}};
  service::CatalogAuthenticator authenticator{context};
  service::Logins logins{context, authenticator, {}};
  service::Services services{context, logins, "11111111-2222-3333-4444-555555555555", {}};

  SoapWorld() {
    const auto made = catalog.write([](content::CatalogWriter& writer) -> base::Result<void> {
      QUIRE_ASSIGN_OR_RETURN(const auto hash, service::hash_of_password("s3cret", service::least_password_cost));
      writer.put(content::User{"admin@cls.local", hash});
      return {};
    });
    if (!made) std::abort();
  }
};

}  // namespace quire::wire
