#include "main/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>

#include "client/failure.h"

namespace quire::main {
namespace {

using client::CommandDefinition;
using client::ExitCode;

/// What CLI11 writes one command's words into.
struct Parsed {
  const CommandDefinition* definition = nullptr;
  CLI::App* app = nullptr;
  std::map<std::string, std::string> words;  ///< positionals that come once
  std::map<std::string, std::vector<std::string>> texts;
  std::map<std::string, bool> flags;
};

std::string flag_names(const client::OptionDefinition& option) {
  return (option.letter != 0 ? std::string("-") + option.letter + "," : std::string()) + "--" + option.name;
}

std::string positional_name(std::size_t index) { return "positional" + std::to_string(index); }

void declare(Parsed& parsed) {
  for (const auto& positional : parsed.definition->positionals) {
    // CLI11 takes no slash and no ellipsis in the name of a positional, only in what stands for it in texts.
    const auto name = positional_name(parsed.words.size() + parsed.texts.size());
    auto* option = positional.repeated
                       ? parsed.app->add_option(name, parsed.texts[positional.name], positional.description)
                       : parsed.app->add_option(name, parsed.words[positional.name], positional.description);
    option->option_text(positional.name + (positional.required ? " REQUIRED" : ""));
    option->required(positional.required);
    if (!positional.choices.empty()) option->check(CLI::IsMember(positional.choices));
  }
  for (const auto& option : parsed.definition->options) {
    if (option.placeholder.empty()) {
      parsed.app->add_flag(flag_names(option), parsed.flags[option.name], option.description);
      continue;
    }
    auto* added = parsed.app->add_option(flag_names(option), parsed.texts[option.name], option.description);
    added->type_name(option.placeholder);
    added->expected(1);
    added->multi_option_policy(option.repeated ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
    if (!option.choices.empty()) added->check(CLI::IsMember(option.choices));
  }
}

/// The subcommand of that name, or nullptr.
CLI::App* find_subcommand(CLI::App& app, const std::string& name) {
  const auto found = app.get_subcommands([&](const CLI::App* each) { return each->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

/// The app of the command's path; groups on the way are made when they are missing.
CLI::App* place_of(CLI::App& top, const CommandDefinition& definition) {
  CLI::App* app = &top;
  for (const auto& word : definition.path) {
    CLI::App* next = find_subcommand(*app, word);
    app = next != nullptr ? next : app->add_subcommand(word);
  }
  app->description(definition.summary);
  if (definition.hidden) app->group("");
  return app;
}

/// How many letters must change to make one word the other.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t i = 0; i <= other.size(); ++i) row[i] = i;
  for (std::size_t i = 0; i < one.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < other.size(); ++j) {
      const auto above = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, above + 1, diagonal + (one[i] == other[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string near_name(const Commands& commands, const std::string& word) {
  constexpr std::size_t distance_max = 2;
  std::string best;
  auto best_distance = distance_max + 1;
  for (const auto& command : commands) {
    if (command.hidden) continue;
    const auto far = distance(word, command.path.front());
    if (far < best_distance) {
      best = command.path.front();
      best_distance = far;
    }
  }
  return best;
}

int usage_problem(const std::string& text) {
  std::cerr << "quire: " << text << "\nRun with --help for more.\n";
  return static_cast<int>(ExitCode::usage);
}

/// Positionals have names of their own for CLI11; people know those of the manual.
std::string with_names(std::string text, const std::vector<std::unique_ptr<Parsed>>& all) {
  for (const auto& parsed : all) {
    if (!parsed->app->parsed()) continue;
    for (std::size_t i = 0; i < parsed->definition->positionals.size(); ++i) {
      const auto name = positional_name(i);
      if (const auto at = text.find(name); at != std::string::npos)
        text.replace(at, name.size(), parsed->definition->positionals[i].name);
    }
  }
  return text;
}

client::Arguments arguments_of(const Parsed& parsed) {
  client::Arguments arguments;
  for (const auto& [name, values] : parsed.texts)
    if (!values.empty()) arguments.set(name, values);
  for (const auto& [name, value] : parsed.words)
    if (!value.empty()) arguments.set(name, {value});
  for (const auto& [name, given] : parsed.flags)
    if (given) arguments.set(name, {"true"});
  return arguments;
}

}  // namespace

int run_command_line(const Commands& commands, int argc, const char* const* argv) {
  CLI::App top{"Quire, a content library: server and command line", "quire"};
  top.set_version_flag("--version", std::string("quire ") + QUIRE_VERSION);
  top.require_subcommand(0, 1);
  std::vector<std::unique_ptr<Parsed>> all;
  for (const auto& definition : commands) {
    all.push_back(std::make_unique<Parsed>());
    auto& parsed = *all.back();
    parsed.definition = &definition;
    parsed.app = place_of(top, definition);
    declare(parsed);
  }
  if (argc >= 2 && argv[1][0] != '-') {
    const std::string word = argv[1];
    if (find_subcommand(top, word) == nullptr) {
      const auto near = near_name(commands, word);
      return usage_problem("there is no command '" + word + "'" + (near.empty() ? "" : "; is '" + near + "' meant?"));
    }
  }
  try {
    top.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return top.exit(error);
    return usage_problem(with_names(error.what(), all));
  }
  // The innermost command that was named is the one that is meant.
  const Parsed* meant = nullptr;
  for (const auto& parsed : all)
    if (parsed->app->parsed() && (meant == nullptr || parsed->definition->path.size() > meant->definition->path.size()))
      meant = parsed.get();
  if (meant == nullptr || !meant->definition->run) {
    std::cerr << top.help();
    return static_cast<int>(ExitCode::usage);
  }
  return meant->definition->run(arguments_of(*meant));
}

}  // namespace quire::main
