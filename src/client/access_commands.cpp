#include <boost/json/array.hpp>

#include "client/catalog_names.h"
#include "client/command_groups.h"
#include "client/failure.h"
#include "client/json_reading.h"

namespace quire::client {
namespace {

namespace json = boost::json;
using base::Result;

const OptionDefinition password_stdin = {"password-stdin", "", "Read the password from the first line of stdin"};
const OptionDefinition password_file = {"password-file", "FILE", "Read the password from the first line of a file",
                                        false,           {},     Completes::file};

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array all;
  for (const auto& text : texts) all.emplace_back(text);
  return all;
}

Result<void> show_users(Api& api, const Arguments&, Output& output, json::object& result) {
  output.heading({"NAME", "ENABLED", "GROUPS", "DESCRIPTION"});
  QUIRE_ASSIGN_OR_RETURN(const auto names, api.call("users.list"));
  for (const auto& name : texts_of(names)) {
    const auto user = api.call("users.get", {{"user", name}});
    if (!user && user.error().kind() == base::ErrorKind::not_found) continue;
    if (!user) return user.error();
    const auto* groups = find_member(*user, "groups");
    output.row("user",
               {name, flag_at(*user, "enabled") ? "yes" : "no",
                groups == nullptr ? std::string() : joined(texts_of(*groups)), text_at(*user, "description")},
               object_of(*user));
  }
  result["count"] = elements_of(names).size();
  return {};
}

Result<void> create_user(Api& api, const Arguments& arguments, Output& output, json::object&) {
  const auto name = arguments.text("USER");
  QUIRE_ASSIGN_OR_RETURN(const auto password, read_secret(arguments, "password", "Password for " + name + ": "));
  json::object spec{{"name", name}, {"password", password}};
  if (const auto description = arguments.find("description")) spec["description"] = *description;
  QUIRE_RETURN_IF_ERROR(api.call("users.create", {{"spec", spec}}));
  output.note("created user " + name);
  return {};
}

Result<void> set_password(Api& api, const Arguments& arguments, Output& output, json::object&) {
  const auto name = arguments.text("USER");
  QUIRE_ASSIGN_OR_RETURN(const auto password, read_secret(arguments, "password", "New password for " + name + ": "));
  QUIRE_RETURN_IF_ERROR(api.call("users.set_password", {{"user", name}, {"password", password}}));
  output.note("set the password of " + name);
  return {};
}

ApiCommand enabling(bool enabled) {
  return [enabled](Api& api, const Arguments& arguments, Output& output, json::object&) -> Result<void> {
    const auto name = arguments.text("USER");
    QUIRE_RETURN_IF_ERROR(api.call("users.update", {{"user", name}, {"spec", json::object{{"enabled", enabled}}}}));
    output.note((enabled ? "enabled " : "disabled ") + name);
    return {};
  };
}

Result<void> delete_user(Api& api, const Arguments& arguments, Output& output, json::object&) {
  QUIRE_RETURN_IF_ERROR(api.call("users.delete", {{"user", arguments.text("USER")}}));
  output.note("removed user " + arguments.text("USER"));
  return {};
}

Result<void> show_roles(Api& api, const Arguments&, Output& output, json::object& result) {
  output.heading({"ROLE", "NAME", "SYSTEM", "PRIVILEGES"});
  QUIRE_ASSIGN_OR_RETURN(const auto roles, api.call("roles.list"));
  for (const auto& role : elements_of(roles)) {
    const auto* privileges = find_member(role, "privileges");
    output.row("role",
               {text_at(role, "role"), text_at(role, "name"), flag_at(role, "system") ? "yes" : "no",
                privileges == nullptr ? "0" : std::to_string(elements_of(*privileges).size())},
               object_of(role));
  }
  result["count"] = elements_of(roles).size();
  return {};
}

/// The number of the role of that name or number.
Result<std::string> find_role(Api& api, const std::string& name) {
  QUIRE_ASSIGN_OR_RETURN(const auto roles, api.call("roles.list"));
  for (const auto& role : elements_of(roles))
    if (text_at(role, "name") == name || text_at(role, "role") == name) return text_at(role, "role");
  return not_found("there is no role '" + name + "'");
}

Result<void> create_role(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  const json::object spec{{"name", arguments.text("NAME")}, {"privileges", array_of(arguments.all("PRIVILEGE"))}};
  QUIRE_ASSIGN_OR_RETURN(const auto role, api.call("roles.create", {{"spec", spec}}));
  result["role"] = role;
  output.note("created role " + arguments.text("NAME"));
  return {};
}

Result<void> delete_role(Api& api, const Arguments& arguments, Output& output, json::object&) {
  QUIRE_ASSIGN_OR_RETURN(const auto role, find_role(api, arguments.text("ROLE")));
  QUIRE_RETURN_IF_ERROR(api.call("roles.delete", {{"role", role}}));
  output.note("removed role " + arguments.text("ROLE"));
  return {};
}

/// `principal`, `type` and `library_id` of a permission.
Result<json::object> permission_place(Api& api, const Arguments& arguments) {
  json::object place{{"principal", arguments.text("PRINCIPAL")}, {"type", arguments.has("group") ? "GROUP" : "USER"}};
  if (const auto library = arguments.find("library")) {
    QUIRE_ASSIGN_OR_RETURN(const auto id, find_library(api, *library));
    place["library_id"] = id;
  }
  return place;
}

Result<void> grant_role(Api& api, const Arguments& arguments, Output& output, json::object&) {
  QUIRE_ASSIGN_OR_RETURN(auto spec, permission_place(api, arguments));
  QUIRE_ASSIGN_OR_RETURN(const auto role, find_role(api, arguments.text("ROLE")));
  spec["role"] = role;
  if (arguments.has("no-propagate")) spec["propagate"] = false;
  QUIRE_RETURN_IF_ERROR(api.call("permissions.set", {{"spec", spec}}));
  output.note("gave " + arguments.text("PRINCIPAL") + " the role " + arguments.text("ROLE"));
  return {};
}

Result<void> revoke_role(Api& api, const Arguments& arguments, Output& output, json::object&) {
  QUIRE_ASSIGN_OR_RETURN(auto place, permission_place(api, arguments));
  QUIRE_RETURN_IF_ERROR(api.call("permissions.delete", std::move(place)));
  output.note("took the role of " + arguments.text("PRINCIPAL"));
  return {};
}

Result<void> show_permissions(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  output.heading({"PRINCIPAL", "TYPE", "ROLE", "LIBRARY", "PROPAGATE"});
  json::object filter;
  if (const auto library = arguments.find("library")) {
    QUIRE_ASSIGN_OR_RETURN(const auto id, find_library(api, *library));
    filter["library_id"] = id;
  }
  QUIRE_ASSIGN_OR_RETURN(const auto permissions, api.call("permissions.list", std::move(filter)));
  for (const auto& permission : elements_of(permissions)) {
    const auto library = text_at(permission, "library_id");
    output.row("permission",
               {text_at(permission, "principal"), text_at(permission, "type"), text_at(permission, "role"),
                library.empty() ? "(all)" : library, flag_at(permission, "propagate") ? "yes" : "no"},
               object_of(permission));
  }
  result["count"] = elements_of(permissions).size();
  return {};
}

Result<void> show_tokens(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  output.heading({"TOKEN", "USER", "NAME", "CREATED", "LAST USED", "EXPIRES"});
  json::object filter;
  if (const auto user = arguments.find("user")) filter["user"] = *user;
  QUIRE_ASSIGN_OR_RETURN(const auto tokens, api.call("tokens.list", std::move(filter)));
  for (const auto& token : elements_of(tokens))
    output.row("token",
               {text_at(token, "token"), text_at(token, "user"), text_at(token, "name"), text_at(token, "created"),
                text_at(token, "last_used"), text_at(token, "expires")},
               object_of(token));
  result["count"] = elements_of(tokens).size();
  return {};
}

Result<void> create_token(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  json::object spec{{"name", arguments.text("NAME")}};
  if (const auto privileges = arguments.all("privilege"); !privileges.empty())
    spec["privileges"] = array_of(privileges);
  if (const auto expires = arguments.find("expires")) spec["expires"] = *expires;
  json::array ids;
  for (const auto& library : arguments.all("library")) {
    QUIRE_ASSIGN_OR_RETURN(const auto id, find_library(api, library));
    ids.emplace_back(id);
  }
  if (!ids.empty()) spec["library_ids"] = std::move(ids);
  QUIRE_ASSIGN_OR_RETURN(const auto created, api.call("tokens.create", {{"spec", spec}}));
  result["token"] = text_at(created, "token");
  result["secret"] = text_at(created, "secret");
  output.line(text_at(created, "secret"));
  output.note("this secret is shown now and never again");
  return {};
}

Result<void> delete_token(Api& api, const Arguments& arguments, Output& output, json::object&) {
  QUIRE_RETURN_IF_ERROR(api.call("tokens.delete", {{"token", arguments.text("TOKEN")}}));
  output.note("removed token " + arguments.text("TOKEN"));
  return {};
}

}  // namespace

