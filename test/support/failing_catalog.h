#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "content/catalog.h"
#include "support/faults.h"

namespace quire::test_support {

/// Forwards every operation of a transaction, each a fault point; a fault is a CatalogFailure.
/// `View` is content::CatalogReader or content::CatalogWriter.
template <class View>
class FailingView : public View {
 public:
  FailingView(View& inner, Faults& faults) : inner_(inner), faults_(faults) {}

  std::optional<std::string> setting(std::string_view name) override {
    pass("setting");
    return inner_.setting(name);
  }
  std::optional<content::User> user(std::string_view name) override {
    pass("user");
    return inner_.user(name);
  }
  std::optional<content::LoginSession> login(const content::LoginId& id) override {
    pass("login");
    return inner_.login(id);
  }
  std::size_t login_count() override {
    pass("login_count");
    return inner_.login_count();
  }
  std::optional<content::ClientToken> client_token(std::string_view user, std::string_view operation,
                                                   std::string_view token) override {
    pass("client_token");
    return inner_.client_token(user, operation, token);
  }
  std::optional<content::Library> library(const content::LibraryId& id) override {
    pass("library");
    return inner_.library(id);
  }
  std::vector<content::LibraryId> libraries(const content::LibraryFilter& filter) override {
    pass("libraries");
    return inner_.libraries(filter);
  }
  std::optional<content::Item> item(const content::ItemId& id) override {
    pass("item");
    return inner_.item(id);
  }
  std::optional<content::ItemId> item_named(const content::LibraryId& library, std::string_view name) override {
    pass("item_named");
    return inner_.item_named(library, name);
  }
  std::vector<content::ItemId> items(const content::ItemFilter& filter) override {
    pass("items");
    return inner_.items(filter);
  }
  std::vector<content::ContentFile> content_files(const content::ContentId& id) override {
    pass("content_files");
    return inner_.content_files(id);
  }
  std::optional<content::ContentFile> content_file(const content::ContentId& id, std::string_view name) override {
    pass("content_file");
    return inner_.content_file(id, name);
  }
  std::vector<content::Change> changes(const content::ItemId& id) override {
    pass("changes");
    return inner_.changes(id);
  }
  std::optional<content::Blob> blob(const content::BlobId& id) override {
    pass("blob");
    return inner_.blob(id);
  }
  std::optional<std::vector<std::byte>> blob_bytes(const content::BlobId& id) override {
    pass("blob_bytes");
    return inner_.blob_bytes(id);
  }
  std::optional<content::Blob> blob_with(const content::StorageId& storage, std::string_view sha256,
                                         std::int64_t size) override {
    pass("blob_with");
    return inner_.blob_with(storage, sha256, size);
  }
  std::vector<content::Blob> blobs_after(const content::StorageId& storage, const content::BlobId& after,
                                         std::size_t limit) override {
    pass("blobs_after");
    return inner_.blobs_after(storage, after, limit);
  }
  std::optional<content::UpdateSession> update_session(const content::UpdateSessionId& id) override {
    pass("update_session");
    return inner_.update_session(id);
  }
  std::optional<content::UpdateSession> active_update_session(const content::ItemId& item) override {
    pass("active_update_session");
    return inner_.active_update_session(item);
  }
  std::vector<content::UpdateSessionId> update_sessions(std::string_view user,
                                                        const std::optional<content::ItemId>& item) override {
    pass("update_sessions");
    return inner_.update_sessions(user, item);
  }
  std::size_t active_update_session_count() override {
    pass("active_update_session_count");
    return inner_.active_update_session_count();
  }
  std::vector<content::UpdateSessionId> expired_update_sessions(base::Time now, std::size_t limit) override {
    pass("expired_update_sessions");
    return inner_.expired_update_sessions(now, limit);
  }
  std::vector<content::UpdateSessionId> idle_pull_sessions(base::Time before, std::size_t limit) override {
    pass("idle_pull_sessions");
    return inner_.idle_pull_sessions(before, limit);
  }
  std::vector<std::pair<content::UpdateSessionId, std::string>> pending_pulls(std::size_t limit) override {
    pass("pending_pulls");
    return inner_.pending_pulls(limit);
  }
  std::vector<content::UpdateSessionId> ended_update_sessions(base::Time before, std::size_t limit) override {
    pass("ended_update_sessions");
    return inner_.ended_update_sessions(before, limit);
  }
  std::vector<content::UpdateSessionId> active_update_sessions_after(const content::UpdateSessionId& after,
                                                                     std::size_t limit) override {
    pass("active_update_sessions_after");
    return inner_.active_update_sessions_after(after, limit);
  }
  std::vector<content::SessionFile> session_files(const content::UpdateSessionId& id) override {
    pass("session_files");
    return inner_.session_files(id);
  }
  std::optional<content::SessionFile> session_file(const content::UpdateSessionId& id, std::string_view name) override {
    pass("session_file");
    return inner_.session_file(id, name);
  }
  std::optional<std::pair<content::UpdateSessionId, content::SessionFile>> session_file_of(
      const content::TransferToken& token) override {
    pass("session_file_of");
    return inner_.session_file_of(token);
  }
  std::optional<content::DownloadSession> download_session(const content::DownloadSessionId& id) override {
    pass("download_session");
    return inner_.download_session(id);
  }
  std::optional<content::DownloadSession> download_session_of(const content::TransferToken& token) override {
    pass("download_session_of");
    return inner_.download_session_of(token);
  }
  std::vector<content::DownloadSessionId> download_sessions(std::string_view user,
                                                            const std::optional<content::ItemId>& item) override {
    pass("download_sessions");
    return inner_.download_sessions(user, item);
  }
  std::size_t download_session_count() override {
    pass("download_session_count");
    return inner_.download_session_count();
  }
  std::vector<content::DownloadSessionId> expired_download_sessions(base::Time now, std::size_t limit) override {
    pass("expired_download_sessions");
    return inner_.expired_download_sessions(now, limit);
  }
  std::optional<content::DownloadAccess> prepared(const content::DownloadSessionId& id,
                                                  std::string_view file_name) override {
    pass("prepared");
    return inner_.prepared(id, file_name);
  }

