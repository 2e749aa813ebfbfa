#include "content/text.h"

#include <clocale>
#include <cwctype>

#include "base/check.h"

namespace quire::content {
namespace {

constexpr char32_t not_utf8 = 0xFFFFFFFF;

/// Takes one code point off the front; `not_utf8` for malformed, overlong or surrogate sequences.
char32_t take_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || text.size() < more) return not_utf8;
  char32_t point = first & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80U) return not_utf8;
    point = (point << 6U) | (next & 0x3FU);
  }
  text.remove_prefix(more);
  const bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
  const bool surrogate = point >= 0xD800 && point < 0xE000;
  return overlong || surrogate || point > 0x10FFFF ? not_utf8 : point;
}

void append_code_point(std::string& out, char32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | (point >> 6U));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | (point >> 12U));
    out += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (point >> 18U));
    out += static_cast<char>(0x80U | ((point >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  }
}

bool is_control(char32_t point) { return point < 0x20 || (point >= 0x7F && point < 0xA0); }

base::Error bad_text(std::string_view field, std::string_view rule) {
  return {base::ErrorKind::invalid_argument,
          "quire.text.invalid",
          "{field} {rule}.",
          {{"field", std::string(field)}, {"rule", std::string(rule)}}};
}

}  // namespace

std::optional<std::size_t> code_points(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count)
    if (take_code_point(text) == not_utf8) return std::nullopt;
  return count;
}

std::string fold_case(std::string_view text) {
  static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  QUIRE_CHECK(unicode != nullptr);
  std::string folded;
  folded.reserve(text.size());
  while (!text.empty()) {
    const auto point = take_code_point(text);
    append_code_point(folded, static_cast<char32_t>(towlower_l(static_cast<wint_t>(point), unicode)));
  }
  return folded;
}

base::Result<void> check_name(std::string_view field, std::string_view name, std::size_t chars_max) {
  if (const auto checked = check_text(field, name, chars_max); !checked) return checked;
  bool only_blanks = true;
  for (auto rest = name; !rest.empty();) {
    const auto point = take_code_point(rest);
    if (is_control(point)) return bad_text(field, "must not contain control characters");
    if (point != U' ' && point != U'\u00A0' && point != U'\u3000') only_blanks = false;
  }
  if (only_blanks) return bad_text(field, "must not be empty or only blanks");
  return {};
}

base::Result<void> check_text(std::string_view field, std::string_view text, std::size_t chars_max) {
  const auto count = code_points(text);
  if (!count) return bad_text(field, "must be UTF-8 text");
  if (text.find('\0') != std::string_view::npos) return bad_text(field, "must not contain the character U+0000");
  if (*count > chars_max)
    return base::Error(base::ErrorKind::invalid_argument, "quire.text.too_long",
                       "{field} has {length} characters; at most {limit} are allowed.",
                       {{"field", std::string(field)},
                        {"length", static_cast<std::int64_t>(*count)},
                        {"limit", static_cast<std::int64_t>(chars_max)}});
  return {};
}

}  // namespace quire::content
