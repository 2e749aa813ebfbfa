#include "main/installation.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "adapters/files/durable_file.h"
#include "adapters/files/file_blob_store.h"
#include "adapters/files/file_library_folders.h"
#include "adapters/files/file_lock.h"
#include "adapters/objects/prefix_owner.h"
#include "adapters/objects/segmented_blob_store.h"
#include "adapters/objects/watched_object_store.h"
#include "adapters/s3/s3_object_store.h"
#include "main/storage_definition.h"

namespace quire::main {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;
using base::Result;
using content::CatalogWriter;

constexpr std::string_view installation_setting = "server_guid";

/// What the catalog has given a storage.
struct StorageNames {
  std::string id;
  std::string uuid;
};

/// Managed object ids are given out once and kept with the storage's name: `datastore-11`, `datastore-12`, …
Result<StorageNames> give_names(content::Catalog& catalog, const std::string& name, base::IdentitySource& identities) {
  QUIRE_ASSIGN_OR_RETURN(const auto id, catalog.write([&](CatalogWriter& writer) -> Result<std::string> {
    if (auto stored = writer.setting("storage." + name + ".id")) return *std::move(stored);
    const int next = std::atoi(writer.setting("storage.next_id").value_or("11").c_str());
    std::string fresh = "datastore-" + std::to_string(next);
    writer.put_setting("storage." + name + ".id", fresh);
    writer.put_setting("storage.next_id", std::to_string(next + 1));
    return fresh;
  }));
  QUIRE_ASSIGN_OR_RETURN(const auto uuid, fixed_setting(catalog, "storage." + name + ".uuid", identities.uuid()));
  return StorageNames{id, uuid};
}

/// nullopt for a storage that no server has used yet.
Result<std::optional<StorageNames>> find_names(content::Catalog& catalog, const std::string& name) {
  return catalog.read([&](content::CatalogReader& reader) -> Result<std::optional<StorageNames>> {
    const auto id = reader.setting("storage." + name + ".id");
    const auto uuid = reader.setting("storage." + name + ".uuid");
    return id && uuid ? std::optional(StorageNames{*id, *uuid}) : std::nullopt;
  });
}

/// Who opens storages.
struct Opening {
  const Settings& settings;
  const std::string& installation;  ///< its identifier
  base::Clock& clock;
  base::IdentitySource& identities;  ///< both of them outlive the storages
  bool may_change;
};

adapters::s3::CredentialsSource credentials_of(const BucketPlace& place) {
  if (!place.credentials_file.empty())
    return [file = place.credentials_file, profile = place.profile] {
      return adapters::s3::credentials_from_file(file, profile);
    };
  return [] { return adapters::s3::credentials_from_environment(adapters::curl::process_environment); };
}

Result<std::shared_ptr<content::BlobStore>> open_bucket(const Opening& opening, const content::Storage& storage,
                                                        const BucketPlace& place) {
  adapters::s3::S3Options options;
  options.bucket = place.bucket;
  options.key_prefix = place.prefix.empty() ? "" : place.prefix + "/";
  options.region = place.region;
  options.endpoint = place.endpoint;
  options.addressing =
      place.virtual_host_style ? adapters::s3::Addressing::virtual_host : adapters::s3::Addressing::path_style;
  options.extra_ca_file = place.ca_file;
  options.user_agent = "Quire";
  options.credentials = credentials_of(place);
  QUIRE_ASSIGN_OR_RETURN(auto bucket,
                         adapters::s3::make_s3_object_store(std::move(options), opening.clock, opening.identities));
  auto watched = std::make_unique<adapters::objects::WatchedObjectStore>(std::move(bucket), opening.clock);
  QUIRE_RETURN_IF_ERROR(opening.may_change
                            ? adapters::objects::claim_place(*watched, opening.installation, place.uri())
                            : adapters::objects::check_place(*watched, opening.installation, place.uri()));
  adapters::objects::SegmentedBlobStoreOptions blobs;
  blobs.storage_name = storage.name;
  blobs.base_uri = place.uri();
  blobs.capacity_bytes = place.capacity_bytes;
  if (opening.may_change) {
    blobs.cache_folder = fs::path(opening.settings.data) / cache_folder_name / storage.id.text();
    blobs.cache_bytes_max = place.cache_bytes;
  }
  blobs.problem = [store = watched.get()] { return store->problem(); };
  return std::shared_ptr<content::BlobStore>(
      std::make_shared<adapters::objects::SegmentedBlobStore>(std::move(watched), std::move(blobs)));
}

Result<content::Storage> open_storage(const Opening& opening, const StorageDefinition& definition,
                                      const StorageNames& names) {
  content::Storage storage;
  storage.id = content::StorageId(names.id);
  storage.name = definition.name;
  storage.uuid = names.uuid;
  if (const auto* bucket = definition.bucket()) {
    storage.uri = bucket->uri();
    QUIRE_ASSIGN_OR_RETURN(storage.blobs, open_bucket(opening, storage, *bucket));
    return storage;
  }
  const auto& folder = *definition.folder();
  adapters::files::FileBlobStoreOptions options;
  options.storage_name = definition.name;
  options.reserve_bytes = opening.settings.storage_reserve;
  options.reserve_shrinks = opening.settings.storage_reserve == default_storage_reserve;
  QUIRE_ASSIGN_OR_RETURN(storage.blobs, adapters::files::open_file_blob_store(folder, std::move(options)));
  storage.uri = adapters::files::file_uri(folder);
  storage.folders = adapters::files::make_file_library_folders(folder, definition.name, storage.blobs);
  return storage;
}

/// Those that hold something, for whoever must leave the catalog as it is.
Result<content::Storages> open_known_storages(const Settings& settings, content::Catalog& catalog, base::Clock& clock,
                                              base::IdentitySource& identities) {
  QUIRE_ASSIGN_OR_RETURN(const auto definitions, storage_definitions(settings.storage, settings.data));
  QUIRE_ASSIGN_OR_RETURN(const auto installation,
                         catalog.read([](content::CatalogReader& reader) -> Result<std::string> {
                           return reader.setting(std::string(installation_setting)).value_or("");
                         }));
  std::vector<content::Storage> all;
  for (const auto& definition : definitions) {
    QUIRE_ASSIGN_OR_RETURN(const auto names, find_names(catalog, definition.name));
    if (!names) continue;
    const auto* folder = definition.folder();
    if (folder != nullptr && !fs::is_directory(*folder / "blobs"))  // opening it would make it
      return Error(ErrorKind::resource_inaccessible, "quire.storage.missing",
                   "The folder {folder} of storage {name} has no blobs folder. Is its disk mounted?",
                   {{"folder", folder->string()}, {"name", definition.name}});
    QUIRE_ASSIGN_OR_RETURN(auto storage,
                           open_storage({settings, installation, clock, identities, false}, definition, *names));
    all.push_back(std::move(storage));
  }
  if (all.empty()) return bad_setting("No server has used a storage of the settings with this catalog yet.");
  return content::Storages(std::move(all));
}

fs::path catalog_file(const Settings& settings) { return fs::path(settings.data) / "catalog.sqlite"; }

/// InvalidArgument when the setting names no catalog.
Result<void> check_catalog_setting(const Settings& settings) {
  if (is_embedded(settings) || settings.catalog.starts_with("postgresql://") ||
      settings.catalog.starts_with("postgres://"))
    return {};
  // What was given may hold a password.
  return bad_setting("The setting catalog must be sqlite or a postgresql:// URL.");
}

/// The catalog as it is at this moment, as a SQLite file.
Result<void> copy_catalog(const Settings& settings, const fs::path& copy) {
  return is_embedded(settings) ? adapters::sql::copy_sqlite_catalog(catalog_file(settings), copy)
                               : adapters::sql::copy_postgresql_catalog(settings.catalog, copy);
}

/// A wrong folder must not become an installation by being looked at.
Result<void> check_installation(const Settings& settings) {
  if (settings.data.empty()) return bad_setting("The data folder is missing; give --data DIR.");
  if (is_embedded(settings) ? fs::exists(catalog_file(settings)) : fs::is_directory(settings.data)) return {};
  return Error(ErrorKind::not_found, "quire.data.none",
               "{data} is not the data folder of a server: there is no catalog in it. Give --data or --config as for "
               "quire serve.",
               {{"data", settings.data}});
}

/// Those that hold bytes must have a place.
Result<void> check_storages_configured(const Settings& settings, content::Catalog& catalog) {
  QUIRE_ASSIGN_OR_RETURN(const auto definitions, storage_definitions(settings.storage, settings.data));
  std::set<std::string> ids;
  for (const auto& definition : definitions) {
    QUIRE_ASSIGN_OR_RETURN(const auto names, find_names(catalog, definition.name));
    if (names) ids.insert(names->id);
  }
  return catalog.read([&](content::CatalogReader& reader) -> Result<void> {
    for (const auto& library : reader.libraries({})) {
      const auto storage = reader.find<content::Library>(library)->storage.text();
      if (!ids.contains(storage))
        return bad_setting(
            "Libraries lie on the storage {storage}, which is not configured. Give "
            "--storage or --config as for its server.",
            {{"storage", storage}});
    }
    return {};
  });
}

/// The lock of a data folder keeps others from one catalog in it; a database may have servers with other data folders.
Result<void> check_nobody_else_uses(const Settings& settings) {
  if (is_embedded(settings)) return {};
  QUIRE_RETURN_IF_ERROR(check_catalog_setting(settings));
  QUIRE_ASSIGN_OR_RETURN(const auto others, adapters::sql::other_users_of_postgresql_catalog(settings.catalog));
  if (others == 0) return {};
  return Error(ErrorKind::resource_in_use, "quire.catalog.in_use",
               "Other servers or commands of Quire are connected to the catalog's database ({count} connections). "
               "Stop them first.",
               {{"count", others}});
}

Result<void> copy_tls_files(const fs::path& from, const fs::path& to) {
  constexpr std::size_t pem_bytes_max = 1U << 20U;
  for (const auto& [name, mode] : {std::pair("key.pem", 0600), std::pair("certificate.pem", 0644)}) {
    if (!fs::exists(from / name)) continue;
    QUIRE_RETURN_IF_ERROR(adapters::files::make_folder_durably(to));
    QUIRE_ASSIGN_OR_RETURN(const auto bytes, adapters::files::read_file(from / name, pem_bytes_max));
    QUIRE_RETURN_IF_ERROR(adapters::files::write_file_durably(to / name, bytes, static_cast<mode_t>(mode)));
  }
  return {};
}

/// ResourceInUse where a catalog is already.
Result<void> check_place_for_catalog(const Settings& settings) {
  QUIRE_RETURN_IF_ERROR(check_catalog_setting(settings));
  if (fs::exists(catalog_file(settings)))
    return Error(ErrorKind::resource_in_use, "quire.backup.data_in_use",
                 "{data} holds a catalog already. Restore into an empty folder, or move that one away.",
                 {{"data", settings.data}});
  if (is_embedded(settings)) return {};
  QUIRE_ASSIGN_OR_RETURN(const auto there, adapters::sql::survey_postgresql_catalog(settings.catalog));
  if (there.schema == 0) return {};
  return Error(ErrorKind::resource_in_use, "quire.backup.database_in_use",
               "The database holds a catalog already. Restore into an empty database, or drop that one first.");
}

}  // namespace

