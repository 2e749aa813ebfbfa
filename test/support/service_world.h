#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/download_session/download_sessions.h"
#include "service/library/items.h"
#include "service/library/libraries.h"
#include "service/library/usages.h"
#include "service/subscription/subscribed_libraries.h"
#include "service/subscription/subscriptions.h"
#include "service/subscription/sync_slots.h"
#include "service/task/task_runner.h"
#include "service/update_session/update_sessions.h"
#include "service/upload/pulls.h"
#include "service/upload/uploads.h"
#include "support/catalog_place.h"
#include "support/faults.h"
#include "support/manual_clock.h"
#include "support/scripted_fetcher.h"
#include "support/scripted_remote_subscriber.h"
#include "support/sequential_identities.h"
#include "support/temporary_folder.h"

namespace quire::test_support {

class FailingBlobStore;
class FailingCatalog;

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

struct WorldOptions {
  Engine engine = Engine::Sqlite;
  service::Settings settings = {};
  content::Limits limits = {};
  service::PasswordCost password_cost = service::least_password_cost;
};

/// The services of one server on a catalog and a blob folder of their own, with a clock that a test moves, wired as
/// main does it. Everything else is real.
class ServiceWorld {
 public:
  explicit ServiceWorld(WorldOptions options = {});
  ~ServiceWorld();
  ServiceWorld(const ServiceWorld&) = delete;
  ServiceWorld& operator=(const ServiceWorld&) = delete;

  /// The server stops and starts again. With `faults`, catalog and blob store fail as they say; they must live until
  /// the next restart.
  void restart(Faults* faults = nullptr);

  /// A restart without what a server does first: the orphan sweep and the extension of sessions.
  void wire_faults(Faults* faults);

  /// What a read transaction finds, past any faults.
  template <class F>
  auto look(F f) {
    using Found = std::invoke_result_t<F&, content::CatalogReader&>;
    auto found = catalog_->read([&](content::CatalogReader& reader) -> base::Result<Found> { return f(reader); });
    if (!found) throw std::runtime_error(found.error().text() + " " + found.error().cause());
    return *std::move(found);
  }
  /// Changes rows behind the services' back, past any faults.
  template <class F>
  void change(F f) {
    const auto done = catalog_->write([&](content::CatalogWriter& writer) -> base::Result<void> {
      f(writer);
      return {};
    });
    if (!done) throw std::runtime_error(done.error().text() + " " + done.error().cause());
  }

  /// How many blobs, finished or not, lie in the folders of both storages.
  std::size_t files_on_disk() const { return files_in("store") + files_in("other store"); }
  std::size_t files_in(const std::string& store) const;
  std::set<std::string> blobs_on_disk() const;
  /// The blobs that the catalog knows to lie in the folder.
  std::set<std::string> blobs_in_catalog() { return blobs_known(false); }
  /// The blobs whose bytes the catalog holds itself.
  std::set<std::string> blobs_held_by_catalog() { return blobs_known(true); }

  /// Where the bytes of a committed blob lie.
  std::filesystem::path blob_file(const content::BlobId& id) const {
    return folder_.path() / "store" / "blobs" / id.text().substr(0, 2) / id.text();
  }
  /// Where a storage keeps the library as files.
  std::filesystem::path library_folder(const content::LibraryId& id, const std::string& store = "store") const {
    return folder_.path() / store / ("contentlib-" + id.text());
  }
  /// All bytes of a committed blob, past any faults; nullopt when it cannot be read.
  std::optional<std::string> blob(const content::BlobId& id);
  static std::optional<std::string> read_all(content::BlobReader& reader);

  /// The item's files as name -> bytes; nullopt when there is no such item. Every byte must be readable.
  std::optional<std::map<std::string, std::string>> content_of(const content::ItemId& id);

  static content::StorageId storage_id() { return content::StorageId("datastore-11"); }
  static content::StorageId other_storage_id() { return content::StorageId("datastore-12"); }

  ManualClock& clock() { return clock_; }
  SequentialIdentities& identities() { return identities_; }
  service::Context& context() { return services_->context; }
  service::LoginThrottle& throttle() { return services_->throttle; }
  service::Libraries& libraries() { return services_->libraries; }
  service::Items& items() { return services_->items; }
  service::UpdateSessions& sessions() { return services_->sessions; }
  service::Uploads& uploads() { return services_->uploads; }
  service::Pulls& pulls() { return services_->pulls; }
  ScriptedFetcher& sources() { return sources_; }
  service::DownloadSessions& downloads() { return services_->downloads; }
  service::Usages& usages() { return services_->usages; }
  service::SubscribedLibraries& subscribed() { return services_->subscribed; }
  service::Subscriptions& subscriptions() { return services_->subscriptions; }
  ScriptedRemoteSubscriber& remotes() { return remotes_; }
  service::Tasks& tasks() { return services_->tasks; }
  service::TaskRunner& task_runner() { return services_->task_runner; }
  service::Downloads& download_bytes() { return services_->download_bytes; }

 private:
  std::set<std::string> blobs_known(bool in_catalog);

  struct Wired {
    Wired(content::Catalog& catalog, content::Storages all, base::Clock& clock, service::LeaseClock leases,
          base::IdentitySource& identities, const WorldOptions& options);

    content::Storages storages;
    service::TransferBoard transfers;
    service::Context context;
    service::LoginThrottle throttle;
    service::Libraries libraries{context, throttle};
    service::Items items{context};
    service::UpdateSessions sessions{context};
    service::Uploads uploads{context};
    service::Pulls pulls{context};
    service::Usages usages{context};
    service::Tasks tasks{context};
    service::SyncSlots sync_slots;
    service::TaskRunner task_runner;
    service::SubscribedLibraries subscribed{context};
    service::Subscriptions subscriptions{context, subscribed};
    service::DownloadSessions downloads{context};
    service::Downloads download_bytes{context};
  };

