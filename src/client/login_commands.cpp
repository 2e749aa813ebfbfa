#include <cstdlib>

#include "client/command_groups.h"
#include "client/credentials.h"
#include "client/failure.h"
#include "client/json_reading.h"
#include "client/places.h"
#include "client/signals.h"

namespace quire::client {
namespace {

namespace json = boost::json;
using base::Result;

/// A command with the options of output and connection that signs in itself.
CommandDefinition with_options(CommandDefinition definition) {
  for (const auto& options : {output_options(), connection_options()})
    definition.options.insert(definition.options.end(), options.begin(), options.end());
  return definition;
}

Result<void> log_in(Arguments arguments, Output& output, json::object& result) {
  if (const auto url = arguments.find("URL")) arguments.set("server", {*url});
  QUIRE_ASSIGN_OR_RETURN(const auto access, find_access(arguments));
  QUIRE_ASSIGN_OR_RETURN(auto connection, Connection::open(arguments, output, false));
  Credential credential;
  Api api(connection->transport(), access.server, "");
  if (arguments.has("token-stdin") || arguments.has("token-file")) {
    QUIRE_ASSIGN_OR_RETURN(credential.token, read_secret(arguments, "token", ""));
    Api with_token(connection->transport(), access.server, credential.token);
    QUIRE_ASSIGN_OR_RETURN(const auto session, with_token.call("session.get"));
    credential.dialect = with_token.dialect();
    result["user"] = text_at(session, "user");
  } else {
    credential.user = arguments.text("user");
    if (credential.user.empty()) credential.user = ask_at_terminal("User: ").value_or("");
    if (credential.user.empty()) return usage_error("give --user NAME");
    QUIRE_ASSIGN_OR_RETURN(const auto password,
                           read_secret(arguments, "password", "Password of " + credential.user + ": "));
    QUIRE_ASSIGN_OR_RETURN(credential.token, api.log_in(credential.user, password));
    credential.dialect = api.dialect();
    result["user"] = credential.user;
  }
  QUIRE_ASSIGN_OR_RETURN(auto credentials, Credentials::read(credentials_file()));
  credentials.servers[access.server.url] = credential;
  credentials.default_server = access.server.url;
  QUIRE_RETURN_IF_ERROR(credentials.write(credentials_file()));
  result["server"] = access.server.url;
  output.note("signed in to " + access.server.url);
  return {};
}

Result<void> log_out(Arguments arguments, Output& output, json::object& result) {
  if (const auto url = arguments.find("URL")) arguments.set("server", {*url});
  QUIRE_ASSIGN_OR_RETURN(const auto access, find_access(arguments));
  QUIRE_ASSIGN_OR_RETURN(auto credentials, Credentials::read(credentials_file()));
  const auto kept = credentials.servers.find(access.server.url);
  result["server"] = access.server.url;
  if (kept == credentials.servers.end()) return not_signed_in("not signed in to " + access.server.url);
  // An API token, which has no user here, goes on: it is removed with 'quire tokens delete'.
  if (!kept->second.user.empty()) {
    auto connection = Connection::open(arguments, output, false);
    if (connection) {
      Api api((*connection)->transport(), access.server, kept->second.token, kept->second.dialect);
      if (const auto ended = api.call("session.delete"); !ended && is_network_error(ended.error()))
        output.note("the server could not be told: " + full_text(ended.error()));
    } else {
      output.note("the server could not be told: " + full_text(connection.error()));
    }
  }
  credentials.servers.erase(kept);
  if (credentials.default_server == access.server.url) credentials.default_server.clear();
  QUIRE_RETURN_IF_ERROR(credentials.write(credentials_file()));
  output.note("signed out of " + access.server.url);
  return {};
}

int run_with_output(const Arguments& arguments,
                    const std::function<Result<void>(Arguments, Output&, json::object&)>& run) {
  catch_signals();
  Output output(arguments);
  json::object result;
  const auto outcome = run(arguments, output, result);
  return output.end(outcome, std::move(result));
}

}  // namespace

void add_login_commands(std::vector<CommandDefinition>& commands) {
  commands.push_back(with_options(
      {{"login"},
       "Sign in to a server",
       "Asks for user and password, signs in and keeps the token of the session for later commands, in a file that "
       "only "
       "its owner can read. The password is not kept. With --token-stdin or --token-file an API token (see 'quire "
       "tokens "
       "create') is kept in its place.\n\nThe first time, a certificate that the system's roots do not vouch for is "
       "shown "
       "by the SHA-256 of its key; when it is accepted the key is kept, and any other key is refused from then on.",
       {{"URL", "The server, as https://HOST:PORT", false}},
       {{"user", "NAME", "The user, as administrator@vsphere.local"},
        {"password-stdin", "", "Read the password from the first line of stdin"},
        {"password-file", "FILE", "Read the password from the first line of a file", false, {}, Completes::file},
        {"token-stdin", "", "Keep an API token, read from the first line of stdin"},
        {"token-file", "FILE", "Keep an API token, read from the first line of a file", false, {}, Completes::file}},
       [](const Arguments& arguments) { return run_with_output(arguments, log_in); }}));
  commands.push_back(
      with_options({{"logout"},
                    "Sign out of a server",
                    "Ends the session on the server and forgets its token. An API token is only forgotten.",
                    {{"URL", "The server; else the one that later commands would use", false}},
                    {},
                    [](const Arguments& arguments) { return run_with_output(arguments, log_out); }}));
}

}  // namespace quire::client
