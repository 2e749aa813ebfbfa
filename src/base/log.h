#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

#include "base/enumeration.h"

namespace quire::base {

/// How a line of the log looks: `2026-01-01T00:00:00.000Z info Stopped.`, or an object of JSON.
QUIRE_ENUM(LogFormat, text, json)

/// The process's log, on stderr; stdout belongs to the `ready` lines. Use spdlog's own `info`, `warn`, `error`.
/// Never log secrets: passwords, tokens, transfer endpoints, credentials in URLs.
void set_up_log(spdlog::level::level_enum level, LogFormat format);

/// One record as one line without its end, whatever the message holds: control characters are escaped, and what is no
/// UTF-8 is shown as `\xNN`.
std::string log_line(const spdlog::details::log_msg& record, LogFormat format);

/// While it lives, what this thread logs belongs to the call that the client named so (wire-protocols.md §2.2); the
/// JSON form shows it. An empty name is none. They may be nested.
class LogScope {
 public:
  /// `operation_id` must outlive it.
  explicit LogScope(std::string_view operation_id);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  const std::string_view outer_;
};

}  // namespace quire::base
