#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "base/time.h"
#include "service/inventory.h"

/// The inventory (service/inventory.h) as vim25 has it: managed objects with properties (wire-protocols.md §4.3). Plain
/// data and functions on it; nothing here knows SOAP.
namespace quire::wire::vim {

/// A ManagedObjectReference.
struct Reference {
  std::string type;  ///< class, `Datastore`
  std::string id;    ///< `datastore-11`
  auto operator<=>(const Reference&) const = default;
};

struct Field;

/// A data object such as DatastoreSummary. Unset fields are absent; the others stand in the schema's order.
struct DataObject {
  std::string type;
  std::vector<Field> fields;
  bool says_type = false;  ///< written with its class also where the schema fixes one: of which it is a subclass
};

struct DataObjects {
  std::string type;  ///< of each
  std::vector<DataObject> items;
};

using Value = std::variant<std::string, bool, std::int64_t, base::Time, Reference, std::vector<Reference>,
                           std::vector<std::string>, DataObject, DataObjects>;

/// A named value: a field of a data object or a property of a managed object.
struct Field {
  std::string name;
  Value value;
};

struct ManagedObject {
  Reference reference;
  std::vector<Field> properties;  ///< unset ones are absent
};

/// Why a vim25 method failed (§4.4): the fault's class, a text for people, and its fields in the schema's order.
struct Fault {
  std::string type;  ///< `InvalidProperty`
  std::string text;
  std::vector<Field> fields;
};

template <class T>
using Answer = tl::expected<T, Fault>;

Fault object_not_found(const Reference& object);
Fault invalid_property(std::string_view path);
Fault invalid_argument(std::string_view argument, std::string text);

using service::datacenter_id;
using service::datacenter_name;
using service::Datastore;
using service::datastore_folder_id;
using service::datastores;
using service::host_folder_id;
using service::network_folder_id;
using service::network_id;
using service::network_name;
using service::root_folder_id;
using service::vm_folder_id;

/// True when `type` is `ancestor` or derives from it in vim25; false for classes that no object here can have.
bool is_kind_of(std::string_view type, std::string_view ancestor);

/// Managed objects by reference, at one moment.
class Inventory {
 public:
  /// Folders, datacenter, network and datastores.
  explicit Inventory(const std::vector<Datastore>& datastores);

  /// Adds an object that is not part of the tree, such as the SessionManager.
  void add(ManagedObject object);

  /// The object of that id, if `reference.type` is its class or an ancestor of it; else nullptr. Good until add().
  const ManagedObject* find(const Reference& reference) const;

 private:
  std::vector<ManagedObject> objects_;
};

/// The value at a property path such as `name` or `summary.url`; nullptr when it is unset. InvalidProperty when the
/// object's class (§4.3, and what else vim25 gives that class) has no such property.
Answer<const Value*> property(const ManagedObject& object, std::string_view path);

/// What a ContainerView on `container` shows: its children, all descendants when `recursive`, that are of one of
/// `types` (subclasses included; all when empty). ManagedObjectNotFound; InvalidArgument for what is neither Folder nor
/// Datacenter.
Answer<std::vector<Reference>> contained_in(const Inventory& inventory, const Reference& container,
                                            const std::vector<std::string>& types, bool recursive);

}  // namespace quire::wire::vim
