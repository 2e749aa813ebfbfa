#include "content/text.h"

#include <clocale>
#include <cwctype>

#include "base/check.h"
#include "base/utf8.h"

namespace quire::content {
namespace {

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
    if (!base::take_code_point(text)) return std::nullopt;
  return count;
}

std::string fold_case(std::string_view text) {
  static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  QUIRE_CHECK(unicode != nullptr);
  std::string folded;
  folded.reserve(text.size());
  while (!text.empty()) {
    const auto point = base::take_code_point(text);
    QUIRE_CHECK(point.has_value());
    base::append_code_point(folded, static_cast<char32_t>(towlower_l(static_cast<wint_t>(*point), unicode)));
  }
  return folded;
}

base::Result<void> check_name(std::string_view field, std::string_view name, std::size_t chars_max) {
  QUIRE_RETURN_IF_ERROR(check_text(field, name, chars_max));
  bool only_blanks = true;
  for (auto rest = name; !rest.empty();) {
    const auto point = *base::take_code_point(rest);  // the text was checked
    if (base::is_control(point)) return bad_text(field, "must not contain control characters");
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