 protected:
  void pass(std::string_view operation) {
    if (faults_.strikes(FaultPoint::in_transaction, operation)) throw content::CatalogFailure(faults_.error());
  }

  View& inner_;

 private:
  Faults& faults_;
};

using FailingReader = FailingView<content::CatalogReader>;

class FailingWriter final : public FailingView<content::CatalogWriter> {
 public:
  using FailingView::FailingView;

  void put_setting(std::string_view name, std::string_view value) override {
    pass("put_setting");
    inner_.put_setting(name, value);
  }
  void put_user(const content::User& user) override {
    pass("put_user");
    inner_.put_user(user);
  }
  void insert_login(const content::LoginSession& login) override {
    pass("insert_login");
    inner_.insert_login(login);
  }
  void touch_login(const content::LoginId& id, base::Time now) override {
    pass("touch_login");
    inner_.touch_login(id, now);
  }
  void remove_login(const content::LoginId& id) override {
    pass("remove_login");
    inner_.remove_login(id);
  }
  void remove_logins(base::Time accessed_before, base::Time created_before) override {
    pass("remove_logins");
    inner_.remove_logins(accessed_before, created_before);
  }
  void insert_client_token(const content::ClientToken& token) override {
    pass("insert_client_token");
    inner_.insert_client_token(token);
  }
  void remove_client_tokens(base::Time created_before) override {
    pass("remove_client_tokens");
    inner_.remove_client_tokens(created_before);
  }
  void insert_library(const content::Library& library) override {
    pass("insert_library");
    inner_.insert_library(library);
  }
  void update_library(const content::Library& library) override {
    pass("update_library");
    inner_.update_library(library);
  }
  void remove_library(const content::LibraryId& id) override {
    pass("remove_library");
    inner_.remove_library(id);
  }
  void insert_item(const content::Item& item) override {
    pass("insert_item");
    inner_.insert_item(item);
  }
  void update_item(const content::Item& item) override {
    pass("update_item");
    inner_.update_item(item);
  }
  void remove_item(const content::ItemId& id) override {
    pass("remove_item");
    inner_.remove_item(id);
  }
  void insert_content(const content::Content& content) override {
    pass("insert_content");
    inner_.insert_content(content);
  }
  void insert_content_file(const content::ContentId& id, const content::ContentFile& file) override {
    pass("insert_content_file");
    inner_.insert_content_file(id, file);
  }
  std::vector<content::BlobId> remove_content_if_unused(const content::ContentId& id) override {
    pass("remove_content_if_unused");
    return inner_.remove_content_if_unused(id);
  }
  void insert_change(const content::Change& change) override {
    pass("insert_change");
    inner_.insert_change(change);
  }
  void insert_blob(const content::Blob& blob, std::span<const std::byte> bytes) override {
    pass("insert_blob");
    inner_.insert_blob(blob, bytes);
  }
  void move_blob_to_storage(const content::BlobId& id) override {
    pass("move_blob_to_storage");
    inner_.move_blob_to_storage(id);
  }
  std::vector<content::Blob> remove_unreferenced_blobs(std::span<const content::BlobId> candidates) override {
    pass("remove_unreferenced_blobs");
    return inner_.remove_unreferenced_blobs(candidates);
  }
  void insert_update_session(const content::UpdateSession& session) override {
    pass("insert_update_session");
    inner_.insert_update_session(session);
  }
  void update_update_session(const content::UpdateSession& session) override {
    pass("update_update_session");
    inner_.update_update_session(session);
  }
  void remove_update_session(const content::UpdateSessionId& id) override {
    pass("remove_update_session");
    inner_.remove_update_session(id);
  }
  void restart_leases(base::Time now, base::Time at_least, base::Time at_most) override {
    pass("restart_leases");
    inner_.restart_leases(now, at_least, at_most);
  }
  void put_session_file(const content::UpdateSessionId& id, const content::SessionFile& file) override {
    pass("put_session_file");
    inner_.put_session_file(id, file);
  }
  void remove_session_file(const content::UpdateSessionId& id, std::string_view name) override {
    pass("remove_session_file");
    inner_.remove_session_file(id, name);
  }
  void insert_download_session(const content::DownloadSession& session) override {
    pass("insert_download_session");
    inner_.insert_download_session(session);
  }
  void update_download_session(const content::DownloadSession& session) override {
    pass("update_download_session");
    inner_.update_download_session(session);
  }
  void remove_download_session(const content::DownloadSessionId& id) override {
    pass("remove_download_session");
    inner_.remove_download_session(id);
  }
  void put_prepared(const content::DownloadSessionId& id, std::string_view file_name,
                    content::DownloadAccess access) override {
    pass("put_prepared");
    inner_.put_prepared(id, file_name, access);
  }
};

/// A catalog whose transactions and their operations fail as `faults` says. `inner` and `faults` must outlive it.
class FailingCatalog final : public content::Catalog {
 public:
  FailingCatalog(content::Catalog& inner, Faults& faults) : inner_(inner), faults_(faults) {}

  base::Result<void> read_transaction(
      const std::function<base::Result<void>(content::CatalogReader&)>& function) override {
    if (faults_.strikes(FaultPoint::before_transaction, "read")) return faults_.error();
    return inner_.read_transaction([&](content::CatalogReader& reader) {
      FailingReader failing(reader, faults_);
      return function(failing);
    });
  }

  base::Result<void> write_transaction(
      const std::function<base::Result<void>(content::CatalogWriter&)>& function) override {
    if (faults_.strikes(FaultPoint::before_transaction, "write")) return faults_.error();
    auto done = inner_.write_transaction([&](content::CatalogWriter& writer) {
      FailingWriter failing(writer, faults_);
      return function(failing);
    });
    if (done && faults_.strikes(FaultPoint::after_commit, "write")) return faults_.error();
    return done;
  }

 private:
  content::Catalog& inner_;
  Faults& faults_;
};

}  // namespace quire::test_support