Error bad_setting(std::string_view text, std::vector<base::MessageParam> params) {
  return {ErrorKind::invalid_argument, "quire.settings.bad_value", text, std::move(params)};
}

bool is_embedded(const Settings& settings) { return settings.catalog == "sqlite"; }

Result<std::unique_ptr<content::Catalog>> open_catalog(const Settings& settings) {
  QUIRE_RETURN_IF_ERROR(check_catalog_setting(settings));
  return is_embedded(settings) ? adapters::sql::open_sqlite_catalog(catalog_file(settings), {})
                               : adapters::sql::open_postgresql_catalog(settings.catalog, {});
}

Result<std::unique_ptr<content::Catalog>> open_catalog_to_read(const Settings& settings) {
  QUIRE_RETURN_IF_ERROR(check_installation(settings));
  QUIRE_RETURN_IF_ERROR(check_catalog_setting(settings));
  return is_embedded(settings) ? adapters::sql::open_sqlite_catalog_to_read(catalog_file(settings))
                               : adapters::sql::open_postgresql_catalog_to_read(settings.catalog);
}

Result<adapters::sql::CatalogSurvey> survey_catalog(const Settings& settings) {
  QUIRE_RETURN_IF_ERROR(check_installation(settings));
  QUIRE_RETURN_IF_ERROR(check_catalog_setting(settings));
  return is_embedded(settings) ? adapters::sql::survey_sqlite_catalog(catalog_file(settings))
                               : adapters::sql::survey_postgresql_catalog(settings.catalog);
}

