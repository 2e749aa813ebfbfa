#include "wire/soap/vim_inventory.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/utf8.h"

namespace quire::wire::vim {
namespace {

/// A class of vim25 with the names that it adds to its parent's: all of them, so that a property which this server
/// leaves unset can be told from one that does not exist.
struct Class {
  std::string_view name;
  std::string_view parent;  ///< empty for the roots and for data objects
  std::vector<std::string_view> properties;
};

const std::vector<Class>& classes() {
  static const std::vector<Class> all{
      {"ManagedObject", "", {}},
      {"ServiceInstance", "ManagedObject", {"serverClock", "capability", "content"}},
      {"SessionManager",
       "ManagedObject",
       {"sessionList", "currentSession", "message", "messageLocaleList", "supportedLocaleList", "defaultLocale"}},
      {"AuthorizationManager", "ManagedObject", {"privilegeList", "roleList", "description"}},
      {"PropertyCollector", "ManagedObject", {"filter"}},
      {"PropertyFilter", "ManagedObject", {"spec", "partialUpdates"}},
      {"ViewManager", "ManagedObject", {"viewList"}},
      {"SearchIndex", "ManagedObject", {}},
      {"HostDatastoreBrowser", "ManagedObject", {"datastore", "supportedType"}},
      {"View", "ManagedObject", {}},
      {"ManagedObjectView", "View", {"view"}},
      {"ContainerView", "ManagedObjectView", {"container", "type", "recursive"}},
      {"ExtensibleManagedObject", "ManagedObject", {"value", "availableField"}},
      {"Task", "ExtensibleManagedObject", {"info"}},
      {"ManagedEntity",
       "ExtensibleManagedObject",
       {"parent", "customValue", "overallStatus", "configStatus", "configIssue", "effectiveRole", "permission", "name",
        "disabledMethod", "recentTask", "declaredAlarmState", "triggeredAlarmState", "alarmActionsEnabled", "tag"}},
      {"Folder", "ManagedEntity", {"childType", "childEntity", "namespace"}},
      {"Datacenter",
       "ManagedEntity",
       {"vmFolder", "hostFolder", "datastoreFolder", "networkFolder", "datastore", "network", "configuration"}},
      {"Network", "ManagedEntity", {"summary", "host", "vm"}},
      {"Datastore", "ManagedEntity", {"info", "summary", "host", "vm", "browser", "capability", "iormConfiguration"}},

      {"TaskInfo", "", {"key",          "task",      "description",   "name",        "descriptionId", "entity",
                        "entityName",   "locked",    "state",         "cancelled",   "cancelable",    "error",
                        "result",       "progress",  "reason",        "queueTime",   "startTime",     "completeTime",
                        "eventChainId", "changeTag", "parentTaskKey", "rootTaskKey", "activationId"}},
      {"NetworkSummary", "", {"network", "name", "accessible", "ipPoolName", "ipPoolId"}},
      {"DatastoreSummary",
       "",
       {"datastore", "name", "url", "capacity", "freeSpace", "uncommitted", "accessible", "multipleHostAccess", "type",
        "maintenanceMode"}},
      {"DatastoreCapability",
       "",
       {"directoryHierarchySupported", "rawDiskMappingsSupported", "perFileThinProvisioningSupported",
        "storageIORMSupported", "nativeSnapshotSupported", "topLevelDirectoryCreateSupported", "seSparseSupported",
        "vmfsSparseSupported", "vsanSparseSupported", "upitSupported", "vmdkExpandSupported",
        "clusteredVmdkSupported"}},
      {"UserSession",
       "",
       {"key", "userName", "fullName", "loginTime", "lastActiveTime", "locale", "messageLocale", "extensionSession",
        "ipAddress", "userAgent", "callCount"}},
      {"AboutInfo",
       "",
       {"name", "fullName", "vendor", "version", "patchLevel", "build", "localeVersion", "localeBuild", "osType",
        "productLineId", "apiType", "apiVersion", "instanceUuid", "licenseProductName", "licenseProductVersion"}},
      {"ServiceContent",
       "",
       {"rootFolder",
        "propertyCollector",
        "viewManager",
        "about",
        "setting",
        "userDirectory",
        "sessionManager",
        "authorizationManager",
        "serviceManager",
        "perfManager",
        "scheduledTaskManager",
        "alarmManager",
        "eventManager",
        "taskManager",
        "extensionManager",
        "customizationSpecManager",
        "customFieldsManager",
        "accountManager",
        "diagnosticManager",
        "licenseManager",
        "searchIndex",
        "fileManager",
        "datastoreNamespaceManager",
        "virtualDiskManager",
        "virtualizationManager",
        "snmpSystem",
        "vmProvisioningChecker",
        "vmCompatibilityChecker",
        "ovfManager",
        "ipPoolManager",
        "dvSwitchManager",
        "hostProfileManager",
        "clusterProfileManager",
        "complianceManager",
        "localizationManager",
        "storageResourceManager",
        "guestOperationsManager"}},
  };
  return all;
}

const Class* find_class(std::string_view name) {
  const auto found =
      std::find_if(classes().begin(), classes().end(), [&](const Class& each) { return each.name == name; });
  return found == classes().end() ? nullptr : &*found;
}

bool has_property(std::string_view type, std::string_view name) {
  for (const Class* each = find_class(type); each != nullptr; each = find_class(each->parent)) {
    if (std::find(each->properties.begin(), each->properties.end(), name) != each->properties.end()) return true;
  }
  return false;
}

const Value* find_field(const std::vector<Field>& fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &found->value;
}

Reference folder(std::string_view id) { return {"Folder", std::string(id)}; }
Reference root() { return folder(root_folder_id); }
Reference datacenter() { return {"Datacenter", std::string(datacenter_id)}; }
Reference network() { return {"Network", std::string(network_id)}; }
Reference reference_of(const Datastore& datastore) { return {"Datastore", datastore.id}; }

struct FolderFacts {
  std::string_view id;
  std::string_view name;
  std::string_view datacenter_property;
  std::vector<std::string> child_types;
};

const std::array<FolderFacts, 4>& datacenter_folders() {
  static const std::array<FolderFacts, 4> all{{
      {vm_folder_id, "vm", "vmFolder", {"Folder", "VirtualMachine", "VirtualApp"}},
      {host_folder_id, "host", "hostFolder", {"Folder", "ComputeResource"}},
      {datastore_folder_id, "datastore", "datastoreFolder", {"Folder", "Datastore", "StoragePod"}},
      {network_folder_id, "network", "networkFolder", {"Folder", "Network", "DistributedVirtualSwitch"}},
  }};
  return all;
}

ManagedObject folder_object(const FolderFacts& facts, const std::optional<Reference>& parent,
                            std::vector<Reference> children) {
  ManagedObject object{folder(facts.id), {}};
  if (parent) object.properties.push_back({"parent", *parent});
  object.properties.push_back({"name", std::string(facts.name)});
  object.properties.push_back({"childType", facts.child_types});
  object.properties.push_back({"childEntity", std::move(children)});
  return object;
}

ManagedObject datacenter_object(const std::vector<Reference>& all_datastores) {
  ManagedObject object{datacenter(), {{"parent", root()}, {"name", std::string(datacenter_name)}}};
  for (const auto& each : datacenter_folders()) {
    object.properties.push_back({std::string(each.datacenter_property), folder(each.id)});
  }
  object.properties.push_back({"datastore", all_datastores});
  object.properties.push_back({"network", std::vector<Reference>{network()}});
  return object;
}

ManagedObject network_object() {
  DataObject summary{"NetworkSummary",
                     {{"network", network()}, {"name", std::string(network_name)}, {"accessible", false}}};
  return {network(),
          {{"parent", folder(network_folder_id)},
           {"name", std::string(network_name)},
           {"summary", std::move(summary)},
           {"host", std::vector<Reference>{}},
           {"vm", std::vector<Reference>{}}}};
}

Reference browser_of(const Datastore& datastore) {
  return {"HostDatastoreBrowser", "datastoreBrowser-" + datastore.id};
}

ManagedObject datastore_object(const Datastore& datastore) {
  DataObject summary{"DatastoreSummary",
                     {{"datastore", reference_of(datastore)},
                      {"name", datastore.name},
                      {"url", datastore.url},
                      {"capacity", datastore.capacity_bytes},
                      {"freeSpace", datastore.free_bytes},
                      {"accessible", datastore.accessible},
                      {"multipleHostAccess", true},
                      {"type", std::string(base::name_of(datastore.type))},
                      {"maintenanceMode", std::string("normal")}}};
  DataObject capability{"DatastoreCapability",
                        {{"directoryHierarchySupported", true},
                         {"rawDiskMappingsSupported", false},
                         {"perFileThinProvisioningSupported", true},
                         {"topLevelDirectoryCreateSupported", true}}};
  return {reference_of(datastore),
          {{"parent", folder(datastore_folder_id)},
           {"name", datastore.name},
           {"summary", std::move(summary)},
           {"browser", browser_of(datastore)},
           {"capability", std::move(capability)}}};
}

std::vector<Reference> children_of(const ManagedObject& object) {
  if (object.reference.type == "Datacenter") {
    std::vector<Reference> children;
    for (const auto& each : datacenter_folders()) children.push_back(folder(each.id));
    return children;
  }
  const Value* children = find_field(object.properties, "childEntity");
  return children == nullptr ? std::vector<Reference>{} : std::get<std::vector<Reference>>(*children);
}

}  // namespace

Fault object_not_found(const Reference& object) {
  return {"ManagedObjectNotFound",
          "The object \"" + base::displayable(object.type) + ":" + base::displayable(object.id) +
              "\" has been deleted or was never created.",
          {{"obj", object}}};
}

Fault invalid_property(std::string_view path) {
  return {"InvalidProperty",
          "No object of that class has the property \"" + base::displayable(path) + "\".",
          {{"name", std::string(path)}}};
}

Fault invalid_argument(std::string_view argument, std::string text) {
  return {"InvalidArgument", std::move(text), {{"invalidProperty", std::string(argument)}}};
}

bool is_kind_of(std::string_view type, std::string_view ancestor) {
  for (const Class* each = find_class(type); each != nullptr; each = find_class(each->parent)) {
    if (each->name == ancestor) return true;
  }
  return false;
}

Inventory::Inventory(const std::vector<Datastore>& datastores) {
  std::vector<Reference> all_datastores;
  for (const auto& each : datastores) all_datastores.push_back(reference_of(each));

  add(folder_object({root_folder_id, "Datacenters", "", {"Folder", "Datacenter"}}, std::nullopt, {datacenter()}));
  add(datacenter_object(all_datastores));
  for (const auto& each : datacenter_folders()) {
    std::vector<Reference> children;
    if (each.id == datastore_folder_id) children = all_datastores;
    if (each.id == network_folder_id) children = {network()};
    add(folder_object(each, datacenter(), std::move(children)));
  }
  add(network_object());
  for (const auto& each : datastores) {
    add(datastore_object(each));
    add({browser_of(each), {{"datastore", std::vector<Reference>{reference_of(each)}}}});
  }
}

void Inventory::add(ManagedObject object) { objects_.push_back(std::move(object)); }

const ManagedObject* Inventory::find(const Reference& reference) const {
  const auto found = std::find_if(objects_.begin(), objects_.end(), [&](const ManagedObject& object) {
    return object.reference.id == reference.id && is_kind_of(object.reference.type, reference.type);
  });
  return found == objects_.end() ? nullptr : &*found;
}

Answer<const Value*> property(const ManagedObject& object, std::string_view path) {
  std::string_view type = object.reference.type;
  const std::vector<Field>* fields = &object.properties;
  std::string_view rest = path;
  while (true) {
    const auto dot = rest.find('.');
    const std::string_view name = rest.substr(0, dot);
    if (!has_property(type, name)) return tl::unexpected(invalid_property(path));
    const Value* value = find_field(*fields, name);
    // Below an unset property everything is unset.
    if (dot == std::string_view::npos || value == nullptr) return value;
    const auto* data = std::get_if<DataObject>(value);
    if (data == nullptr) return tl::unexpected(invalid_property(path));
    type = data->type;
    fields = &data->fields;
    rest.remove_prefix(dot + 1);
  }
}

Answer<std::vector<Reference>> contained_in(const Inventory& inventory, const Reference& container,
                                            const std::vector<std::string>& types, bool recursive) {
  const ManagedObject* start = inventory.find(container);
  if (start == nullptr) return tl::unexpected(object_not_found(container));
  if (start->reference.type != "Folder" && start->reference.type != "Datacenter") {
    return tl::unexpected(invalid_argument("container", "A view's container must be a Folder or a Datacenter."));
  }
  std::vector<Reference> shown;
  std::vector<const ManagedObject*> open{start};
  for (std::size_t next = 0; next < open.size(); ++next) {  // the tree has no cycles
    for (const auto& child : children_of(*open[next])) {
      const bool matches = types.empty() || std::any_of(types.begin(), types.end(), [&](const std::string& type) {
                             return is_kind_of(child.type, type);
                           });
      if (matches) shown.push_back(child);
      if (recursive) open.push_back(inventory.find(child));
    }
  }
  return shown;
}

}  // namespace quire::wire::vim
