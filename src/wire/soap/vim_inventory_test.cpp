#include "wire/soap/vim_inventory.h"

#include <gmock/gmock.h>

#include "wire/soap/vim_inventory_collector.h"
#include "wire/soap/vim_inventory_fixture.h"

namespace quire::wire::vim {
namespace {

using content::BlobStore;
using testing::ElementsAre;
using testing::IsEmpty;

const Reference root_folder{"Folder", "group-d1"};
const Reference dc0{"Datacenter", "datacenter-2"};
const Reference vm_folder{"Folder", "group-v3"};
const Reference host_folder{"Folder", "group-h4"};
const Reference datastore_folder{"Folder", "group-s5"};
const Reference network_folder{"Folder", "group-n6"};
const Reference network{"Network", "network-7"};
const Reference first{"Datastore", "datastore-11"};
const Reference second{"Datastore", "datastore-12"};

std::vector<Datastore> two_datastores() {
  return datastores(content::Storages({storage_of("datastore-11", "LocalDS_0", BlobStore::Space{1000, 400}),
                                       storage_of("datastore-12", "Broken", std::nullopt)}));
}

Inventory inventory() { return Inventory(two_datastores()); }

Value value_at(const Inventory& from, const Reference& object, std::string_view path) {
  const auto value = property(*from.find(object), path);
  EXPECT_TRUE(value) << path;
  EXPECT_NE(*value, nullptr) << path;
  return **value;
}

std::vector<std::string> names_of(const std::vector<Field>& fields) {
  std::vector<std::string> names;
  for (const auto& each : fields) names.push_back(each.name);
  return names;
}

std::vector<Reference> objects_of(const std::vector<ObjectContent>& contents) {
  std::vector<Reference> objects;
  for (const auto& each : contents) objects.push_back(each.object);
  return objects;
}

TEST(VimInventory, ADatastorePerStorageAndAStorageThatFailsIsNotAccessible) {
  const auto all = two_datastores();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, "datastore-11");
  EXPECT_EQ(all[0].name, "LocalDS_0");
  EXPECT_EQ(all[0].url, "ds:///vmfs/volumes/5f3c0000-datastore-11/");
  EXPECT_TRUE(all[0].accessible);
  EXPECT_EQ(all[0].capacity_bytes, 1000);
  EXPECT_EQ(all[0].free_bytes, 400);
  EXPECT_FALSE(all[1].accessible);
  EXPECT_EQ(all[1].capacity_bytes, 0);
}

TEST(VimInventory, TheTreeIsAsClientsWalkIt) {
  const Inventory all = inventory();
  EXPECT_EQ(std::get<std::string>(value_at(all, root_folder, "name")), "Datacenters");
  EXPECT_THAT(std::get<std::vector<Reference>>(value_at(all, root_folder, "childEntity")), ElementsAre(dc0));
  EXPECT_THAT(std::get<std::vector<std::string>>(value_at(all, root_folder, "childType")),
              ElementsAre("Folder", "Datacenter"));
  EXPECT_EQ(std::get<std::string>(value_at(all, dc0, "name")), "DC0");
  EXPECT_EQ(std::get<Reference>(value_at(all, dc0, "parent")), root_folder);
  EXPECT_EQ(std::get<Reference>(value_at(all, dc0, "vmFolder")), vm_folder);
  EXPECT_EQ(std::get<Reference>(value_at(all, dc0, "hostFolder")), host_folder);
  EXPECT_EQ(std::get<Reference>(value_at(all, dc0, "datastoreFolder")), datastore_folder);
  EXPECT_EQ(std::get<Reference>(value_at(all, dc0, "networkFolder")), network_folder);
  for (const auto& folder : {vm_folder, host_folder, datastore_folder, network_folder}) {
    EXPECT_EQ(std::get<Reference>(value_at(all, folder, "parent")), dc0);
  }
  EXPECT_THAT(std::get<std::vector<Reference>>(value_at(all, datastore_folder, "childEntity")),
              ElementsAre(first, second));
  EXPECT_THAT(std::get<std::vector<Reference>>(value_at(all, network_folder, "childEntity")), ElementsAre(network));
  EXPECT_THAT(std::get<std::vector<Reference>>(value_at(all, dc0, "network")), ElementsAre(network));
  EXPECT_EQ(std::get<Reference>(value_at(all, network, "parent")), network_folder);
  EXPECT_EQ(std::get<std::string>(value_at(all, network, "summary.name")), "VM Network");
  EXPECT_THAT(std::get<std::vector<Reference>>(value_at(all, vm_folder, "childEntity")), IsEmpty());
  EXPECT_EQ(std::get<Reference>(value_at(all, first, "parent")), datastore_folder);
  EXPECT_NE(all.find(std::get<Reference>(value_at(all, first, "browser"))), nullptr);
}

TEST(VimInventory, DatastoreSummaryAndCapability) {
  const Inventory all = inventory();
  EXPECT_EQ(std::get<Reference>(value_at(all, first, "summary.datastore")), first);
  EXPECT_EQ(std::get<std::string>(value_at(all, first, "summary.name")), "LocalDS_0");
  EXPECT_EQ(std::get<std::string>(value_at(all, first, "summary.url")), "ds:///vmfs/volumes/5f3c0000-datastore-11/");
  EXPECT_EQ(std::get<std::int64_t>(value_at(all, first, "summary.capacity")), 1000);
  EXPECT_EQ(std::get<std::int64_t>(value_at(all, first, "summary.freeSpace")), 400);
  EXPECT_TRUE(std::get<bool>(value_at(all, first, "summary.accessible")));
  EXPECT_FALSE(std::get<bool>(value_at(all, second, "summary.accessible")));
  EXPECT_TRUE(std::get<bool>(value_at(all, first, "capability.topLevelDirectoryCreateSupported")));
}

TEST(VimInventory, PropertyTellsUnsetFromUnknown) {
  const Inventory all = inventory();
  const auto unset = [&](const Reference& object, std::string_view path) {
    const auto value = property(*all.find(object), path);
    return value && *value == nullptr;
  };
  EXPECT_TRUE(unset(root_folder, "parent"));
  EXPECT_TRUE(unset(first, "info"));
  EXPECT_TRUE(unset(first, "info.url"));
  EXPECT_TRUE(unset(first, "summary.uncommitted"));
  EXPECT_TRUE(unset(dc0, "overallStatus"));

  for (const auto* path :
       {"", ".", "nope", "childEntity", "summary.", "summary.nope", "summary.url.more", "parent.name", "Name"}) {
    const auto value = property(*all.find(first), path);
    ASSERT_FALSE(value) << path;
    EXPECT_EQ(value.error().type, "InvalidProperty");
    ASSERT_EQ(value.error().fields.size(), 1U);
    EXPECT_EQ(value.error().fields[0].name, "name");
    EXPECT_EQ(std::get<std::string>(value.error().fields[0].value), path);
  }
}

TEST(VimInventory, FindGoesByIdAndAnyClassOfTheObject) {
  const Inventory all = inventory();
  EXPECT_NE(all.find({"Datastore", "datastore-11"}), nullptr);
  EXPECT_NE(all.find({"ManagedEntity", "datastore-11"}), nullptr);
  EXPECT_EQ(all.find({"VirtualMachine", "datastore-11"}), nullptr);
  EXPECT_EQ(all.find({"", "datastore-11"}), nullptr);
  EXPECT_EQ(all.find({"Datastore", "datastore-99"}), nullptr);
}

TEST(VimInventory, ViewsShowChildrenOrDescendantsOfTheTypes) {
  const Inventory all = inventory();
  const auto shown = [&](const Reference& container, const std::vector<std::string>& types, bool recursive) {
    const auto found = contained_in(all, container, types, recursive);
    return found ? *found : std::vector<Reference>{{"fault", found.error().type}};
  };
  EXPECT_THAT(shown(root_folder, {"Datastore"}, true), ElementsAre(first, second));
  EXPECT_THAT(shown(root_folder, {"Datastore"}, false), IsEmpty());
  EXPECT_THAT(shown(datastore_folder, {"Datastore"}, false), ElementsAre(first, second));
  EXPECT_THAT(shown(dc0, {"Datastore"}, true), ElementsAre(first, second));
  EXPECT_THAT(shown(root_folder, {"VirtualMachine"}, true), IsEmpty());
  EXPECT_THAT(shown(root_folder, {"Datacenter"}, true), ElementsAre(dc0));
  EXPECT_THAT(shown(root_folder, {"Folder"}, true),
              ElementsAre(vm_folder, host_folder, datastore_folder, network_folder));
  EXPECT_THAT(shown(root_folder, {"VirtualMachine", "Datacenter", "Datastore"}, true), ElementsAre(dc0, first, second));
  EXPECT_THAT(shown(root_folder, {"ManagedEntity"}, true),
              ElementsAre(dc0, vm_folder, host_folder, datastore_folder, network_folder, first, second, network));
  EXPECT_THAT(shown(root_folder, {}, false), ElementsAre(dc0));
  EXPECT_THAT(shown(root_folder, {}, true), testing::SizeIs(8));
  EXPECT_THAT(shown(first, {}, true), ElementsAre(Reference{"fault", "InvalidArgument"}));
  EXPECT_THAT(shown({"Folder", "group-x9"}, {}, true), ElementsAre(Reference{"fault", "ManagedObjectNotFound"}));
}

/// The finder's ancestor walk (wire-protocols.md §4.6).
std::vector<SelectionSpec> to_ancestors() {
  return {{.name = "traverseParent",
           .type = "ManagedEntity",
           .path = "parent",
           .skip = false,
           .next = {{.name = "traverseParent", .type = "", .path = "", .skip = false, .next = {}}}},
          {.name = "",
           .type = "VirtualMachine",
           .path = "parentVApp",
           .skip = false,
           .next = {{.name = "traverseParent", .type = "", .path = "", .skip = false, .next = {}}}}};
}

TEST(PropertyCollector, AncestorsRecurseByNameFromTheChildToTheRoot) {
  const auto contents =
      retrieve(inventory(), {{{{"ManagedEntity", false, {"name", "parent"}}, {"VirtualMachine", false, {"parentVApp"}}},
                              {{first, false, to_ancestors()}}}});
  ASSERT_TRUE(contents);
  EXPECT_THAT(objects_of(*contents), ElementsAre(first, datastore_folder, dc0, root_folder));
  EXPECT_THAT(names_of(contents->front().properties), ElementsAre("name", "parent"));
  EXPECT_THAT(names_of(contents->back().properties), ElementsAre("name"));
}

TEST(PropertyCollector, SkipLeavesObjectsOutButWalksThroughThem) {
  const Inventory all = inventory();
  const SelectionSpec to_datastores{.name = "", .type = "Folder", .path = "childEntity", .skip = false, .next = {}};
  SelectionSpec to_folder{
      .name = "", .type = "Datacenter", .path = "datastoreFolder", .skip = true, .next = {to_datastores}};
  const std::vector<PropertySpec> everything{{"ManagedEntity", false, {"name"}}};
  const auto skipping = retrieve(all, {{everything, {{dc0, true, {to_folder}}}}});
  ASSERT_TRUE(skipping);
  EXPECT_THAT(objects_of(*skipping), ElementsAre(first, second));
  to_folder.skip = false;
  const auto showing = retrieve(all, {{everything, {{dc0, false, {to_folder}}}}});
  ASSERT_TRUE(showing);
  EXPECT_THAT(objects_of(*showing), ElementsAre(dc0, datastore_folder, first, second));
}

TEST(PropertyCollector, ACycleOfReferencesEnds) {
  const SelectionSpec again{.name = "around", .type = "", .path = "", .skip = false, .next = {}};
  const SelectionSpec up{.name = "around", .type = "ManagedEntity", .path = "parent", .skip = false, .next = {again}};
  const SelectionSpec down{.name = "down", .type = "Folder", .path = "childEntity", .skip = false, .next = {again}};
  const auto contents =
      retrieve(inventory(), {{{{"ManagedEntity", false, {}}}, {{datastore_folder, false, {down, up}}}}});
  ASSERT_TRUE(contents);
  EXPECT_THAT(objects_of(*contents), testing::UnorderedElementsAre(datastore_folder, first, second, dc0, root_folder));
}

TEST(PropertyCollector, AnObjectStandsOnceWithThePropertiesOfAllSpecs) {
  const auto contents = retrieve(
      inventory(), {{{{"Datastore", false, {"name", "summary.url"}}, {"ManagedEntity", false, {"name", "parent"}}},
                     {{first, false, {}}, {first, false, {}}}},
                    {{{"Datastore", false, {"summary.capacity"}}}, {{first, false, {}}}}});
  ASSERT_TRUE(contents);
  ASSERT_THAT(objects_of(*contents), ElementsAre(first));
  EXPECT_THAT(names_of(contents->front().properties), ElementsAre("name", "summary.url", "parent", "summary.capacity"));
}

TEST(PropertyCollector, AllMeansEveryTopLevelPropertyThatIsSet) {
  const auto contents = retrieve(inventory(), {{{{"Datastore", true, {}}}, {{first, false, {}}}}});
  ASSERT_TRUE(contents);
  EXPECT_THAT(names_of(contents->front().properties),
              testing::UnorderedElementsAre("parent", "name", "summary", "browser", "capability"));
}

TEST(PropertyCollector, WithoutAMatchingPropertySpecNothingComes) {
  const Inventory all = inventory();
  const auto contents = retrieve(all, {{{{"VirtualMachine", false, {"nonsense"}}}, {{first, false, {}}}}});
  ASSERT_TRUE(contents);
  EXPECT_THAT(*contents, IsEmpty());
  EXPECT_THAT(*retrieve(all, {}), IsEmpty());
}

TEST(PropertyCollector, Faults) {
  const Inventory all = inventory();
  const std::vector<PropertySpec> names{{"ManagedEntity", false, {"name"}}};
  const auto fault = [&](const FilterSpec& spec) {
    const auto contents = retrieve(all, {spec});
    return contents ? std::string("none") : contents.error().type;
  };
  EXPECT_EQ(fault({names, {{{"Datastore", "datastore-99"}, false, {}}}}), "ManagedObjectNotFound");
  EXPECT_EQ(fault({{{"Datastore", false, {"nope"}}}, {{first, false, {}}}}), "InvalidProperty");
  EXPECT_EQ(
      fault({names, {{first, false, {{.name = "", .type = "Datastore", .path = "nope", .skip = false, .next = {}}}}}}),
      "InvalidProperty");
  // A name that no traversal has, and a path that holds no reference, lead nowhere.
  EXPECT_EQ(fault({names, {{first, false, {{.name = "lost", .type = "", .path = "", .skip = false, .next = {}}}}}}),
            "none");
  EXPECT_EQ(
      fault({names, {{first, false, {{.name = "", .type = "Datastore", .path = "name", .skip = false, .next = {}}}}}}),
      "none");
}

}  // namespace
}  // namespace quire::wire::vim