void add_access_commands(std::vector<CommandDefinition>& commands) {
  const PositionalDefinition user = {"USER", "The user, as name@vsphere.local"};
  const OptionDefinition library = {"library", "LIBRARY", "On this library alone", false, {}, Completes::library};
  const OptionDefinition group = {"group", "", "PRINCIPAL is a group"};
  const PositionalDefinition principal = {"PRINCIPAL", "The user, or the group with --group"};

  commands.push_back(api_command({{"users"}, "List the users", ""}, show_users));
  commands.push_back(api_command({{"users", "create"},
                                  "Create a user",
                                  "Who has no role may sign in and sees nothing: 'quire roles grant' gives one.",
                                  {user},
                                  {{"description", "TEXT", "Who it is"}, password_stdin, password_file}},
                                 create_user));
  commands.push_back(api_command({{"users", "set-password"},
                                  "Set the password of a user",
                                  "The user's logins end.",
                                  {user},
                                  {password_stdin, password_file}},
                                 set_password));
  commands.push_back(api_command({{"users", "enable"}, "Let a user sign in again", "", {user}}, enabling(true)));
  commands.push_back(
      api_command({{"users", "disable"}, "Let a user no longer sign in", "The user's logins and sessions end.", {user}},
                  enabling(false)));
  commands.push_back(api_command(
      {{"users", "delete"}, "Remove a user", "With all permissions; the user's logins and sessions end.", {user}},
      delete_user));

  commands.push_back(api_command({{"roles"}, "List the roles", ""}, show_roles));
  commands.push_back(api_command(
      {{"roles", "create"},
       "Create a role",
       "",
       {{"NAME", "The name of the role"}, {"PRIVILEGE", "A privilege, as ContentLibrary.AddLibraryItem", true, true}}},
      create_role));
  commands.push_back(
      api_command({{"roles", "delete"}, "Remove a role", "", {{"ROLE", "Name or number"}}}, delete_role));
  commands.push_back(api_command({{"roles", "grant"},
                                  "Give a user or a group a role",
                                  "On all libraries, or on one; an earlier role there is replaced.",
                                  {{"ROLE", "Name or number"}, principal},
                                  {library, group, {"no-propagate", "", "Not on what lies below"}}},
                                 grant_role));
  commands.push_back(api_command(
      {{"roles", "revoke"}, "Take the role of a user or a group", "", {principal}, {library, group}}, revoke_role));
  commands.push_back(
      api_command({{"roles", "granted"}, "List who has which role", "", {}, {library}}, show_permissions));

  commands.push_back(api_command(
      {{"tokens"}, "List API tokens", "", {}, {{"user", "NAME", "Those of this user; else one's own"}}}, show_tokens));
  commands.push_back(api_command(
      {{"tokens", "create"},
       "Create an API token",
       "Prints the secret, which is shown now and never again. Keep it with 'quire login --token-stdin', or "
       "give it to a pipeline as QUIRE_TOKEN.",
       {{"NAME", "What it is for"}},
       {{"library", "LIBRARY", "It is good for this library alone; repeatable", true, {}, Completes::library},
        {"privilege", "PRIVILEGE", "It may do this alone; repeatable", true},
        {"expires", "TIME", "When it ends, as 2027-12-31T00:00:00Z"}}},
      create_token));
  commands.push_back(api_command(
      {{"tokens", "delete"}, "Remove an API token", "", {{"TOKEN", "The token, as 'quire tokens' lists it"}}},
      delete_token));
}

}  // namespace quire::client
