#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/inventory.h"
#include "service/services.h"

/// Where clients look up the identifier of a storage (wire-protocols.md §3.4). Whoever is logged in sees
/// all of it, as in the SOAP façade.
namespace quire::api {

template <>
inline constexpr std::string_view enumeration_name<service::DatastoreType> = "com.vmware.vcenter.datastore.type";
template <>
inline constexpr std::string_view enumeration_name<service::FolderType> = "com.vmware.vcenter.folder.type";

using Texts = std::optional<std::vector<std::string>>;

struct ApplianceVersion {
  static constexpr std::string_view canonical_name = "com.vmware.appliance.system.version.version_struct";
  std::string version;
  std::string product;
  std::string build;
  std::string type;
  std::string summary;
  std::string releasedate;
  std::string install_time;
};
BOOST_DESCRIBE_STRUCT(ApplianceVersion, (), (version, product, build, type, summary, releasedate, install_time))

struct DatastoreFilter {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.datastore.filter_spec";
  Texts datastores;
  Texts names;
  std::optional<std::vector<service::DatastoreType>> types;
  Texts folders;
  Texts datacenters;
};
struct DatastoreSummary {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.datastore.summary";
  std::string datastore;
  std::string name;
  service::DatastoreType type = service::DatastoreType::VMFS;
  std::optional<std::int64_t> free_space;
  std::optional<std::int64_t> capacity;
};
struct DatastoreInfo {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.datastore.info";
  std::string name;
  service::DatastoreType type = service::DatastoreType::VMFS;
  bool accessible = false;
  std::optional<std::int64_t> free_space;
  bool multiple_host_access = true;
  bool thin_provisioning_supported = true;
};
struct DatacenterFilter {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.datacenter.filter_spec";
  Texts datacenters;
  Texts names;
  Texts folders;
};
struct DatacenterSummary {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.datacenter.summary";
  std::string datacenter;
  std::string name;
};
struct FolderFilter {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.folder.filter_spec";
  Texts folders;
  Texts names;
  std::optional<service::FolderType> type;
  Texts parent_folders;
  Texts datacenters;
};
struct FolderSummary {
  static constexpr std::string_view canonical_name = "com.vmware.vcenter.folder.summary";
  std::string folder;
  std::string name;
  service::FolderType type = service::FolderType::DATACENTER;
};
struct DatastoreListInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::optional<DatastoreFilter> filter;
};
struct DatastoreGetInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string datastore;
};
struct DatacenterListInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::optional<DatacenterFilter> filter;
};
struct FolderListInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::optional<FolderFilter> filter;
};
BOOST_DESCRIBE_STRUCT(DatastoreFilter, (), (datastores, names, types, folders, datacenters))
BOOST_DESCRIBE_STRUCT(DatastoreSummary, (), (datastore, name, type, free_space, capacity))
BOOST_DESCRIBE_STRUCT(DatastoreInfo, (),
                      (name, type, accessible, free_space, multiple_host_access, thin_provisioning_supported))
BOOST_DESCRIBE_STRUCT(DatacenterFilter, (), (datacenters, names, folders))
BOOST_DESCRIBE_STRUCT(DatacenterSummary, (), (datacenter, name))
BOOST_DESCRIBE_STRUCT(FolderFilter, (), (folders, names, type, parent_folders, datacenters))
BOOST_DESCRIBE_STRUCT(FolderSummary, (), (folder, name, type))
BOOST_DESCRIBE_STRUCT(DatastoreListInput, (), (filter))
BOOST_DESCRIBE_STRUCT(DatastoreGetInput, (), (datastore))
BOOST_DESCRIBE_STRUCT(DatacenterListInput, (), (filter))
BOOST_DESCRIBE_STRUCT(FolderListInput, (), (filter))

namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Privilege;

std::optional<std::int64_t> known(const service::Datastore& datastore, std::int64_t bytes) {
  return datastore.accessible ? std::optional(bytes) : std::nullopt;
}

