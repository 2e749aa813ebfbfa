#pragma once

#include <spdlog/spdlog.h>

namespace quire::base {

/// The process's log, on stderr; stdout belongs to the `ready` lines. Use spdlog's own `info`, `warn`, `error`.
/// Never log secrets: passwords, tokens, transfer endpoints, credentials in URLs.
void set_up_log(spdlog::level::level_enum level);

}  // namespace quire::base
