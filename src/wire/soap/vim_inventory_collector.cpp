#include "wire/soap/vim_inventory_collector.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace quire::wire::vim {
namespace {

/// The result so far. An object that several specs reach stands in it once, with the properties of all of them.
class Collection {
 public:
  /// Adds the properties that `specs` want of `object`; nothing when none of them is for its class.
  Answer<void> add(const ManagedObject& object, const std::vector<PropertySpec>& specs) {
    for (const auto& spec : specs) {
      if (!is_kind_of(object.reference.type, spec.type)) continue;
      ObjectContent& content = content_of(object.reference);
      if (spec.all) {
        for (const auto& each : object.properties) put(content, each.name, each.value);
      }
      for (const auto& path : spec.paths) {
        const auto value = property(object, path);
        if (!value) return tl::unexpected(value.error());
        if (*value != nullptr) put(content, path, **value);
      }
    }
    return {};
  }

  std::vector<ObjectContent> take() && { return std::move(contents_); }

 private:
  ObjectContent& content_of(const Reference& object) {
    const auto found = std::find_if(contents_.begin(), contents_.end(),
                                    [&](const ObjectContent& content) { return content.object == object; });
    if (found != contents_.end()) return *found;
    return contents_.emplace_back(ObjectContent{object, {}});
  }

  static void put(ObjectContent& content, std::string_view name, const Value& value) {
    const bool is_there = std::any_of(content.properties.begin(), content.properties.end(),
                                      [&](const Field& field) { return field.name == name; });
    if (!is_there) content.properties.push_back({std::string(name), value});
  }

  std::vector<ObjectContent> contents_;
};

/// The walk of one object spec.
class Walk {
 public:
  Walk(const Inventory& inventory, const ObjectSpec& spec) : inventory_(inventory), spec_(spec) {
    index_names(spec.next);
  }

  /// Calls `emit` for every object that is reached and not skipped, an object possibly more than once.
  template <class Emit>
  Answer<void> run(Emit emit) {
    const ManagedObject* start = inventory_.find(spec_.object);
    if (start == nullptr) return tl::unexpected(object_not_found(spec_.object));
    if (!spec_.skip) {
      if (auto emitted = emit(*start); !emitted) return emitted;
    }
    schedule(*start, spec_.next);
    for (std::size_t next = 0; next < steps_.size(); ++next) {
      const auto [from, traversal] = steps_[next];
      const auto reached = targets(*from, *traversal);
      if (!reached) return tl::unexpected(reached.error());
      for (const ManagedObject* object : *reached) {
        if (!traversal->skip) {
          if (auto emitted = emit(*object); !emitted) return emitted;
        }
        schedule(*object, traversal->next);
      }
    }
    return {};
  }

 private:
  void index_names(const std::vector<SelectionSpec>& selections) {
    for (const auto& each : selections) {
      if (!each.path.empty() && !each.name.empty()) named_.emplace(each.name, &each);
      index_names(each.next);
    }
  }

  /// Each traversal is followed from each object once: that ends recursion by name even on a cycle of references.
  void schedule(const ManagedObject& from, const std::vector<SelectionSpec>& selections) {
    for (const auto& each : selections) {
      const SelectionSpec* traversal = &each;
      if (each.path.empty()) {
        const auto found = named_.find(each.name);
        if (found == named_.end()) continue;
        traversal = found->second;
      }
      if (!is_kind_of(from.reference.type, traversal->type)) continue;
      if (followed_.emplace(&from, traversal).second) steps_.emplace_back(&from, traversal);
    }
  }

  Answer<std::vector<const ManagedObject*>> targets(const ManagedObject& from, const SelectionSpec& traversal) const {
    const auto value = property(from, traversal.path);
    if (!value) return tl::unexpected(value.error());
    std::vector<Reference> references;
    if (*value != nullptr) {
      if (const auto* one = std::get_if<Reference>(*value)) references.push_back(*one);
      if (const auto* many = std::get_if<std::vector<Reference>>(*value)) references = *many;
    }
    std::vector<const ManagedObject*> objects;
    for (const auto& each : references) {
      if (const ManagedObject* object = inventory_.find(each)) objects.push_back(object);
    }
    return objects;
  }

  using Step = std::pair<const ManagedObject*, const SelectionSpec*>;

  const Inventory& inventory_;
  const ObjectSpec& spec_;
  std::map<std::string_view, const SelectionSpec*> named_;
  std::set<Step> followed_;
  std::vector<Step> steps_;
};

}  // namespace

Answer<std::vector<ObjectContent>> retrieve(const Inventory& inventory, const std::vector<FilterSpec>& specs) {
  Collection collection;
  for (const auto& spec : specs) {
    std::set<const ManagedObject*> emitted;
    for (const auto& object_spec : spec.objects) {
      auto walked = Walk(inventory, object_spec).run([&](const ManagedObject& object) -> Answer<void> {
        if (!emitted.insert(&object).second) return {};
        return collection.add(object, spec.properties);
      });
      if (!walked) return tl::unexpected(std::move(walked).error());
    }
  }
  return std::move(collection).take();
}

}  // namespace quire::wire::vim