struct DatastoreList {
  using Input = DatastoreListInput;
  using Output = std::vector<DatastoreSummary>;
  static OperationFacts facts() {
    return {.service = "com.vmware.vcenter.datastore",
            .name = "list",
            .method = "GET",
            .path = "/vcenter/datastore",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::invalid_argument},
            .summary = "The storages of this server that match every given member of the filter.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext&, const Input& input) {
    const auto spec = input.filter.value_or(DatastoreFilter());
    const service::InventoryFilter filter{spec.datastores, spec.names, spec.folders, spec.datacenters, spec.types, {}};
    Output out;
    for (const auto& one : service::datastores(services.storages))
      if (passes(filter, one))
        out.push_back({one.id, one.name, one.type, known(one, one.free_bytes), known(one, one.capacity_bytes)});
    return out;
  }
};

struct DatastoreGet {
  using Input = DatastoreGetInput;
  using Output = DatastoreInfo;
  static OperationFacts facts() {
    return {.service = "com.vmware.vcenter.datastore",
            .name = "get",
            .method = "GET",
            .path = "/vcenter/datastore/{datastore}",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "A storage of this server.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext&, const Input& input) {
    for (const auto& one : service::datastores(services.storages))
      if (one.id == input.datastore)
        return DatastoreInfo{one.name, one.type, one.accessible, known(one, one.free_bytes), true, true};
    return Error(ErrorKind::not_found, "quire.datastore.not_found", "No datastore has the identifier {datastore}.",
                 {{"datastore", input.datastore}});
  }
};

struct DatacenterList {
  using Input = DatacenterListInput;
  using Output = std::vector<DatacenterSummary>;
  static OperationFacts facts() {
    return {.service = "com.vmware.vcenter.datacenter",
            .name = "list",
            .method = "GET",
            .path = "/vcenter/datacenter",
            .privilege = Privilege::System_Anonymous,
            .summary = "The one datacenter, if it matches every given member of the filter.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services&, const CallContext&, const Input& input) {
    const auto spec = input.filter.value_or(DatacenterFilter());
    Output out;
    if (service::passes_datacenter({spec.datacenters, spec.names, spec.folders}))
      out.push_back({std::string(service::datacenter_id), std::string(service::datacenter_name)});
    return out;
  }
};

struct FolderList {
  using Input = FolderListInput;
  using Output = std::vector<FolderSummary>;
  static OperationFacts facts() {
    return {.service = "com.vmware.vcenter.folder",
            .name = "list",
            .method = "GET",
            .path = "/vcenter/folder",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::invalid_argument},
            .summary = "The folders of the inventory that match every given member of the filter.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services&, const CallContext&, const Input& input) {
    const auto spec = input.filter.value_or(FolderFilter());
    const service::InventoryFilter filter{spec.folders,     spec.names, spec.parent_folders,
                                          spec.datacenters, {},         spec.type};
    Output out;
    for (const auto& one : service::inventory_folders())
      if (passes(filter, one)) out.push_back({std::string(one.id), std::string(one.name), one.type});
    return out;
  }
};

/// Rarely asked for; most clients look at the SOAP façade's `about` instead.
struct ApplianceVersionGet {
  using Input = NoInput;
  using Output = ApplianceVersion;
  static OperationFacts facts() {
    return {.service = "com.vmware.appliance.system.version",
            .name = "get",
            .method = "GET",
            .path = "/appliance/system/version",
            .privilege = Privilege::System_Anonymous,
            .summary = "Which vCenter Server this one behaves like.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext&, const Input&) {
    return ApplianceVersion{std::string(service::product_version),
                            std::string(service::product_name),
                            std::string(service::product_build),
                            "Content library server",
                            "Quire: the content library of a vCenter Server, without virtual machines.",
                            std::string(service::product_release_date),
                            base::to_text(services.installed)};
  }
};

}  // namespace

void add_inventory_operations(std::vector<Operation>& all) {
  all.push_back(bind<DatastoreList>());
  all.push_back(bind<DatastoreGet>());
  all.push_back(bind<DatacenterList>());
  all.push_back(bind<FolderList>());
  all.push_back(bind<ApplianceVersionGet>());
}

}  // namespace quire::api
