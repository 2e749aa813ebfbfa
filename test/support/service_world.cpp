#include "support/service_world.h"

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "adapters/files/file_blob_store.h"
#include "adapters/files/file_library_folders.h"
#include "service/library/item_copy.h"
#include "service/library/library_migration.h"
#include "service/subscription/synchronizations.h"
#include "support/failing_blob_store.h"
#include "support/failing_catalog.h"
#include "work/orphan_sweep.h"

namespace quire::test_support {

ServiceWorld::ServiceWorld(WorldOptions options)
    : options_(std::move(options)), folder_(fast_folder()), home_(options_.engine, folder_.path()) {
  options_.settings.password_cost = options_.password_cost;
  start(nullptr);
}
ServiceWorld::~ServiceWorld() { stop(); }

void ServiceWorld::restart(Faults* faults) {
  // What a dead process was writing is cleaned up by the start, not by destructors.
  const auto blobs = blobs_;
  const auto other_blobs = other_blobs_;
  const auto failing_blobs = failing_blobs_;
  const auto failing_other_blobs = failing_other_blobs_;
  stop();
  start(faults);
}

void ServiceWorld::wire_faults(Faults* faults) {
  const bool dead = faults_ != nullptr && faults_->crashed();
  if (dead) throw std::logic_error("a dead server needs a restart");
  services_.reset();
  wire(faults);
}

std::size_t ServiceWorld::files_in(const std::string& store) const {
  std::size_t count = 0;
  for (const auto* place : {"blobs", "incoming"}) {
    const auto root = folder_.path() / store / place;
    if (!std::filesystem::exists(root)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
      count += entry.is_regular_file() ? 1 : 0;
  }
  return count;
}

std::set<std::string> ServiceWorld::blobs_on_disk() const {
  std::set<std::string> ids;
  for (const auto& blobs : {blobs_, other_blobs_}) {
    const auto listed = blobs->list([&](const content::BlobId& id) { ids.insert(id.text()); });
    if (!listed) throw std::runtime_error(listed.error().cause());
  }
  return ids;
}

std::optional<std::string> ServiceWorld::blob(const content::BlobId& id) {
  const auto held = look([&](content::CatalogReader& reader) { return reader.blob_bytes(id); });
  if (held) return std::string(reinterpret_cast<const char*>(held->data()), held->size());
  for (const auto& blobs : {blobs_, other_blobs_})
    if (const auto reader = blobs->open(id)) return read_all(**reader);
  return std::nullopt;
}

std::optional<std::string> ServiceWorld::read_all(content::BlobReader& reader) {
  std::string all(static_cast<std::size_t>(reader.size()), '\0');
  std::size_t filled = 0;
  while (filled < all.size()) {
    const auto got =
        reader.read(static_cast<std::int64_t>(filled), std::as_writable_bytes(std::span(all)).subspan(filled));
    if (!got || *got == 0) return std::nullopt;
    filled += *got;
  }
  return all;
}

std::optional<std::map<std::string, std::string>> ServiceWorld::content_of(const content::ItemId& id) {
  const auto files = look([&](content::CatalogReader& reader) -> std::optional<std::vector<content::ContentFile>> {
    const auto item = reader.find<content::Item>(id);
    if (!item) return std::nullopt;
    return reader.list<content::ContentFile>(item->content);
  });
  if (!files) return std::nullopt;
  std::map<std::string, std::string> all;
  for (const auto& file : *files) {
    auto bytes = blob(file.blob);
    if (!bytes) throw std::runtime_error("the bytes of " + file.name + " are gone");
    all.emplace(file.name, *std::move(bytes));
  }
  return all;
}

std::set<std::string> ServiceWorld::blobs_known(bool in_catalog) {
  return look([&](content::CatalogReader& reader) {
    std::set<std::string> ids;
    for (const auto& storage : {storage_id(), other_storage_id()})
      for (const auto& blob : reader.blobs_after(storage, content::BlobId(), 100'000))
        if (blob.in_catalog == in_catalog) ids.insert(blob.id.text());
    return ids;
  });
}

ServiceWorld::Wired::Wired(content::Catalog& catalog, content::Storages all, base::Clock& clock,
                           service::LeaseClock leases, base::IdentitySource& identities, const WorldOptions& options)
    : storages(std::move(all)),
      context{catalog, storages, clock, leases, identities, transfers, options.settings, options.limits},
      task_runner(context, [this] {
        auto kinds = service::synchronization_tasks(sync_slots, 1);
        kinds.push_back(service::item_copy_tasks());
        kinds.push_back(service::library_migration_tasks());
        kinds.push_back(service::publish_tasks());
        return kinds;
      }()) {}

void ServiceWorld::wire(Faults* faults) {
  faults_ = faults;
  content::Catalog* catalog = catalog_.get();
  std::shared_ptr<content::BlobStore> blobs = blobs_;
  std::shared_ptr<content::BlobStore> other_blobs = other_blobs_;
  failing_catalog_.reset();
  failing_blobs_.reset();
  failing_other_blobs_.reset();
  if (faults != nullptr) {
    failing_catalog_ = std::make_unique<FailingCatalog>(*catalog_, *faults);
    catalog = failing_catalog_.get();
    failing_blobs_ = std::make_shared<FailingBlobStore>(*blobs_, *faults);
    blobs = failing_blobs_;
    failing_other_blobs_ = std::make_shared<FailingBlobStore>(*other_blobs_, *faults);
    other_blobs = failing_other_blobs_;
  }
  const auto storage = [&](const content::StorageId& id, const std::string& name, const std::string& uuid,
                           const std::string& store, const std::shared_ptr<content::BlobStore>& bytes) {
    const auto root = folder_.path() / store;
    return content::Storage{id,    name,
                            uuid,  adapters::files::file_uri(root),
                            bytes, adapters::files::make_file_library_folders(root, name, bytes)};
  };
  services_ = std::make_unique<Wired>(
      *catalog,
      content::Storages({storage(storage_id(), "LocalDS_0", "uuid", "store", blobs),
                         storage(other_storage_id(), "LocalDS_1", "other uuid", "other store", other_blobs)}),
      clock_, *leases_, identities_, options_);
  services_->context.fetcher = &sources_;
  services_->context.remote_subscriber = &remotes_;
}

void ServiceWorld::start(Faults* faults) {
  catalog_ = home_.open();
  auto leases = service::open_lease_clock(*catalog_, clock_);
  if (!leases) throw std::runtime_error(leases.error().text());
  leases_ = *leases;
  auto blobs = adapters::files::open_file_blob_store(folder_.path() / "store", {"LocalDS_0", false});
  auto other = adapters::files::open_file_blob_store(folder_.path() / "other store", {"LocalDS_1", false});
  if (!blobs) throw std::runtime_error(blobs.error().text());
  if (!other) throw std::runtime_error(other.error().text());
  blobs_ = *std::move(blobs);
  other_blobs_ = *std::move(other);
  wire(nullptr);
  if (auto swept = work::sweep_orphans(context()); !swept) throw std::runtime_error(swept.error().cause());
  if (auto extended = sessions().extend_after_start(); !extended) throw std::runtime_error(extended.error().cause());
  if (auto released = task_runner().release_claims(); !released) throw std::runtime_error(released.error().cause());
  if (faults != nullptr) wire(faults);
}

void ServiceWorld::stop() {
  services_.reset();
  failing_catalog_.reset();
  failing_blobs_.reset();
  failing_other_blobs_.reset();
  blobs_.reset();
  other_blobs_.reset();
  catalog_.reset();
  faults_ = nullptr;
}

base::Result<void> send(ServiceWorld& world, const content::TransferToken& token, std::string_view body,
                        service::BodyEnd end, std::optional<std::int64_t> content_length, std::size_t chunk) {
  auto begun = world.uploads().begin(token, service::UploadRequest::whole(content_length), [] {});
  if (!begun.upload) return begun.refusal->error;
  for (std::size_t at = 0; at < body.size(); at += chunk)
    if (auto taken = begun.upload->append(bytes_of(body.substr(at, chunk))); !taken) return taken;
  const auto finished = begun.upload->finish(end);
  return finished ? base::Result<void>() : finished.error();
}

content::Caller caller_with(const std::string& user, const content::PrivilegeSet& privileges) {
  return {user, content::LoginId("login-of-" + user),
          std::make_shared<const content::Grants>(
              std::vector<content::GrantedRole>{{{user, content::PrincipalType::USER, {}, 0}, privileges}})};
}

content::Caller content_caller(const std::string& user) {
  auto privileges = content::find_system_role(content::content_library_administrator_role)->privileges;
  privileges.remove(content::Privilege::ContentLibrary_ReadStorage);
  return caller_with(user, privileges);
}

content::Caller alice() {
  static const auto caller = content_caller("alice@vsphere.local");
  return caller;
}

content::Caller bob() {
  static const auto caller = content_caller("bob@vsphere.local");
  return caller;
}

content::Caller administrator() {
  static const auto caller = caller_with("administrator@vsphere.local", content::PrivilegeSet::all());
  return caller;
}

bool is_administrator(const content::Caller& caller) {
  return caller.grants->on_root() == content::PrivilegeSet::all();
}

service::LibrarySpec library_spec(const std::string& name) {
  service::LibrarySpec spec;
  spec.name = name;
  return spec;
}

service::LibrarySpec other_library_spec(const std::string& name) {
  auto spec = library_spec(name);
  spec.storage_backings = {{content::StorageBackingType::DATASTORE, ServiceWorld::other_storage_id().text(), {}}};
  return spec;
}

service::ItemSpec item_spec(const content::LibraryId& library, const std::string& name, const std::string& type) {
  service::ItemSpec spec;
  spec.library_id = library.text();
  spec.name = name;
  spec.type = type;
  return spec;
}

service::AddFileSpec file_spec(const std::string& name, std::optional<std::int64_t> size,
                               std::optional<base::Checksum> checksum) {
  service::AddFileSpec spec;
  spec.name = name;
  spec.size = size;
  spec.checksum = std::move(checksum);
  return spec;
}

service::AddFileSpec pull_spec(const std::string& name, const std::string& url) {
  service::AddFileSpec spec;
  spec.name = name;
  spec.source_type = content::SourceType::PULL;
  spec.source_endpoint = content::SourceEndpoint{url, {}, {}};
  return spec;
}

}  // namespace quire::test_support
