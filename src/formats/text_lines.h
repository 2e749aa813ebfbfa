#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace quire::formats {

/// The bytes as text; they live as long as the bytes do.
inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Notepad and PowerShell put a mark in front of UTF-8.
inline std::string_view without_utf8_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

inline constexpr std::string_view blanks = " \t";
inline constexpr std::string_view white_space = " \t\r\n";

inline bool is_blank(std::string_view line) { return line.find_first_not_of(blanks) == std::string_view::npos; }

/// Without what of `around` stands at its ends.
inline std::string_view trimmed(std::string_view text, std::string_view around) {
  const auto first = text.find_first_not_of(around);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(around) - first + 1);
}

/// The lines of a text, without their ends: LF, CRLF, or for the last one nothing.
class TextLines {
 public:
  explicit TextLines(std::string_view text) : rest_(text) {}

  /// The next line; nullopt after the last.
  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    ++number_;
    const auto end = rest_.find('\n');
    auto line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  /// Number of the line that came last, from 1.
  std::size_t number() const { return number_; }
  /// What follows that line.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

}  // namespace quire::formats
