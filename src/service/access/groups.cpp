#include "service/access/groups.h"

#include <algorithm>

#include "content/text.h"
#include "service/access/access_rules.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::EventKind;
using content::Group;
using content::GroupMember;
using content::Privilege;

Result<void> check_spec(const GroupSpec& spec, const content::Limits& limits) {
  QUIRE_RETURN_IF_ERROR(
      content::check_text("description", spec.description.value_or(""), limits.description_chars_max));
  if (!spec.members || spec.members->size() <= limits.group_members_max) return {};
  return Error(ErrorKind::invalid_argument, "quire.access.too_many_members",
               "A group has at most {limit} members; {count} were given.",
               {{"limit", static_cast<std::int64_t>(limits.group_members_max)},
                {"count", static_cast<std::int64_t>(spec.members->size())}});
}

/// A group that the caller may change.
Result<Group> find_lesser_group(View view, const std::string& name) {
  QUIRE_ASSIGN_OR_RETURN(auto group, find_group(view, name));
  const std::vector<std::string> alone = {group.name};
  QUIRE_RETURN_IF_ERROR(
      check_holds(view.caller(), content::Grants(view->granted_roles("", alone)), "group " + group.name));
  return group;
}

/// Makes the members these, as their users are shown.
Result<void> set_members(Transaction& t, const Group& group, const std::vector<std::string>& names) {
  std::vector<GroupMember> members;
  for (const auto& name : names) {
    QUIRE_ASSIGN_OR_RETURN(const auto user, find_user(t, name));
    members.push_back({user.name});
  }
  const auto is_in = [](const std::vector<GroupMember>& all, const GroupMember& member) {
    return std::find(all.begin(), all.end(), member) != all.end();
  };
  const auto before = t->list<GroupMember>(group.id);
  for (const auto& member : before)
    if (!is_in(members, member)) t->remove<GroupMember>({group.id, member.name});
  for (const auto& member : members)
    if (!is_in(before, member)) t->put(group.id, member);
  return {};
}

}  // namespace

Result<std::vector<std::string>> Groups::list(const Caller& caller) {
  return read_governed(context_, caller,
                       [](View view) -> Result<std::vector<std::string>> { return names_of(view->groups()); });
}

Result<GroupView> Groups::get(const Caller& caller, const std::string& name) {
  return read_governed(context_, caller, [&](View view) -> Result<GroupView> {
    QUIRE_ASSIGN_OR_RETURN(auto group, find_group(view, name));
    auto members = names_of(view->list<GroupMember>(group.id));
    return GroupView{std::move(group), std::move(members)};
  });
}

Result<void> Groups::create(const Caller& caller, const std::string& name, const GroupSpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyPermissions));
  QUIRE_RETURN_IF_ERROR(check_principal_name(name, context_.limits));
  QUIRE_RETURN_IF_ERROR(check_spec(spec, context_.limits));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    const Group group{content::group_id(name), name, spec.description.value_or("")};
    if (t->find<Group>(group.id))
      return Error(ErrorKind::already_exists, "quire.access.group_exists", "There is a group {group} already.",
                   {{"group", name}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    t->insert(group);
    const auto members = spec.members.value_or(std::vector<std::string>());
    QUIRE_RETURN_IF_ERROR(set_members(t, group, members));
    record_access(t, EventKind::group_created, name, {{"members", joined(members)}});
    return {};
  });
}

Result<void> Groups::update(const Caller& caller, const std::string& name, const GroupSpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyPermissions));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto group, find_lesser_group(t, name));
    QUIRE_RETURN_IF_ERROR(check_spec(spec, context_.limits));
    EventDetails changed;
    if (spec.description && *spec.description != group.description) {
      group.description = *spec.description;
      t->update(group);
      changed.push_back({"description", group.description});
    }
    if (spec.members) {
      const auto before = t->list<GroupMember>(group.id);
      QUIRE_RETURN_IF_ERROR(set_members(t, group, *spec.members));
      const auto after = t->list<GroupMember>(group.id);
      if (after != before) changed.push_back({"members", joined(names_of(after))});
      QUIRE_RETURN_IF_ERROR(check_administrator_left(t));
    }
    if (!changed.empty()) record_access(t, EventKind::group_updated, group.name, std::move(changed));
    return {};
  });
}

Result<void> Groups::remove(const Caller& caller, const std::string& name) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::Authorization_ModifyPermissions));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto group, find_lesser_group(t, name));
    content::PermissionFilter own;
    own.principal = group.name;
    own.type = content::PrincipalType::GROUP;
    t->remove_permissions(own);
    t->remove<Group>(group.id);
    QUIRE_RETURN_IF_ERROR(check_administrator_left(t));
    record_access(t, EventKind::group_deleted, group.name);
    return {};
  });
}

}  // namespace quire::service