/// A setting of the installation that is made once and then stays.
Result<std::string> fixed_setting(content::Catalog& catalog, const std::string& name, const std::string& fresh) {
  return catalog.write([&](CatalogWriter& writer) -> Result<std::string> {
    if (auto stored = writer.setting(name)) return *std::move(stored);
    writer.put_setting(name, fresh);
    return fresh;
  });
}

Result<std::string> installation_id(content::Catalog& catalog, base::IdentitySource& identities) {
  return fixed_setting(catalog, std::string(installation_setting), identities.uuid());
}

Result<content::Storages> open_storages(const Settings& settings, content::Catalog& catalog, base::Clock& clock,
                                        base::IdentitySource& identities) {
  QUIRE_ASSIGN_OR_RETURN(const auto installation, installation_id(catalog, identities));
  QUIRE_ASSIGN_OR_RETURN(const auto definitions, storage_definitions(settings.storage, settings.data));
  std::vector<content::Storage> all;
  for (const auto& definition : definitions) {
    QUIRE_ASSIGN_OR_RETURN(const auto names, give_names(catalog, definition.name, identities));
    QUIRE_ASSIGN_OR_RETURN(auto storage,
                           open_storage({settings, installation, clock, identities, true}, definition, names));
    all.push_back(std::move(storage));
  }
  return content::Storages(std::move(all));
}

