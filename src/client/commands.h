#pragma once

#include <vector>

#include "client/command.h"

namespace quire::client {

/// The commands that talk to a server, in the order of the manual.
std::vector<CommandDefinition> all_commands();

/// Names that a word may be, asked from the server with a short patience; none when it does not answer, or when nobody
/// is signed in. `begun`: what stands there already.
std::vector<std::string> complete_name(Completes what, const std::string& begun, const Arguments& arguments);

}  // namespace quire::client
