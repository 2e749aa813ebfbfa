#include "content/permission.h"

#include <algorithm>

namespace quire::content {
namespace {

/// What the permissions on one object come to, those of it that count.
class OnObject {
 public:
  void add(const GrantedRole& granted) {
    if (granted.permission.type == PrincipalType::USER)
      own_ = granted.privileges;
    else if (groups_)
      *groups_ |= granted.privileges;
    else
      groups_ = granted.privileges;
  }
  /// `inherited` when none was added.
  PrivilegeSet over(const PrivilegeSet& inherited) const { return own_ ? *own_ : groups_.value_or(inherited); }

 private:
  std::optional<PrivilegeSet> own_;
  std::optional<PrivilegeSet> groups_;
};

struct Object {
  OnObject itself;
  OnObject below;
};

}  // namespace

Grants::Grants(const std::vector<GrantedRole>& granted) {
  std::unordered_map<LibraryId, Object> objects;
  for (const auto& one : granted) {
    auto& object = objects[one.permission.library];
    object.itself.add(one);
    if (one.permission.propagate) object.below.add(one);
  }
  root_ = objects[LibraryId()].itself.over({});
  inherited_ = objects[LibraryId()].below.over({});
  for (const auto& [id, object] : objects)
    if (!id.empty()) libraries_.emplace(id, OnLibrary{object.itself.over(inherited_), object.below.over(inherited_)});
  find_readable();
}

void Grants::find_readable() {
  const auto reads = [](const PrivilegeSet& set) { return set.has(Privilege::System_Read); };
  readable_libraries_.all_but_named = reads(inherited_);
  readable_items_.all_but_named = reads(inherited_);
  for (const auto& [id, on] : libraries_) {
    if (reads(on.library) != reads(inherited_)) readable_libraries_.named.push_back(id);
    if (reads(on.items) != reads(inherited_)) readable_items_.named.push_back(id);
  }
  std::sort(readable_libraries_.named.begin(), readable_libraries_.named.end());
  std::sort(readable_items_.named.begin(), readable_items_.named.end());
}

Grants Grants::limited(const std::optional<PrivilegeSet>& privileges,
                       const std::optional<std::vector<LibraryId>>& libraries) const {
  const auto most = with_reading(privileges.value_or(PrivilegeSet::all()));
  const auto bounded = [&](PrivilegeSet held) { return held &= most; };
  Grants left;
  if (!libraries) {
    left.root_ = bounded(root_);
    left.inherited_ = bounded(inherited_);
    for (const auto& [id, on] : libraries_)
      left.libraries_.emplace(id, OnLibrary{bounded(on.library), bounded(on.items)});
  } else {
    for (const auto& id : *libraries)
      left.libraries_.emplace(id, OnLibrary{bounded(on_library(id)), bounded(on_items_of(id))});
  }
  left.find_readable();
  return left;
}

const std::shared_ptr<const Grants>& Grants::none() {
  static const auto grants = std::make_shared<const Grants>();
  return grants;
}

const std::shared_ptr<const Grants>& Grants::everything() {
  static const auto grants = std::make_shared<const Grants>(
      std::vector<GrantedRole>{{{"", PrincipalType::USER, LibraryId(), administrator_role}, PrivilegeSet::all()}});
  return grants;
}

const PrivilegeSet& Grants::on_library(const LibraryId& id) const {
  const auto found = libraries_.find(id);
  return found == libraries_.end() ? inherited_ : found->second.library;
}

const PrivilegeSet& Grants::on_items_of(const LibraryId& id) const {
  const auto found = libraries_.find(id);
  return found == libraries_.end() ? inherited_ : found->second.items;
}

bool Grants::cover(const Grants& other) const {
  if (!root_.covers(other.root_) || !inherited_.covers(other.inherited_)) return false;
  const auto is_covered = [&](const auto& entry) {
    const auto& id = entry.first;
    return on_library(id).covers(other.on_library(id)) && on_items_of(id).covers(other.on_items_of(id));
  };
  return std::all_of(libraries_.begin(), libraries_.end(), is_covered) &&
         std::all_of(other.libraries_.begin(), other.libraries_.end(), is_covered);
}

}  // namespace quire::content