Result<std::vector<fs::path>> storage_folders(const Settings& settings) {
  QUIRE_ASSIGN_OR_RETURN(const auto definitions, storage_definitions(settings.storage, settings.data));
  std::vector<fs::path> folders;
  for (const auto& definition : definitions)
    if (const auto* folder = definition.folder()) folders.push_back(*folder);
  return folders;
}

Result<doctor::Diagnosis> examine(const Settings& settings, const doctor::Examination& examination) {
  QUIRE_RETURN_IF_ERROR(check_installation(settings));
  base::SystemClock clock;
  base::RandomIdentitySource identities;
  QUIRE_ASSIGN_OR_RETURN([[maybe_unused]] const auto lock, adapters::files::lock_data_folder(settings.data));
  QUIRE_RETURN_IF_ERROR(check_nobody_else_uses(settings));
  QUIRE_ASSIGN_OR_RETURN(const auto catalog, open_catalog(settings));
  QUIRE_ASSIGN_OR_RETURN(const auto storages, open_storages(settings, *catalog, clock, identities));
  return doctor::examine(*catalog, storages, examination);
}

Result<backup::Summary> make_backup(const Settings& settings, const std::string& folder, bool verify_all,
                                    const backup::Progress& progress) {
  QUIRE_RETURN_IF_ERROR(check_installation(settings));
  QUIRE_RETURN_IF_ERROR(check_catalog_setting(settings));
  QUIRE_RETURN_IF_ERROR(adapters::files::make_folder_durably(folder));
  base::SystemClock clock;
  base::RandomIdentitySource identities;
  const backup::Original original{[&](const fs::path& copy) { return copy_catalog(settings, copy); },
                                  [&](content::Catalog& snapshot) -> Result<content::Storages> {
                                    QUIRE_RETURN_IF_ERROR(check_storages_configured(settings, snapshot));
                                    return open_known_storages(settings, snapshot, clock, identities);
                                  }};
  QUIRE_ASSIGN_OR_RETURN(auto summary, backup::make_backup(original, folder, verify_all, progress));
  QUIRE_RETURN_IF_ERROR(copy_tls_files(fs::path(settings.data) / "tls", fs::path(folder) / "tls"));
  return summary;
}

