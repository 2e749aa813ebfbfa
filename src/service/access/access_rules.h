#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/transaction/find.h"

/// The rules that changes of users, groups, roles and permissions share. Not for the layers above.
namespace quire::service {

/// InvalidArgument for what cannot be the name of a user or group: besides the rules for names, no colon (RFC 7617 ends
/// the user there, and the server's own workers have one) and no blank at an end.
base::Result<void> check_principal_name(const std::string& name, const content::Limits& limits);

/// The user or group of that name, as it is shown; NotFound.
base::Result<content::User> find_user(View view, std::string_view name);
base::Result<content::Group> find_group(View view, std::string_view name);
/// Also one of the system's; NotFound.
base::Result<content::Role> find_role(View view, std::int64_t id);

/// Unauthorized when the caller would hand out, or take over, what they do not hold themselves. `what` as the message
/// names it: `user alice`.
base::Result<void> check_holds(const content::Caller& caller, const content::Grants& grants, const std::string& what);

/// NotAllowedInCurrentState when after this change nobody would be left who has the role Administrator on the root.
base::Result<void> check_administrator_left(Transaction& t);

/// The event of a change to who may do what; `subject` is a name.
void record_access(Transaction& t, content::EventKind kind, const std::string& subject, EventDetails details = {});

/// What `function(View)` returns, a Result, for whoever may manage permissions on the root; Unauthorized.
template <class F>
auto read_governed(Context& context, const content::Caller& caller, F&& function)
    -> decltype(read(context, caller, function)) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, content::Privilege::Authorization_ModifyPermissions));
  return read(context, caller, function);
}

/// Of users, groups or members.
template <class T>
std::vector<std::string> names_of(const std::vector<T>& all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const auto& one : all) names.push_back(one.name);
  return names;
}

/// Names, for an event.
std::string joined(const std::vector<std::string>& names);

}  // namespace quire::service
