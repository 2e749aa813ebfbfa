#pragma once

#include <vector>

#include "client/command.h"

namespace quire::main {

/// `quire doctor`, `backup`, `restore` and `support-bundle`: what looks after an installation on the machine where it
/// lies.
std::vector<client::CommandDefinition> maintenance_commands();

}  // namespace quire::main
