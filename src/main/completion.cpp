#include <algorithm>
#include <ranges>
#include <set>

#include "client/commands.h"
#include "main/command_line.h"

namespace quire::main {
namespace {

using client::CommandDefinition;
using client::Completes;
using client::OptionDefinition;

/// Where the words so far have led.
struct Position {
  std::vector<std::string> path;
  const CommandDefinition* command = nullptr;  ///< of exactly that path
  std::vector<std::string> positionals;
  const OptionDefinition* open_option = nullptr;  ///< the next word is its value
  client::Arguments arguments;
  bool options_over = false;  ///< behind `--`
};

const CommandDefinition* find_command(const Commands& commands, const std::vector<std::string>& path) {
  const auto found = std::ranges::find(commands, path, &CommandDefinition::path);
  return found == commands.end() || found->hidden ? nullptr : &*found;
}

/// The words that may follow `path` as names of commands.
std::set<std::string> words_behind(const Commands& commands, const std::vector<std::string>& path) {
  std::set<std::string> words;
  for (const auto& command : commands)
    if (!command.hidden && command.path.size() > path.size() &&
        std::ranges::equal(path, command.path | std::views::take(path.size())))
      words.insert(command.path[path.size()]);
  return words;
}

const OptionDefinition* find_option(const CommandDefinition* command, std::string_view word) {
  if (command == nullptr) return nullptr;
  for (const auto& option : command->options)
    if (word == "--" + option.name || (option.letter != 0 && word == std::string("-") + option.letter)) return &option;
  return nullptr;
}

Position follow(const Commands& commands, const std::vector<std::string>& words) {
  Position at;
  for (const auto& word : words) {
    if (at.open_option != nullptr) {
      at.arguments.set(at.open_option->name, {word});
      at.open_option = nullptr;
    } else if (word == "--") {
      at.options_over = true;
    } else if (word.starts_with('-') && word != "-" && !at.options_over) {
      const auto* option = find_option(at.command, word.substr(0, word.find('=')));
      if (option == nullptr || option->placeholder.empty()) continue;
      if (const auto equals = word.find('='); equals != std::string::npos)
        at.arguments.set(option->name, {word.substr(equals + 1)});
      else
        at.open_option = option;
    } else if (at.positionals.empty() && words_behind(commands, at.path).contains(word)) {
      at.path.push_back(word);
      at.command = find_command(commands, at.path);
    } else {
      at.positionals.push_back(word);
    }
  }
  return at;
}

void add_values(Completes what, const std::vector<std::string>& choices, const std::string& begun,
                const client::Arguments& arguments, std::vector<std::string>& found) {
  found.insert(found.end(), choices.begin(), choices.end());
  if (what == Completes::library || what == Completes::item) {
    const auto names = client::complete_name(what, begun, arguments);
    found.insert(found.end(), names.begin(), names.end());
  }
  if (what == Completes::file) found.emplace_back(":files");  // the shell knows them better
}

}  // namespace

std::vector<std::string> completions(const Commands& commands, const std::vector<std::string>& words) {
  const auto last = words.empty() ? std::string() : words.back();
  auto before = words;
  if (!before.empty()) before.pop_back();
  const auto at = follow(commands, before);
  std::vector<std::string> found;
  if (at.open_option != nullptr) {
    add_values(at.open_option->completes, at.open_option->choices, last, at.arguments, found);
  } else if (last.starts_with('-') && !at.options_over) {
    if (at.command != nullptr)
      for (const auto& option : at.command->options) found.push_back("--" + option.name);
    found.emplace_back("--help");
  } else {
    if (at.positionals.empty())
      for (const auto& word : words_behind(commands, at.path)) found.push_back(word);
    if (at.command != nullptr && !at.command->positionals.empty()) {
      const auto& positionals = at.command->positionals;
      const auto& next = positionals[std::min(at.positionals.size(), positionals.size() - 1)];
      if (at.positionals.size() < positionals.size() || next.repeated) {
        add_values(next.completes, next.choices, last, at.arguments, found);
        // What is pushed ends with the name of an item.
        if (at.command->path == std::vector<std::string>{"push"} && !at.positionals.empty())
          add_values(Completes::item, {}, last, at.arguments, found);
      }
    }
  }
  std::erase_if(found, [&](const auto& word) { return word != ":files" && !word.starts_with(last); });
  return found;
}

std::string completion_script(const std::string& shell) {
  if (shell == "bash")
    return R"SHELL(# Completion of quire for bash.
_quire() {
  local line words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  words=("${words[@]//\\/}")  # as a command gets them
  local word=${words[-1]}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$word")
    else
      COMPREPLY+=("$line")  # the shell quotes what stands for a file name
    fi
  done < <(quire __complete "${words[@]}" 2>/dev/null)
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
}
complete -o filenames -F _quire quire
)SHELL";
  if (shell == "zsh")
    return R"SHELL(#compdef quire
# Completion of quire for zsh.
_quire() {
  local -a found open closed
  found=("${(@f)$(quire __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if (( ${found[(Ie):files]} )); then
    _files
    found=("${(@)found:#:files}")
  fi
  found=("${(@)found:#}")
  open=("${(@M)found:#*/}")    # a library, whose item comes behind it
  closed=("${(@)found:#*/}")
  (( ${#open} )) && compadd -S '' -- "${open[@]}"
  (( ${#closed} )) && compadd -- "${closed[@]}"
}
compdef _quire quire
)SHELL";
  if (shell == "fish")
    return R"SHELL(# Completion of quire for fish.
function __quire_complete
    set -l words (commandline -opc) (string unescape -- (commandline -ct))
    for line in (quire __complete $words[2..-1] 2>/dev/null)
        if test $line = :files
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c quire -f -a '(__quire_complete)'
)SHELL";
  return {};
}

}  // namespace quire::main
