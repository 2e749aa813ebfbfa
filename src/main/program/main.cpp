#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <map>

#include "api/operation.h"
#include "main/assembly.h"
#include "main/settings.h"
#include "wire/openapi/openapi.h"

namespace {

using quire::main::Settings;

void print_error(const quire::base::Error& error) {
  for (const auto& message : error.messages()) std::cerr << "quire: " << message.default_message << '\n';
  if (!error.cause().empty()) std::cerr << "quire: (" << error.cause() << ")\n";
}

/// File first, then flags: a flag wins.
int serve(const std::string& config_file, const std::map<std::string, std::vector<std::string>>& flags) {
  Settings settings;
  if (!config_file.empty()) {
    if (const auto read = quire::main::read_settings_file(config_file, settings); !read) {
      print_error(read.error());
      return 2;
    }
  }
  for (const auto& definition : quire::main::setting_definitions()) {
    const auto given = flags.find(definition.key);
    if (given == flags.end() || given->second.empty()) continue;
    if (const auto set = definition.set(settings, given->second); !set) {
      std::cerr << "quire: " << quire::main::flag_of(definition) << ": " << set.error().text() << '\n';
      return 2;
    }
  }
  if (const auto served = quire::main::serve(settings); !served) {
    print_error(served.error());
    return 1;
  }
  return 0;
}

/// One line for each operation: its name, where new REST has it, and the privilege that it needs.
void print_operations() {
  for (const auto& operation : quire::api::all_operations()) {
    const auto& facts = operation.facts;
    const auto action = facts.action.empty() ? "" : "?action=" + facts.action;
    std::cout << facts.service << '.' << facts.name << '\t'
              << (facts.in_new_rest ? facts.method + " /api" + facts.path + action : "-") << '\t'
              << quire::base::name_of(quire::content::Privilege(facts.privilege)) << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Quire, a content library server"};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("quire ") + QUIRE_VERSION);

  auto* serve_command = app.add_subcommand("serve", "Run the server until SIGTERM");
  std::string config_file;
  serve_command->add_option("--config", config_file, "Settings file (TOML); flags win over it")->type_name("FILE");
  std::map<std::string, std::vector<std::string>> flags;
  for (const auto& definition : quire::main::setting_definitions()) {
    auto* option =
        serve_command->add_option(quire::main::flag_of(definition), flags[definition.key], definition.description);
    option->type_name(definition.placeholder);
    option->expected(1);
    option->multi_option_policy(definition.repeated ? CLI::MultiOptionPolicy::TakeAll
                                                    : CLI::MultiOptionPolicy::TakeLast);
  }

  auto* config_command = app.add_subcommand("config", "Show the settings");
  bool print_defaults = false;
  bool print_document = false;
  config_command->add_flag("--print-defaults", print_defaults, "A settings file with every default");
  config_command->add_flag("--print-document", print_document, "The table of settings as Markdown");
  config_command->require_option(1);

  auto* openapi_command = app.add_subcommand("openapi", "Print the OpenAPI document of the API");

  auto* operations_command =
      app.add_subcommand("operations", "List the operations: name, place in new REST, privilege, separated by tabs");

  CLI11_PARSE(app, argc, argv);

  if (serve_command->parsed()) return serve(config_file, flags);
  if (openapi_command->parsed()) std::cout << quire::wire::openapi_text(quire::api::all_operations());
  if (operations_command->parsed()) print_operations();
  if (print_defaults) std::cout << quire::main::default_settings_file();
  if (print_document) std::cout << quire::main::settings_document();
  return 0;
}
