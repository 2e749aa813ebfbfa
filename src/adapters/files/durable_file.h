#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quire::adapters::files {

/// Makes the folder and those above it that are missing (mode 0750), each of them durable.
///
/// ResourceInaccessible when that is not possible, UnableToAllocateResource when there is no room.
base::Result<void> make_folder_durably(const std::filesystem::path& folder);

/// Replaces the file at `path` or makes it, with permissions `mode`. Once it returns a value the new bytes survive a
/// power cut; at every moment before, the file holds either all the old or all the new ones. The bytes are never
/// readable with more permissions than `mode` gives. One caller at a time for each path.
///
/// ResourceInaccessible when the file cannot be written, UnableToAllocateResource when there is no room.
base::Result<void> write_file_durably(const std::filesystem::path& path, std::string_view bytes, mode_t mode);

/// Adds the bytes to the end of the file at `path`, which is made with permissions `mode` when it is not there: whoever
/// moves it away gets a new one. Once it returns a value they survive a power cut. After an error the
/// file is as it was, unless the power was cut. One caller at a time for each path.
///
/// ResourceInaccessible when the file cannot be written, UnableToAllocateResource when there is no room.
base::Result<void> append_durably(const std::filesystem::path& path, std::string_view bytes, mode_t mode);

/// All of a small file; pipes are read to their end as well.
///
/// NotFound when there is none, InvalidArgument when it holds more than `limit_bytes`, ResourceInaccessible when it
/// cannot be read.
base::Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes);

}  // namespace quire::adapters::files