  void wire(Faults* faults);
  void start(Faults* faults);
  void stop();

  WorldOptions options_;
  TemporaryFolder folder_;
  CatalogHome home_;
  ManualClock clock_;
  std::optional<service::LeaseClock> leases_;
  SequentialIdentities identities_;
  ScriptedFetcher sources_;
  ScriptedRemoteSubscriber remotes_;
  Faults* faults_ = nullptr;
  std::unique_ptr<content::Catalog> catalog_;
  std::shared_ptr<content::BlobStore> blobs_;
  std::shared_ptr<content::BlobStore> other_blobs_;
  std::unique_ptr<FailingCatalog> failing_catalog_;
  std::shared_ptr<FailingBlobStore> failing_blobs_;
  std::shared_ptr<FailingBlobStore> failing_other_blobs_;
  std::unique_ptr<Wired> services_;
};

/// Sends `body` in chunks to an upload endpoint. An Error is the refusal or what append or finish said.
base::Result<void> send(ServiceWorld& world, const content::TransferToken& token, std::string_view body,
                        service::BodyEnd end = service::BodyEnd::whole,
                        std::optional<std::int64_t> content_length = std::nullopt, std::size_t chunk = 65536);

/// `com.vmware.…` or `quire.…` of the outermost message; "" on success.
template <class T>
std::string why(const base::Result<T>& result) {
  return result ? "" : result.error().messages().front().id;
}
/// The kind of the error by name; "" on success.
template <class T>
std::string kind(const base::Result<T>& result) {
  return result ? "" : std::string(base::name_of(result.error().kind()));
}

/// Somebody with these privileges on the root and all below it.
content::Caller caller_with(const std::string& user, const content::PrivilegeSet& privileges);
/// Everything about content, but for the places where it lies.
content::Caller content_caller(const std::string& user);
content::Caller alice();
content::Caller bob();
content::Caller administrator();
bool is_administrator(const content::Caller& caller);

service::LibrarySpec library_spec(const std::string& name);
/// On the second storage.
service::LibrarySpec other_library_spec(const std::string& name);
service::ItemSpec item_spec(const content::LibraryId& library, const std::string& name, const std::string& type);
/// A PUSH.
service::AddFileSpec file_spec(const std::string& name, std::optional<std::int64_t> size = std::nullopt,
                               std::optional<base::Checksum> checksum = std::nullopt);

/// A PULL.
service::AddFileSpec pull_spec(const std::string& name, const std::string& url);

/// A world with an item, and the calls that most tests make; what they call must succeed.
class ServiceTest : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (!has_engine(GetParam())) GTEST_SKIP() << "QUIRE_TEST_POSTGRESQL is not set; run under with-postgresql";
    make_world();
  }

  void make_world(const service::Settings& settings = {}, const content::Limits& limits = {}) {
    world_.reset();
    world_ = std::make_unique<ServiceWorld>(WorldOptions{GetParam(), settings, limits});
    library_ = must(world_->libraries().create_local(alice(), library_spec("library"), std::nullopt));
    item_ = new_item("item", "");
  }

  content::ItemId new_item(const std::string& name, const std::string& type) {
    return must(world_->items().create(alice(), item_spec(library_, name, type), std::nullopt));
  }
  content::UpdateSessionId open() { return open(item_); }
  content::UpdateSessionId open(const content::ItemId& item) {
    return must(sessions().create(alice(), item.text(), std::nullopt, std::nullopt));
  }
  content::SessionFile add(const content::UpdateSessionId& id, const std::string& name) {
    return must(sessions().add_file(alice(), id, file_spec(name)));
  }
  content::SessionFile push(const content::UpdateSessionId& id, const std::string& name, std::string_view body) {
    const auto file = add(id, name);
    must(send(*world_, file.upload_token, body));
    return file;
  }
  /// Puts content into the item, in a session of its own that is gone afterwards.
  void fill(const content::ItemId& item, const std::map<std::string, std::string>& files) {
    const auto id = open(item);
    for (const auto& [name, body] : files) push(id, name, body);
    must(sessions().complete(alice(), id));
    must(sessions().remove(alice(), id));
  }
  content::Item item() { return must(world_->items().get(alice(), item_)); }
  std::map<std::string, std::string> content() { return world_->content_of(item_).value(); }
  std::int64_t version_of(const std::string& name) { return must(world_->items().file(alice(), item_, name)).version; }
  content::UpdateSession session(const content::UpdateSessionId& id) {
    return must(sessions().get(alice(), id)).session;
  }
  content::SessionFile file(const content::UpdateSessionId& id, const std::string& name) {
    return must(sessions().file(alice(), id, name));
  }
  std::vector<std::string> names(const content::UpdateSessionId& id) {
    std::vector<std::string> all;
    for (const auto& entry : must(sessions().files(alice(), id))) all.push_back(entry.name);
    return all;
  }

  service::UpdateSessions& sessions() { return world_->sessions(); }
  std::size_t files_on_disk() const { return world_->files_on_disk(); }
  void advance(base::Duration by) { world_->clock().advance(by); }

  template <class T>
  static T must(base::Result<T> result) {
    if (!result) throw std::runtime_error("refused: " + result.error().text() + " " + result.error().cause());
    return *std::move(result);
  }
  static void must(const base::Result<void>& result) {
    if (!result) throw std::runtime_error("refused: " + result.error().text() + " " + result.error().cause());
  }

  std::unique_ptr<ServiceWorld> world_;
  content::LibraryId library_;
  content::ItemId item_;
};

}  // namespace quire::test_support
