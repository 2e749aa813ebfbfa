#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

/// Where the client keeps things on this machine (XDG Base Directory Specification), and how it writes them.
namespace quire::client {

/// `$XDG_CONFIG_HOME/quire`, or `~/.config/quire`.
std::filesystem::path configuration_folder();
/// `$XDG_STATE_HOME/quire`, or `~/.local/state/quire`.
std::filesystem::path state_folder();

/// The content of a file; nullopt when there is none. Error when it is there and cannot be read.
base::Result<std::optional<std::string>> read_file(const std::filesystem::path& file);

/// Writes a file that only its owner can read (0600), folders above it that are missing with 0700. Whoever reads
/// meanwhile sees the old content or the new.
base::Result<void> write_private_file(const std::filesystem::path& file, std::string_view content);

/// The file is there and group or others may read or write it.
bool is_open_to_others(const std::filesystem::path& file);

/// `strerror`, for messages.
std::string system_reason(int error_number);

}  // namespace quire::client