Result<backup::Summary> restore(const Settings& settings, const std::string& folder, const backup::Progress& progress) {
  if (settings.data.empty()) return bad_setting("The data folder is missing; give --data DIR.");
  const auto saved = fs::path(folder) / "catalog.sqlite";
  if (!fs::exists(saved))
    return Error(ErrorKind::not_found, "quire.backup.none",
                 "{folder} holds no backup: there is no catalog.sqlite in it.", {{"folder", folder}});
  QUIRE_RETURN_IF_ERROR(check_place_for_catalog(settings));
  QUIRE_RETURN_IF_ERROR(adapters::files::make_folder_durably(settings.data));
  QUIRE_ASSIGN_OR_RETURN([[maybe_unused]] const auto lock, adapters::files::lock_data_folder(settings.data));
  // Under another name until all is there: a restore that was broken off leaves no installation that looks whole.
  const auto unfinished = fs::path(settings.data) / "catalog.sqlite.restoring";
  QUIRE_RETURN_IF_ERROR(adapters::sql::copy_sqlite_catalog(saved, unfinished));
  base::SystemClock clock;
  base::RandomIdentitySource identities;
  backup::Summary summary;
  {
    QUIRE_ASSIGN_OR_RETURN(const auto catalog, adapters::sql::open_sqlite_catalog(unfinished, {.readers = 1}));
    QUIRE_RETURN_IF_ERROR(check_storages_configured(settings, *catalog));
    QUIRE_ASSIGN_OR_RETURN(const auto storages, open_storages(settings, *catalog, clock, identities));
    QUIRE_ASSIGN_OR_RETURN(summary, backup::restore_blobs(folder, *catalog, storages, progress));
    QUIRE_RETURN_IF_ERROR(backup::raise_published_counters(*catalog));
  }
  QUIRE_RETURN_IF_ERROR(copy_tls_files(fs::path(folder) / "tls", fs::path(settings.data) / "tls"));
  QUIRE_RETURN_IF_ERROR(is_embedded(settings) ? adapters::sql::copy_sqlite_catalog(unfinished, catalog_file(settings))
                                              : adapters::sql::fill_postgresql_catalog(unfinished, settings.catalog));
  std::error_code ignored;
  for (const auto* suffix : {"", "-wal", "-shm"}) fs::remove(unfinished.string() + suffix, ignored);
  return summary;
}

Result<doctor::Diagnosis> look_over(const Settings& settings, content::Catalog& catalog) {
  QUIRE_RETURN_IF_ERROR(check_installation(settings));
  QUIRE_ASSIGN_OR_RETURN([[maybe_unused]] const auto lock, adapters::files::lock_data_folder(settings.data));
  base::SystemClock clock;
  base::RandomIdentitySource identities;
  QUIRE_ASSIGN_OR_RETURN(const auto storages, open_known_storages(settings, catalog, clock, identities));
  return doctor::examine(catalog, storages, {});
}

}  // namespace quire::main
