#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace quire::base {

/// A moment of UTC, in milliseconds since 1970. The API shows milliseconds, so nothing here is finer.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

/// Exactly `YYYY-MM-DDThh:mm:ss.sssZ`, the only form that old Python clients read (content-library-api.md §1.4).
std::string to_text(Time time);

/// Reads any RFC 3339 date-time; nullopt when `text` is not one.
std::optional<Time> parse_time(std::string_view text);

}  // namespace quire::base
