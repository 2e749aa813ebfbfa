#pragma once

#include "base/result.h"
#include "main/settings.h"

namespace quire::main {

/// Puts a server together from its settings and runs it until SIGTERM or SIGINT has been obeyed. Prints the `ready`
/// lines. The Error says why it could not start: a folder in use, an address taken, a bad certificate, a database out
/// of reach.
base::Result<void> serve(const Settings& settings);

}  // namespace quire::main
