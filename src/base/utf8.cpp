#include "base/utf8.h"

#include <span>

#include "base/hex.h"

namespace quire::base {
namespace {

struct Sequence {
  std::size_t length;
  char32_t first_bits;  ///< what the lead byte carries
  char32_t smallest;    ///< below it the form is overlong
};

std::optional<Sequence> sequence_of(unsigned char lead) {
  if (lead < 0x80) return Sequence{1, lead, 0};
  if (lead >= 0xC0 && lead < 0xE0) return Sequence{2, lead & 0x1FU, 0x80};
  if (lead >= 0xE0 && lead < 0xF0) return Sequence{3, lead & 0x0FU, 0x800};
  if (lead >= 0xF0 && lead < 0xF8) return Sequence{4, lead & 0x07U, 0x10000};
  return std::nullopt;
}

}  // namespace

std::optional<char32_t> take_code_point(std::string_view& rest) {
  const auto sequence = sequence_of(static_cast<unsigned char>(rest.front()));
  if (!sequence || rest.size() < sequence->length) return std::nullopt;
  char32_t point = sequence->first_bits;
  for (std::size_t i = 1; i < sequence->length; ++i) {
    const auto next = static_cast<unsigned char>(rest[i]);
    if ((next & 0xC0U) != 0x80U) return std::nullopt;
    point = (point << 6U) | (next & 0x3FU);
  }
  const bool surrogate = point >= 0xD800 && point < 0xE000;
  if (point < sequence->smallest || surrogate || point > 0x10FFFF) return std::nullopt;
  rest.remove_prefix(sequence->length);
  return point;
}

void append_code_point(std::string& text, char32_t point) {
  const auto follow = [&](unsigned shift) { text += static_cast<char>(0x80U | ((point >> shift) & 0x3FU)); };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0U | (point >> 6U));
    follow(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0U | (point >> 12U));
    follow(6);
    follow(0);
  } else {
    text += static_cast<char>(0xF0U | (point >> 18U));
    follow(12);
    follow(6);
    follow(0);
  }
}

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto point = take_code_point(bytes);
    if (!point || *point == 0) return false;
  }
  return true;
}

std::string displayable(std::string_view text, std::size_t max_bytes) {
  static constexpr std::string_view ellipsis = "\xE2\x80\xA6";
  std::string shown;
  while (!text.empty()) {
    auto rest = text;
    const auto point = take_code_point(rest);
    const auto length = point ? text.size() - rest.size() : 1;
    std::string piece;
    if (point && !is_control(*point)) {
      piece = text.substr(0, length);
    } else {
      for (std::size_t i = 0; i < length; ++i) piece += "\\x" + to_hex(std::as_bytes(std::span(text.substr(i, 1))));
    }
    if (shown.size() + piece.size() > max_bytes) return shown.append(ellipsis);
    shown += piece;
    text.remove_prefix(length);
  }
  return shown;
}

}  // namespace quire::base
