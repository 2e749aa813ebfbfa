#include "vcsp/json_pieces.h"

#include <algorithm>
#include <string>

namespace quire::vcsp {
namespace {

constexpr std::size_t nesting_max = 64;
constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view not_json = "is not JSON";
constexpr std::string_view cut_off = "is cut off";

/// Goes through a text once. The functions that return bool say false when there is a problem.
class PieceScanner {
 public:
  explicit PieceScanner(std::string_view text) : text_(text) {}

  std::string_view problem() const { return problem_; }
  std::string_view piece() const { return piece_; }

  /// Steps over `sign` if it comes next.
  bool step_over(char sign) {
    skip_blanks();
    if (is_at_end() || text_[place_] != sign) return false;
    ++place_;
    return true;
  }
  bool expect(char sign) { return step_over(sign) || fail(is_at_end() ? cut_off : not_json); }
  bool expect_end() {
    skip_blanks();
    return is_at_end() || fail(not_json);
  }

  /// piece() is the key afterwards.
  bool take_key() {
    skip_blanks();
    if (is_at_end()) return fail(cut_off);
    const auto start = place_;
    if (text_[place_] != '"') return fail(not_json);
    return skip_string() && end_piece(start);
  }

  /// piece() is the value afterwards.
  bool take_value() {
    skip_blanks();
    if (is_at_end()) return fail(cut_off);
    const auto start = place_;
    const char first = text_[place_];
    if (first == '"') return skip_string() && end_piece(start);
    if (first == '{' || first == '[') return skip_nest() && end_piece(start);
    skip_to(" \t\r\n,:[]{}\"");
    return place_ == start ? fail(not_json) : end_piece(start);
  }

 private:
  bool is_at_end() const { return place_ >= text_.size(); }
  void skip_blanks() { place_ = std::min(text_.find_first_not_of(blanks, place_), text_.size()); }
  void skip_to(std::string_view signs) { place_ = std::min(text_.find_first_of(signs, place_), text_.size()); }

  bool fail(std::string_view problem) {
    problem_ = problem;
    return false;
  }
  bool end_piece(std::size_t start) {
    piece_ = text_.substr(start, place_ - start);
    return true;
  }

  bool skip_string() {
    ++place_;
    while (true) {
      skip_to("\"\\");
      if (is_at_end()) return fail(cut_off);
      if (text_[place_] == '"') break;
      place_ += 2;  // whatever is escaped
    }
    ++place_;
    return true;
  }

  bool skip_nest() {
    std::string closing;  // of what is open, the innermost last
    do {
      skip_to("\"[]{}");
      if (is_at_end()) return fail(cut_off);
      const char sign = text_[place_];
      if (sign == '"') {
        if (!skip_string()) return false;
        continue;
      }
      ++place_;
      if (sign == '{' || sign == '[') {
        if (closing.size() == nesting_max) return fail("is nested too deep");
        closing += sign == '{' ? '}' : ']';
      } else {
        if (closing.back() != sign) return fail(not_json);
        closing.pop_back();
      }
    } while (!closing.empty());
    return true;
  }

  std::string_view text_;
  std::size_t place_ = 0;
  std::string_view piece_;
  std::string_view problem_;
};

}  // namespace

PieceProblem each_member(std::string_view text,
                         const std::function<void(std::string_view key, std::string_view value)>& take) {
  PieceScanner scanner(text);
  if (!scanner.step_over('{')) return "is not a JSON object";
  if (!scanner.step_over('}')) {
    do {
      if (!scanner.take_key()) return scanner.problem();
      const auto key = scanner.piece();
      if (!scanner.expect(':') || !scanner.take_value()) return scanner.problem();
      take(key, scanner.piece());
    } while (scanner.step_over(','));
    if (!scanner.expect('}')) return scanner.problem();
  }
  if (!scanner.expect_end()) return scanner.problem();
  return std::nullopt;
}

PieceProblem each_element(std::string_view text, const std::function<void(std::string_view element)>& take) {
  PieceScanner scanner(text);
  if (!scanner.step_over('[')) return "is not a JSON array";
  if (!scanner.step_over(']')) {
    do {
      if (!scanner.take_value()) return scanner.problem();
      take(scanner.piece());
    } while (scanner.step_over(','));
    if (!scanner.expect(']')) return scanner.problem();
  }
  if (!scanner.expect_end()) return scanner.problem();
  return std::nullopt;
}

}  // namespace quire::vcsp
