#include "formats/digest_line.h"

#include <algorithm>

#include "base/file_name.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "formats/text_lines.h"

namespace quire::formats {
namespace {

using base::DigestAlgorithm;
using base::Error;
using base::ErrorKind;
using base::Result;

/// OpenSSL 3 says of which family a digest is.
std::optional<DigestAlgorithm> algorithm_of(std::string_view name) {
  const auto lower = base::to_lower(name);
  const auto algorithm = base::digest_algorithm(lower.starts_with("sha2-") ? "sha" + lower.substr(5) : lower);
  return algorithm == DigestAlgorithm::MD5 || lower == "sha2-1" ? std::nullopt : algorithm;
}

bool is_hex(std::string_view text) {
  return !text.empty() && text.size() % 2 == 0 && std::all_of(text.begin(), text.end(), base::is_hex_digit);
}

}  // namespace

Result<DigestLine> parse_digest_line(std::string_view line) {
  // Hexadecimal digits hold no '=', so the last one is the separator, whatever the name holds.
  const auto open = line.find('(');
  const auto equals = line.rfind('=');
  const auto left = trimmed(line.substr(0, equals), blanks);
  if (open == std::string_view::npos || equals == std::string_view::npos || equals < open || left.back() != ')') {
    return Error(ErrorKind::invalid_argument, "quire.digest_line.form",
                 "'{line}' is not of the form SHA256(name)= digits", {{"line", base::displayable(line, 80)}});
  }
  const auto algorithm_name = trimmed(line.substr(0, open), blanks);
  const auto algorithm = algorithm_of(algorithm_name);
  if (!algorithm) {
    return Error(ErrorKind::invalid_argument, "quire.digest_line.algorithm",
                 "the algorithm '{name}' is none of SHA1, SHA256, SHA512",
                 {{"name", base::displayable(algorithm_name, 80)}});
  }
  const auto name = base::without_leading_dot(line.substr(open + 1, line.rfind(')', equals) - open - 1));
  if (auto problem = base::file_name_problem(name)) {
    return Error(ErrorKind::invalid_argument, "quire.digest_line.name", "the name '{name}' cannot be used: {reason}",
                 {{"name", base::displayable(name)}, {"reason", *std::move(problem)}});
  }
  const auto hex = trimmed(line.substr(equals + 1), blanks);
  if (!is_hex(hex)) {
    return Error(ErrorKind::invalid_argument, "quire.digest_line.digits",
                 "what follows '=' for '{name}' is not an even number of hexadecimal digits",
                 {{"name", std::string(name)}});
  }
  return DigestLine{*algorithm, std::string(name), base::to_lower(hex)};
}

}  // namespace quire::formats
