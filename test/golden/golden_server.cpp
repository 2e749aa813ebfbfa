#include "golden/golden_server.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "adapters/files/file_blob_store.h"
#include "adapters/sql/sql_catalog.h"
#include "service/access/passwords.h"
#include "wire/request/request_target.h"

namespace quire::golden {
namespace {

using base::Result;
using content::BlobId;
using content::BlobStore;
using content::CatalogWriter;

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text() + " " + result.error().cause());
  return *std::move(result);
}

/// Blobs lie where the test runs, but are said to lie at a fixed place with fixed room.
class PlacedBlobStore final : public BlobStore {
 public:
  PlacedBlobStore(std::unique_ptr<BlobStore> blobs, std::string place)
      : blobs_(std::move(blobs)), place_(std::move(place)) {}

  Result<std::unique_ptr<content::BlobWriter>> create(const BlobId& id,
                                                      std::optional<std::int64_t> expected_bytes) override {
    return blobs_->create(id, expected_bytes);
  }
  Result<std::unique_ptr<content::BlobWriter>> resume(const BlobId& id, std::int64_t position) override {
    return blobs_->resume(id, position);
  }
  Result<void> reopen(const BlobId& id) override { return blobs_->reopen(id); }
  Result<std::unique_ptr<content::BlobReader>> open_unfinished(const BlobId& id) override {
    return blobs_->open_unfinished(id);
  }
  Result<std::unique_ptr<content::BlobReader>> open(const BlobId& id) override { return blobs_->open(id); }
  Result<void> remove(const BlobId& id) override { return blobs_->remove(id); }
  Result<void> list(const std::function<void(const BlobId&)>& visit) override { return blobs_->list(visit); }
  Result<void> remove_unfinished(const std::function<bool(const BlobId&)>& keeps) override {
    return blobs_->remove_unfinished(keeps);
  }
  Result<Space> space() override { return Space{1'000'000'000'000, 400'000'000'000}; }
  std::string uri(const BlobId& id) const override {
    return place_ + "/blobs/" + id.text().substr(0, 2) + "/" + id.text();
  }

 private:
  std::unique_ptr<BlobStore> blobs_;
  std::string place_;
};

/// Takes any web address, and sends nothing: nobody runs the deliveries of this world.
class SilentSender final : public content::MessageSender {
 public:
  Result<void> check(const content::SourceUrl& url) const override {
    if (url.is_web()) return {};
    return base::Error(base::ErrorKind::invalid_argument, "quire.webhook.unusable_url",
                       "The URL is not a usable http or https URL without user and password. Check how it is written.");
  }
  content::SendOutcome send(const content::OutgoingMessage&, const std::atomic<bool>&) override { return {}; }
};

/// Below the root of a published library.
struct PublishedFile {
  std::string_view name;
  std::string_view content;
};
constexpr PublishedFile published_library[] = {
    {"lib.json", R"({"vcspVersion":"2","version":"7","contentVersion":"1","name":"published","description":"",
      "id":"urn:uuid:aaaaaaaa-0000-4000-8000-000000000001","created":"2026-01-15T10:00Z",
      "itemType":"vcsp.CatalogItem","itemsHref":"items.json","metadata":[],
      "capabilities":{"transferIn":["httpGet"],"transferOut":["httpGet"],"generateIds":true}})"},
    {"items.json", R"({"itemType":"vcsp.CatalogItem","version":"7","items":[
      {"id":"urn:uuid:aaaaaaaa-0000-4000-8000-000000000002","name":"installer","description":"of the publisher",
       "type":"vcsp.iso","version":"3","contentVersion":"2","created":"2026-01-15T10:00Z","selfHref":"2/item.json",
       "properties":{},"metadata":[],
       "files":[{"name":"installer.iso","size":15,"etag":"4","generationNum":4,"hrefs":["2/installer.iso"]}]}]})"},
    {"2/item.json", R"({"id":"urn:uuid:aaaaaaaa-0000-4000-8000-000000000002","name":"installer",
       "description":"of the publisher","type":"vcsp.iso","version":"3","contentVersion":"2",
       "created":"2026-01-15T10:00Z","selfHref":"2/item.json","properties":{},"metadata":[],
       "files":[{"name":"installer.iso","size":15,"etag":"4","generationNum":4,"hrefs":["2/installer.iso"]}]})"},
    {"2/installer.iso", "published bytes"}};

