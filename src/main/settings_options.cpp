#include "main/settings_options.h"

#include <iostream>

namespace quire::main {

void print_error(const base::Error& error) {
  for (const auto& message : error.messages()) std::cerr << "quire: " << message.default_message << '\n';
  if (!error.cause().empty()) std::cerr << "quire: (" << error.cause() << ")\n";
}

std::vector<client::OptionDefinition> settings_options(const std::set<std::string>& keys) {
  std::vector<client::OptionDefinition> options = {
      {"config", "FILE", "Settings file (TOML); flags win over it", false, {}, client::Completes::file}};
  for (const auto& definition : setting_definitions()) {
    if (!keys.empty() && !keys.contains(definition.key)) continue;
    options.push_back(
        {flag_of(definition).substr(2), definition.placeholder, definition.description, definition.repeated});
  }
  return options;
}

std::optional<Settings> settings_of(const client::Arguments& arguments) {
  Settings settings;
  if (const auto file = arguments.find("config")) {
    if (const auto read = read_settings_file(*file, settings); !read) {
      print_error(read.error());
      return std::nullopt;
    }
  }
  for (const auto& definition : setting_definitions()) {
    const auto flag = flag_of(definition);
    const auto given = arguments.all(flag.substr(2));
    if (given.empty()) continue;
    if (const auto set = definition.set(settings, given); !set) {
      std::cerr << "quire: " << flag << ": " << set.error().text() << '\n';
      return std::nullopt;
    }
  }
  return settings;
}

}  // namespace quire::main
