#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quire::base {

inline constexpr std::size_t max_file_name_bytes = 1024;
inline constexpr std::size_t max_file_name_component_bytes = 255;

/// Why `name` cannot be the name of a file of an item, as the end of a sentence ("it holds a backslash"); nullopt when
/// it can. The rule is that of check_file_name; for callers that say themselves where the name stood.
std::optional<std::string> file_name_problem(std::string_view name);

/// Whether `name` may be the name of a file of an item: as a client gives it, as an archive or a descriptor brings it
/// (content-library-api.md §28.4 "file names", §28.2 "names"). A name is made of components between `/`: UTF-8, 1 to
/// 255 bytes each, 1,024 in all; no component is empty, `.` or `..`; no backslash and no control character anywhere.
/// Percent-decoding it, once or until nothing is left to decode, gives no name that breaks the rule: `%2e%2e/x` is
/// refused, `50%25.vmdk` is not. Escapes that are broken stand for themselves. Names are the same when their bytes are.
///
/// Error: invalid_argument, id `quire.file_name.invalid`, params `name` (fit for display) and `reason`.
Result<void> check_file_name(std::string_view name);

/// A name without the `./` that tar, manifests and hrefs may have in front, however often.
std::string_view without_leading_dot(std::string_view name);

/// What a name that is a URI reference (an `ovf:href`) names: percent-decoded once. nullopt when that is no other name
/// or none that may be used.
std::optional<std::string> decoded_file_name(std::string_view name);

/// `d/NAME` for `d/._NAME`: macOS puts what its file systems know of NAME besides (AppleDouble) into such files, and
/// its tar packs them before their NAME. nullopt for other names.
std::optional<std::string> apple_double_of(std::string_view name);

}  // namespace quire::base