/// Other servers: one file, one published library, one server that nobody vouches for, and nothing else.
class FixedFetcher final : public content::Fetcher {
 public:
  Result<void> check(const content::FetchRequest& request) const override {
    if (request.url.is_web()) return {};
    return base::Error(base::ErrorKind::invalid_argument, "quire.pull.unusable_url",
                       "The URL is not a usable http or https URL. Check how it is written.");
  }
  content::FetchOutcome fetch(const content::FetchRequest& request, content::FetchSink& sink,
                              const std::atomic<bool>&) override {
    auto outcome = probe(request);
    if (outcome.failure != content::FetchFailure::none) return outcome;
    const auto content = *content_at(request.url);
    outcome.status = 200;
    if (!sink.begin({200, 0, static_cast<std::int64_t>(content.size()), ""}) ||
        !sink.bytes(std::as_bytes(std::span(content))))
      outcome.failure = content::FetchFailure::refused_by_sink;
    return outcome;
  }
  content::FetchOutcome probe(const content::FetchRequest& request) override {
    const auto& place = request.url.shown();
    if (place.starts_with("https://nowhere.example/"))
      return failed(content::FetchFailure::host_not_found, "There is no host nowhere.example.");
    if (!content_at(request.url)) return failed(content::FetchFailure::not_there, "The server answered 404.", 404);
    if (place.starts_with("https://closed.example/") && !request.url.text().starts_with("https://vcsp:letmein@"))
      return failed(content::FetchFailure::unauthorized, "The server answered 401.", 401);
    content::FetchOutcome outcome;
    outcome.presented =
        content::PeerCertificate{"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33", std::string(64, 'A'),
                                 "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"};
    if (place.starts_with("https://unknown.example/") && !request.trust.thumbprint) {
      outcome.failure = content::FetchFailure::certificate;
      outcome.reason = base::make_message("quire.pull.certificate", "The certificate is not trusted.");
    }
    return outcome;
  }

 private:
  static std::optional<std::string_view> content_at(const content::SourceUrl& url) {
    if (url.text() == GoldenServer::pulled_uri || url.text() == GoldenServer::unknown_uri) return "pulled bytes";
    for (const auto library :
         {GoldenServer::published_uri, GoldenServer::closed_published_uri, GoldenServer::unknown_published_uri})
      for (const auto& [name, content] : published_library)
        if (url.shown() == std::string(library.substr(0, library.rfind('/') + 1)).append(name)) return content;
    return std::nullopt;
  }

  static content::FetchOutcome failed(content::FetchFailure failure, std::string reason,
                                      std::optional<int> status = std::nullopt) {
    content::FetchOutcome outcome;
    outcome.failure = failure;
    outcome.status = status;
    outcome.reason = base::make_message("quire.fetch.status", std::move(reason));
    return outcome;
  }
};

content::Storage storage_of(const std::filesystem::path& folder, const std::string& number) {
  const std::string name = "LocalDS_" + number;
  const std::string place = "file:///srv/quire/" + name;
  auto blobs = value_of(adapters::files::open_file_blob_store(folder / name, {name, false}));
  return {content::StorageId("datastore-1" + number), name, "99999999-0000-4000-8000-00000000000" + number, place,
          std::make_shared<PlacedBlobStore>(std::move(blobs), place)};
}

std::vector<content::Storage> storages_in(const std::filesystem::path& folder) {
  return {storage_of(folder, "1"), storage_of(folder, "2")};
}

std::vector<service::TaskKind> task_kinds(service::SyncSlots& slots) {
  auto kinds = service::synchronization_tasks(slots, 1);
  kinds.push_back(service::item_copy_tasks());
  kinds.push_back(service::library_migration_tasks());
  kinds.push_back(service::publish_tasks());
  return kinds;
}

struct Endpoint {
  content::TransferToken token;
  std::string name;
};

/// The parts of `<base_url>/cls/data/<token>/<name>`.
Endpoint endpoint_of(std::string_view uri) {
  const auto path = uri.find("/cls/data/");
  if (path == std::string_view::npos) throw std::runtime_error("no transfer URI: " + std::string(uri));
  const auto target = value_of(wire::parse_target(std::string(uri.substr(path))));
  std::string name;
  for (std::size_t i = 3; i < target.segments.size(); ++i) name += (i == 3 ? "" : "/") + target.segments[i];
  return {content::TransferToken(target.segments.at(2)), name};
}

std::string described(const base::Error& error) {
  return "refused with " + std::string(base::name_of(error.kind())) + ": " + error.text();
}

}  // namespace

GoldenServer::GoldenServer(const CatalogWrapping& wrapping)
    : catalog_(wrapping(value_of(adapters::sql::open_sqlite_catalog(folder_.path() / "catalog.sqlite")))),
      storages_(storages_in(folder_.path())),
      message_sender_(std::make_unique<SilentSender>()),
      fetcher_(std::make_unique<FixedFetcher>()),
      context_{.catalog = *catalog_,
               .storages = storages_,
               .clock = clock_,
               .leases = service::LeaseClock(clock_),
               .identities = identities_,
               .transfers = transfers_,
               .settings = {.password_cost = service::least_password_cost},
               .limits = {},
               .message_sender = message_sender_.get(),
               .fetcher = fetcher_.get(),
               .remote_subscriber = &remotes_},
      authenticator_(context_),
      logins_(context_, authenticator_, {}),
      services_(context_, logins_, std::string(server_guid), clock_.now()),
      task_runner_(context_, task_kinds(sync_slots_)),
      router_(services_) {
  services_.workers = service::Workers([] {
    return std::vector<service::WorkerStatus>{
        {"update session expiry", 12, 0, std::nullopt, std::nullopt},
        {"pull 1", 3, 2, "The server failed. Its log says more.", base::parse_time("2026-02-11T08:04:17.512Z")}};
  });
  if (const auto made = services_.users.make_administrator("administrator@vsphere.local", "secret"); !made)
    throw std::runtime_error(made.error().text());
  add_user("somebody@vsphere.local", {{"", content::PrincipalType::USER, {}, content::contributor_role}});
}

