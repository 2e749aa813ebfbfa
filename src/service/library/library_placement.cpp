#include "service/library/library_placement.h"

namespace quire::service {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::StorageBackingType;

namespace {

Error incomplete_backing(const std::string& member) {
  return {ErrorKind::invalid_argument,
          "quire.library.storage_backing_incomplete",
          "A storage backing needs {member} and only that for its type.",
          {{"member", member}}};
}

}  // namespace

Result<void> check_complete(const content::StorageBacking& backing) {
  const bool by_uri = backing.type == StorageBackingType::OTHER;
  const auto& name = by_uri ? backing.storage_uri : backing.datastore_id;
  if (!name || name->empty() || (by_uri ? backing.datastore_id : backing.storage_uri))
    return incomplete_backing(by_uri ? "storage_uri" : "datastore_id");
  return {};
}

Result<Placement> place(const std::vector<content::StorageBacking>& backings, const content::Storages& storages) {
  if (backings.size() > 1)
    return Error(ErrorKind::unsupported, "quire.library.several_storage_backings",
                 "A library has exactly one storage backing; {count} were given.",
                 {{"count", static_cast<std::int64_t>(backings.size())}});
  if (backings.empty())
    return Error(ErrorKind::invalid_argument, "quire.library.no_storage_backing",
                 "storage_backings is empty; name the storage that the library is to have.");
  const auto& backing = backings.front();
  QUIRE_RETURN_IF_ERROR(check_complete(backing));
  const bool by_uri = backing.type == StorageBackingType::OTHER;
  const auto& name = by_uri ? *backing.storage_uri : *backing.datastore_id;
  const auto* storage = by_uri ? storages.containing(name) : storages.find(content::StorageId(name));
  if (storage == nullptr)
    return Error(ErrorKind::invalid_argument, "quire.library.unknown_storage",
                 "{member} {value} is not a configured storage of this server.",
                 {{"member", by_uri ? "storage_uri" : "datastore_id"}, {"value", name}});
  return Placement{backing, storage->id};
}

Result<Placement> place(const LibrarySpec& spec, const content::Storages& storages) {
  if (spec.storage_backings && !spec.storage_backings->empty()) return place(*spec.storage_backings, storages);
  const auto& storage = storages.default_storage();
  return Placement{{StorageBackingType::DATASTORE, storage.id.text(), std::nullopt}, storage.id};
}

Result<void> check_can_persist(const content::Library& library, const content::StorageId& storage,
                               const content::Storages& storages) {
  const auto* place = storages.find(storage);
  if (!library.persist_json || place == nullptr || place->is_folder()) return {};
  return Error(ErrorKind::invalid_argument, "quire.library.storage_without_files",
               "Library {name} cannot lie as files on storage {storage}, which is an object store. Leave "
               "publish_info.persist_json_enabled off there; its publication URL works all the same.",
               {{"name", library.name}, {"storage", place->name}});
}

}  // namespace quire::service
