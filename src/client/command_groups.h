#pragma once

#include <functional>
#include <vector>

#include "client/command.h"
#include "client/connection.h"

/// The commands by what they are about, and what they have in common.
namespace quire::client {

void add_login_commands(std::vector<CommandDefinition>& commands);
void add_content_commands(std::vector<CommandDefinition>& commands);
void add_transfer_commands(std::vector<CommandDefinition>& commands);
void add_access_commands(std::vector<CommandDefinition>& commands);
void add_publication_commands(std::vector<CommandDefinition>& commands);
void add_subscription_commands(std::vector<CommandDefinition>& commands);
void add_history_commands(std::vector<CommandDefinition>& commands);

/// A command that tells what it does by Output, with the options of that behind its own. What it adds to the object
/// stands in the last line of JSON.
using OutputCommand =
    std::function<base::Result<void>(const Arguments& arguments, Output& output, boost::json::object& result)>;
CommandDefinition output_command(CommandDefinition definition, OutputCommand run);

/// The same for one that calls the API: signed in, with the options of the connection too.
using ApiCommand = std::function<base::Result<void>(Api& api, const Arguments& arguments, Output& output,
                                                    boost::json::object& result)>;
CommandDefinition api_command(CommandDefinition definition, ApiCommand run);

/// `--after 3d`-like numbers are read by the server; this reads `--limit`. Usage error for what is no whole number
/// above 0.
base::Result<std::optional<std::int64_t>> count_option(const Arguments& arguments, std::string_view name);

/// A secret that comes from a terminal without echo, from the first line of stdin (`--password-stdin`) or from the
/// first line of a file (`--password-file`); `what` is `password` or `token`.
base::Result<std::string> read_secret(const Arguments& arguments, const std::string& what, const std::string& question);

}  // namespace quire::client
