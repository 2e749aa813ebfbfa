#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/enumeration.h"
#include "content/storage.h"

/// The inventory that vSphere clients look storages up in: one datacenter with its four folders, a datastore for each
/// configured storage and a network (wire-protocols.md §3.4, §4.3). The same in every wire.
namespace quire::service {

/// What clients take the server for (§3.8, §4.3).
inline constexpr std::string_view product_name = "VMware vCenter Server";
inline constexpr std::string_view product_version = "8.0.3";
inline constexpr std::string_view product_build = "24022515";
inline constexpr std::string_view product_release_date = "2024-06-25";

inline constexpr std::string_view root_folder_id = "group-d1";
inline constexpr std::string_view datacenter_id = "datacenter-2";
inline constexpr std::string_view datacenter_name = "DC0";
inline constexpr std::string_view vm_folder_id = "group-v3";
inline constexpr std::string_view host_folder_id = "group-h4";
inline constexpr std::string_view datastore_folder_id = "group-s5";
inline constexpr std::string_view network_folder_id = "group-n6";
/// The one network, with nothing in it: clients that place a subscription insist on naming one.
inline constexpr std::string_view network_id = "network-7";
inline constexpr std::string_view network_name = "VM Network";

/// Spelled as on the wire.
QUIRE_ENUM(FolderType, DATACENTER, DATASTORE, HOST, NETWORK, VIRTUAL_MACHINE)
QUIRE_ENUM(DatastoreType, VMFS, NFS, NFS41, CIFS, VSAN, VFFS, VVOL)

struct InventoryFolder {
  std::string_view id;
  std::string_view name;
  FolderType type;
  bool in_datacenter;  ///< false for the root only
};

struct Datastore {
  std::string id;
  std::string name;
  std::string url;          ///< `ds:///vmfs/volumes/<uuid>/`
  bool accessible = false;  ///< false when the storage cannot be asked; the sizes are 0 then
  std::int64_t capacity_bytes = 0;
  std::int64_t free_bytes = 0;
  static constexpr DatastoreType type = DatastoreType::VMFS;
};

/// Which objects are asked for; an unset member lets every one through.
struct InventoryFilter {
  std::optional<std::vector<std::string>> ids = {};
  std::optional<std::vector<std::string>> names = {};
  std::optional<std::vector<std::string>> folders = {};  ///< that contain it
  std::optional<std::vector<std::string>> datacenters = {};
  std::optional<std::vector<DatastoreType>> datastore_types = {};
  std::optional<FolderType> folder_type = {};
};

/// The configured storages as datastores, in their order. Asks each for its space, so it may block on slow storage.
std::vector<Datastore> datastores(const content::Storages& storages);

std::span<const InventoryFolder> inventory_folders();

bool passes(const InventoryFilter& filter, const Datastore& datastore);
bool passes(const InventoryFilter& filter, const InventoryFolder& folder);
bool passes_datacenter(const InventoryFilter& filter);

}  // namespace quire::service
