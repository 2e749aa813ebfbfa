#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "api/operation.h"
#include "client/commands.h"
#include "client/connection.h"
#include "client/credentials.h"
#include "client/failure.h"
#include "client/places.h"
#include "main/assembly.h"
#include "main/command_line.h"
#include "main/maintenance_commands.h"
#include "main/settings.h"
#include "main/settings_options.h"
#include "wire/openapi/openapi.h"

namespace {

using quire::client::Arguments;
using quire::client::CommandDefinition;
using quire::main::Commands;

Commands all_commands();

int serve(const Arguments& arguments) {
  const auto settings = quire::main::settings_of(arguments);
  if (!settings) return static_cast<int>(quire::client::ExitCode::usage);
  if (const auto served = quire::main::serve(*settings); !served) {
    quire::main::print_error(served.error());
    return static_cast<int>(quire::client::ExitCode::failed);
  }
  return 0;
}

/// One line for each operation: its name, where new REST has it, and the privilege that it needs.
int print_operations(const Arguments&) {
  for (const auto& operation : quire::api::all_operations()) {
    const auto& facts = operation.facts;
    const auto action = facts.action.empty() ? "" : "?action=" + facts.action;
    std::cout << facts.service << '.' << facts.name << '\t'
              << (facts.in_new_rest ? facts.method + " /api" + facts.path + action : "-") << '\t'
              << quire::base::name_of(quire::content::Privilege(facts.privilege)) << '\n';
  }
  return 0;
}

/// Of the server with a flag; else where the command line takes what from.
int show_configuration(const Arguments& arguments) {
  if (arguments.has("print-defaults")) std::cout << quire::main::default_settings_file();
  if (arguments.has("print-document")) std::cout << quire::main::settings_document();
  if (arguments.has("print-defaults") || arguments.has("print-document")) return 0;
  quire::client::Output output(arguments);
  const auto access = quire::client::find_access(arguments);
  if (!access && quire::client::exit_code(access.error()) != quire::client::ExitCode::usage)
    return output.end(access.error());
  const auto show = [&](const std::string& name, const std::string& value, const std::string& from) {
    output.row("setting", {name, value, from}, {{"name", name}, {"value", value}, {"from", from}});
  };
  output.heading({"SETTING", "VALUE", "FROM"});
  show("server", access ? access->server.url : "-", access ? access->server_from : "-");
  const bool signed_in = access && !access->token.empty();
  show("signed in", signed_in ? "yes" : "no", signed_in ? access->token_from : "-");
  show("credentials", quire::client::credentials_file().string(), "XDG_CONFIG_HOME");
  show("known servers", (quire::client::configuration_folder() / "known-servers").string(), "XDG_CONFIG_HOME");
  show("state", quire::client::state_folder().string(), "XDG_STATE_HOME");
  return output.end({});
}

/// A page on stdout, or all of them as files of a folder.
int print_manual(const Arguments& arguments) {
  const auto commands = all_commands();
  const auto folder = arguments.find("folder");
  if (!folder) {
    std::string path;
    for (const auto& word : arguments.all("COMMAND")) path += (path.empty() ? "" : " ") + word;
    const auto page = quire::main::manual_page(commands, path, QUIRE_VERSION);
    std::cout << page;
    if (page.empty()) std::cerr << "quire: there is no command '" << path << "'\n";
    return page.empty() ? static_cast<int>(quire::client::ExitCode::not_found) : 0;
  }
  std::error_code failed;
  std::filesystem::create_directories(*folder, failed);
  const auto write = [&](const std::string& name, const std::string& path) {
    std::ofstream file(std::filesystem::path(*folder) / (name + ".1"));
    file << quire::main::manual_page(commands, path, QUIRE_VERSION);
    file.close();
    if (!file) std::cerr << "quire: cannot write " << name << ".1 in " << *folder << '\n';
    return static_cast<bool>(file);
  };
  bool written = write("quire", "");
  for (const auto& command : commands) {
    if (command.hidden) continue;
    std::string name = "quire";
    for (const auto& word : command.path) name += '-' + word;
    written = write(name, command.words()) && written;
  }
  return written ? 0 : 1;
}

CommandDefinition serve_command() {
  CommandDefinition serve_definition{{"serve"}, "Run the server until SIGTERM", ""};
  serve_definition.options = quire::main::settings_options();
  serve_definition.run = serve;
  return serve_definition;
}

void add_program_commands(Commands& commands) {
  CommandDefinition configuration{{"config"},
                                  "Show the settings",
                                  "Without a flag: which server the command line talks to, and from where it knows."};
  configuration.options = {{"print-defaults", "", "A settings file of the server with every default"},
                           {"print-document", "", "The table of the server's settings as Markdown"}};
  configuration.options.insert(configuration.options.end(), quire::client::output_options().begin(),
                               quire::client::output_options().end());
  configuration.options.push_back(quire::client::connection_options().front());
  configuration.run = show_configuration;
  commands.push_back(std::move(configuration));
  commands.push_back({{"openapi"}, "Print the OpenAPI document of the API", "", {}, {}, [](const Arguments&) {
                        std::cout << quire::wire::openapi_text(quire::api::all_operations());
                        return 0;
                      }});
  commands.push_back({{"operations"},
                      "List the operations: name, place in new REST, privilege, separated by tabs",
                      "",
                      {},
                      {},
                      print_operations});
  commands.push_back(
      {{"man"},
       "Print a page of the manual as troff",
       "Of the program, or of a command: quire man push | man -l -",
       {{"COMMAND", "The words of the command", false, true}},
       {{"folder", "FOLDER", "Write all pages into this folder", false, {}, quire::client::Completes::file}},
       print_manual});
  commands.push_back(
      {{"completion"},
       "Print the completion script of a shell",
       "bash: in a file of ~/.local/share/bash-completion/completions. zsh: as _quire in a folder of fpath. "
       "fish: in ~/.config/fish/completions/quire.fish.",
       {{"SHELL", "bash, zsh or fish", true, false, {}, {"bash", "zsh", "fish"}}},
       {},
       [](const Arguments& arguments) {
         std::cout << quire::main::completion_script(arguments.text("SHELL"));
         return 0;
       }});
  commands.push_back({{"__document"}, "The commands as Markdown", "", {}, {}, [](const Arguments&) {
                        std::cout << quire::main::command_document(all_commands());
                        return 0;
                      }});
  commands.back().hidden = true;
}

Commands all_commands() {
  Commands commands = quire::client::all_commands();
  commands.insert(commands.begin(), serve_command());
  for (auto& command : quire::main::maintenance_commands()) commands.push_back(std::move(command));
  add_program_commands(commands);
  return commands;
}

}  // namespace

int main(int argc, char** argv) {
  // What is completed is no command line: its words are looked at as they stand.
  if (argc >= 2 && std::string_view(argv[1]) == "__complete") {
    for (const auto& word : quire::main::completions(all_commands(), std::vector<std::string>(argv + 2, argv + argc)))
      std::cout << word << '\n';
    return 0;
  }
  return quire::main::run_command_line(all_commands(), argc, argv);
}
