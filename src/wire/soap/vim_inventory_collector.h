#pragma once

#include <string>
#include <vector>

#include "wire/soap/vim_inventory.h"

/// The property collector's walk over an inventory (wire-protocols.md §4.5).
namespace quire::wire::vim {

/// Which properties of which objects. `type` also means every subclass.
struct PropertySpec {
  std::string type;
  bool all = false;
  std::vector<std::string> paths;
};

/// Where to go next from an object: along the property `path` of objects of `type`, or, when `path` is empty (a plain
/// SelectionSpec), as the traversal called `name` elsewhere in the same object spec says.
struct SelectionSpec {
  std::string name;
  std::string type;
  std::string path;
  bool skip = false;  ///< the objects reached are not part of the result
  std::vector<SelectionSpec> next;
};

struct ObjectSpec {
  Reference object;
  bool skip = false;
  std::vector<SelectionSpec> next;
};

struct FilterSpec {
  std::vector<PropertySpec> properties;
  std::vector<ObjectSpec> objects;
};

/// An object and those of its properties that were asked for and are set.
struct ObjectContent {
  Reference object;
  std::vector<Field> properties;
};

/// Every object that the specs reach and have a PropertySpec for, once, in the order visited. ManagedObjectNotFound for
/// an unknown start; InvalidProperty for a path that the object's class does not have. Costs at most inventory size
/// times spec size.
Answer<std::vector<ObjectContent>> retrieve(const Inventory& inventory, const std::vector<FilterSpec>& specs);

}  // namespace quire::wire::vim