void GoldenServer::give(const std::string& user, const std::vector<Given>& given) {
  value_of(catalog_->write([&](CatalogWriter& writer) -> Result<bool> {
    content::PermissionFilter all;
    all.principal = user;
    writer.remove_permissions(all);
    std::int64_t role = 1'000'000;
    for (const auto& [privileges, library] : given) {
      writer.put(content::Role{++role, "role " + std::to_string(role), privileges});
      writer.put(content::Permission{user, content::PrincipalType::USER, library, role});
    }
    return true;
  }));
}

void GoldenServer::add_user(const std::string& name, std::vector<content::Permission> permissions) {
  const auto hash = value_of(service::hash_of_password("secret", service::least_password_cost));
  value_of(catalog_->write([&](CatalogWriter& writer) -> Result<bool> {
    writer.put(content::User{name, hash});
    for (auto& permission : permissions) {
      permission.principal = name;
      writer.put(permission);
    }
    return true;
  }));
}

wire::Response GoldenServer::handle(wire::Request request) const {
  request.base_url = base_url;
  return router_.handle(request);
}

std::string GoldenServer::upload(std::string_view uri, std::string_view bytes) {
  return send(uri, bytes, service::BodyEnd::whole);
}

std::string GoldenServer::upload_part(std::string_view uri, std::string_view bytes) {
  return send(uri, bytes, service::BodyEnd::broken);
}

std::string GoldenServer::send(std::string_view uri, std::string_view bytes, service::BodyEnd end) {
  const bool whole = end == service::BodyEnd::whole;
  const auto announced = whole ? std::optional<std::int64_t>(bytes.size()) : std::nullopt;
  auto begun = services_.uploads.begin(endpoint_of(uri).token, service::UploadRequest::whole(announced), [] {});
  if (begun.refusal) return std::string(begun.refusal->gone ? "gone, " : "") + described(begun.refusal->error);
  if (const auto appended = begun.upload->append(std::as_bytes(std::span(bytes))); !appended)
    return described(appended.error());
  if (const auto finished = begun.upload->finish(end); !finished) return described(finished.error());
  return whole ? "stored" : "left unfinished";
}

std::string GoldenServer::download(std::string_view uri) {
  const auto endpoint = endpoint_of(uri);
  const auto opened = services_.downloads.open(endpoint.token, endpoint.name);
  if (!opened) return described(opened.error());
  std::vector<std::byte> bytes(static_cast<std::size_t>(opened->bytes->size()));
  if (const auto got = opened->bytes->read(0, bytes); !got || *got != bytes.size()) return "bytes missing";
  return std::to_string(bytes.size()) + " bytes with the SHA-256 digest " +
         base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex;
}

void GoldenServer::run_tasks() {
  while (value_of(task_runner_.run_next())) {
  }
}

void GoldenServer::run_pulls() {
  while (value_of(pulls_.run_next())) {
  }
}

void GoldenServer::add_delivery(const std::string& webhook, const content::WebhookDelivery& delivery) {
  value_of(catalog_->write([&](CatalogWriter& writer) -> Result<bool> {
    writer.put(content::WebhookId(webhook), delivery);
    return true;
  }));
}

std::string GoldenServer::add_task(const std::string& user) {
  content::Task task;
  task.id = content::TaskId(identities_.uuid());
  task.user = user;
  task.due = base::Time::max();
  value_of(catalog_->write([&](CatalogWriter& writer) -> Result<bool> {
    writer.insert(task);
    return true;
  }));
  return task.id.text();
}

GoldenServer::Subscribed GoldenServer::add_subscribed_library(const std::string& url) {
  content::Library library;
  library.id = content::LibraryId(identities_.uuid());
  library.name = "mirror";
  library.type = content::LibraryType::SUBSCRIBED;
  library.creation_time = clock_.now();
  library.last_modified_time = clock_.now();
  library.storage = storages_.default_storage().id;
  library.backing.datastore_id = library.storage.text();
  auto& subscription = library.subscription.emplace();
  subscription.url = content::SourceUrl(url);
  subscription.on_demand = true;
  subscription.publisher = "another server's library";
  subscription.last_sync_time = clock_.now();
  content::Item item;
  item.id = content::ItemId(identities_.uuid());
  item.library_id = library.id;
  item.name = "mirrored";
  item.creation_time = clock_.now();
  item.last_modified_time = clock_.now();
  item.source_id = "another server's item";
  item.cached = false;
  item.last_sync_time = clock_.now();
  const auto added = catalog_->write([&](CatalogWriter& writer) -> Result<void> {
    writer.insert(library);
    writer.insert(item);
    return {};
  });
  if (!added) throw std::runtime_error(added.error().text());
  return {library.id.text(), item.id.text()};
}

}  // namespace quire::golden
