#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/command.h"
#include "main/settings.h"

namespace quire::main {

/// `--config` and a flag for each setting, or for those of `keys`: what says which installation a command is about.
std::vector<client::OptionDefinition> settings_options(const std::set<std::string>& keys = {});

/// File first, then flags: a flag wins. nullopt when something is wrong with them, which has been told on stderr.
std::optional<Settings> settings_of(const client::Arguments& arguments);

/// Each message of the error on stderr, and its cause.
void print_error(const base::Error& error);

}  // namespace quire::main
