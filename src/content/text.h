#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quire::content {

/// Number of Unicode code points; nullopt when `text` is not UTF-8.
std::optional<std::size_t> code_points(std::string_view text);

/// `text` for comparison without regard to case, as `find` needs (content-library-api.md §28.4). Input must be UTF-8.
std::string fold_case(std::string_view text);

/// The rule for item and library names: UTF-8, 1 to `chars_max` characters, not only blanks, no control character
/// (§28.4). `field` names the member in the InvalidArgument.
base::Result<void> check_name(std::string_view field, std::string_view name, std::size_t chars_max);

/// The rule for free text: UTF-8, at most `chars_max` characters.
base::Result<void> check_text(std::string_view field, std::string_view text, std::size_t chars_max);

}  // namespace quire::content
