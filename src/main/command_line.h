#pragma once

#include <string>
#include <vector>

#include "client/command.h"

/// Readings of the commands' definitions.
namespace quire::main {

using Commands = std::vector<client::CommandDefinition>;

/// Parses the command line, runs the command and gives the exit code. Wrong use is told on stderr, with the exit code
/// of usage errors.
int run_command_line(const Commands& commands, int argc, const char* const* argv);

/// What the last of `words` may be, given those before it: what `quire __complete WORD…` prints, a line each. The first
/// word is the one behind the program's name.
std::vector<std::string> completions(const Commands& commands, const std::vector<std::string>& words);

/// The script that makes a shell (`bash`, `zsh` or `fish`) ask `quire __complete`; empty for any other.
std::string completion_script(const std::string& shell);

/// The manual page, as troff with the man macros: of the program when `path` is empty, else of the command. Empty when
/// there is no such command.
std::string manual_page(const Commands& commands, const std::string& path, const std::string& version);
/// The names of all pages: `quire`, `quire-users-create`, …
std::vector<std::string> manual_page_names(const Commands& commands);

/// The commands and exit codes as Markdown, for docs/command-line.md.
std::string command_document(const Commands& commands);

}  // namespace quire::main
