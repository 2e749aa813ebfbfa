#pragma once

#include <vector>

#include "client/command.h"

namespace quire::main {

/// `quire support-bundle`: one file for whoever helps, about a server that runs or one that has stopped, without
/// secrets (docs/operating/troubleshooting.md "Telling others").
client::CommandDefinition support_bundle_command();

}  // namespace quire::main
