#include "client/commands.h"

#include <iostream>

#include "base/decimal.h"
#include "client/catalog_names.h"
#include "client/command_groups.h"
#include "client/failure.h"
#include "client/json_reading.h"
#include "client/places.h"
#include "client/signals.h"

namespace quire::client {
namespace {

constexpr auto completion_patience = std::chrono::milliseconds(1500);

base::Result<std::vector<std::string>> names_from_server(Completes what, const std::string& begun,
                                                         const Arguments& arguments) {
  Output silent(arguments);
  QUIRE_ASSIGN_OR_RETURN(auto connection, Connection::open(arguments, silent));
  auto& api = connection->api();
  api.set_patience(completion_patience);
  std::vector<std::string> names;
  const auto slash = begun.find('/');
  if (what == Completes::library || slash == std::string::npos) {
    QUIRE_ASSIGN_OR_RETURN(const auto ids, api.call("library.list"));
    for (const auto& id : texts_of(ids)) {
      QUIRE_ASSIGN_OR_RETURN(const auto library, api.call("library.get", {{"library_id", id}}));
      names.push_back(text_at(library, "name") + (what == Completes::item ? "/" : ""));
    }
    return names;
  }
  const auto library = begun.substr(0, slash);
  QUIRE_ASSIGN_OR_RETURN(const auto id, find_library(api, library));
  QUIRE_ASSIGN_OR_RETURN(const auto items, api.call("item.list", {{"library_id", id}}));
  for (const auto& item : texts_of(items)) {
    QUIRE_ASSIGN_OR_RETURN(const auto facts, api.call("item.get", {{"library_item_id", item}}));
    names.push_back(library + '/' + text_at(facts, "name"));
  }
  return names;
}

}  // namespace

std::vector<CommandDefinition> all_commands() {
  std::vector<CommandDefinition> commands;
  add_login_commands(commands);
  add_content_commands(commands);
  add_transfer_commands(commands);
  add_publication_commands(commands);
  add_subscription_commands(commands);
  add_history_commands(commands);
  add_access_commands(commands);
  return commands;
}

std::vector<std::string> complete_name(Completes what, const std::string& begun, const Arguments& arguments) {
  auto names = names_from_server(what, begun, arguments);
  if (!names) return {};
  std::erase_if(*names, [&](const auto& name) { return !name.starts_with(begun); });
  return *std::move(names);
}

CommandDefinition output_command(CommandDefinition definition, OutputCommand run) {
  const auto& options = output_options();
  definition.options.insert(definition.options.end(), options.begin(), options.end());
  definition.run = [run = std::move(run)](const Arguments& arguments) {
    catch_signals();
    Output output(arguments);
    boost::json::object result;
    const auto outcome = run(arguments, output, result);
    return output.end(outcome, std::move(result));
  };
  return definition;
}

CommandDefinition api_command(CommandDefinition definition, ApiCommand run) {
  auto command = output_command(std::move(definition),
                                [run = std::move(run)](const Arguments& arguments, Output& output,
                                                       boost::json::object& result) -> base::Result<void> {
                                  QUIRE_ASSIGN_OR_RETURN(auto connection, Connection::open(arguments, output));
                                  return run(connection->api(), arguments, output, result);
                                });
  const auto& options = connection_options();
  command.options.insert(command.options.end(), options.begin(), options.end());
  return command;
}

base::Result<std::optional<std::int64_t>> count_option(const Arguments& arguments, std::string_view name) {
  const auto text = arguments.find(name);
  if (!text) return std::optional<std::int64_t>();
  const auto number = base::parse_decimal(*text);
  if (number.value_or(0) == 0)
    return usage_error("--" + std::string(name) + " needs a whole number above 0, not '" + *text + "'");
  return number;
}

base::Result<std::string> read_secret(const Arguments& arguments, const std::string& what,
                                      const std::string& question) {
  std::string secret;
  if (arguments.has(what + "-stdin")) {
    std::getline(std::cin, secret);
  } else if (const auto file = arguments.find(what + "-file")) {
    QUIRE_ASSIGN_OR_RETURN(const auto content, read_file(*file));
    if (!content) return not_found("there is no file " + *file);
    secret = content->substr(0, content->find('\n'));
  } else {
    const auto answer = ask_at_terminal(question, true);
    if (!answer)
      return usage_error("there is no terminal to ask for the " + what + "; give --" + what + "-stdin or --" + what +
                         "-file");
    secret = *answer;
  }
  if (secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) return usage_error("the " + what + " is empty");
  return secret;
}

}  // namespace quire::client
