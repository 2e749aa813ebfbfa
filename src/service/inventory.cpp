#include "service/inventory.h"

#include <algorithm>
#include <array>

namespace quire::service {
namespace {

bool lets_through(const std::optional<std::vector<std::string>>& wanted, std::string_view value) {
  return !wanted || std::ranges::find(*wanted, value) != wanted->end();
}

/// Nothing has this property.
bool asks_for_none(const std::optional<std::vector<std::string>>& wanted) { return wanted.has_value(); }

}  // namespace

std::vector<Datastore> datastores(const content::Storages& storages) {
  std::vector<Datastore> all;
  for (const auto& storage : storages.all()) {
    auto& datastore = all.emplace_back();
    datastore.id = storage.id.text();
    datastore.name = storage.name;
    datastore.url = storage.url();
    if (const auto space = storage.blobs->space()) {
      datastore.accessible = true;
      datastore.capacity_bytes = space->capacity_bytes;
      datastore.free_bytes = space->free_bytes;
    }
  }
  return all;
}

std::span<const InventoryFolder> inventory_folders() {
  static constexpr std::array all = {
      InventoryFolder{root_folder_id, "Datacenters", FolderType::DATACENTER, false},
      InventoryFolder{vm_folder_id, "vm", FolderType::VIRTUAL_MACHINE, true},
      InventoryFolder{host_folder_id, "host", FolderType::HOST, true},
      InventoryFolder{datastore_folder_id, "datastore", FolderType::DATASTORE, true},
      InventoryFolder{network_folder_id, "network", FolderType::NETWORK, true},
  };
  return all;
}

bool passes(const InventoryFilter& filter, const Datastore& datastore) {
  const auto& types = filter.datastore_types;
  return lets_through(filter.ids, datastore.id) && lets_through(filter.names, datastore.name) &&
         lets_through(filter.folders, datastore_folder_id) && lets_through(filter.datacenters, datacenter_id) &&
         (!types || std::ranges::find(*types, Datastore::type) != types->end());
}

bool passes(const InventoryFilter& filter, const InventoryFolder& folder) {
  const bool in_datacenter =
      folder.in_datacenter ? lets_through(filter.datacenters, datacenter_id) : !asks_for_none(filter.datacenters);
  return lets_through(filter.ids, folder.id) && lets_through(filter.names, folder.name) && in_datacenter &&
         !asks_for_none(filter.folders) && (!filter.folder_type || *filter.folder_type == folder.type);
}

bool passes_datacenter(const InventoryFilter& filter) {
  return lets_through(filter.ids, datacenter_id) && lets_through(filter.names, datacenter_name) &&
         lets_through(filter.folders, root_folder_id);
}

}  // namespace quire::service
