#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace quire::base {

/// Takes the first code point off `rest`, which must not be empty. nullopt, and `rest` as it was, when its bytes are
/// not well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF).
std::optional<char32_t> take_code_point(std::string_view& rest);

/// The other way round: `point`, which is no surrogate and at most U+10FFFF, as UTF-8.
void append_code_point(std::string& text, char32_t point);

/// True for well-formed UTF-8 without U+0000, which no database text and no file name can hold.
bool is_text(std::string_view bytes);

/// U+0000 to U+001F, U+007F, and the C1 controls U+0080 to U+009F.
constexpr bool is_control(char32_t point) { return point < 0x20 || (point >= 0x7F && point < 0xA0); }

/// Whatever came in, as text for a message: control characters and bytes that are not UTF-8 appear as `\xNN`, and what
/// would be longer than `max_bytes` ends in "…". Always well-formed UTF-8.
std::string displayable(std::string_view text, std::size_t max_bytes = 160);

}  // namespace quire::base
