#include "base/file_name.h"

#include <algorithm>
#include <string>

#include "base/hex.h"
#include "base/uri.h"
#include "base/utf8.h"

namespace quire::base {
namespace {

std::optional<std::string> character_problem(std::string_view name) {
  for (auto rest = name; !rest.empty();) {
    const auto point = take_code_point(rest);
    if (!point) return "it is not UTF-8";
    if (is_control(*point)) return "it holds a control character";
    if (*point == U'\\') return "it holds a backslash";
  }
  return std::nullopt;
}

std::optional<std::string> component_problem(std::string_view component) {
  if (component.empty()) return "a part between slashes is empty";
  if (component == "." || component == "..") return "a part is '.' or '..'";
  if (component.size() > max_file_name_component_bytes) {
    return "a part is longer than " + std::to_string(max_file_name_component_bytes) + " bytes";
  }
  return std::nullopt;
}

/// The rule for the name as it is written.
std::optional<std::string> written_problem(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > max_file_name_bytes) return "it is longer than " + std::to_string(max_file_name_bytes) + " bytes";
  if (auto problem = character_problem(name)) return problem;
  for (std::size_t start = 0; start <= name.size();) {
    const auto end = std::min(name.find('/', start), name.size());
    if (auto problem = component_problem(name.substr(start, end - start))) return problem;
    start = end + 1;
  }
  return std::nullopt;
}

/// Decodes the escape that `text` may end with.
bool decode_last(std::string& text) {
  if (text.size() < 3 || text[text.size() - 3] != '%') return false;
  const auto byte = from_hex(std::string_view(text).substr(text.size() - 2));
  if (!byte) return false;
  text.resize(text.size() - 2);
  text.back() = static_cast<char>(byte->front());
  return true;
}

/// Broken escapes stay. `again`: until no escape is left, those included that decoding makes.
std::string decoded(std::string_view name, bool again) {
  std::string text;
  std::size_t fixed = 0;  // what stands before it is no part of a further escape
  for (const char c : name) {
    text += c;
    while (text.size() >= fixed + 3 && decode_last(text)) {
      if (again) continue;
      fixed = text.size();
    }
  }
  return text;
}

}  // namespace

std::optional<std::string> file_name_problem(std::string_view name) {
  if (auto problem = written_problem(name)) return problem;
  if (name.find('%') == std::string_view::npos) return std::nullopt;
  for (const bool again : {false, true})
    if (const auto problem = written_problem(decoded(name, again))) return "percent-decoded, " + *problem;
  return std::nullopt;
}

std::string_view without_leading_dot(std::string_view name) {
  while (name.starts_with("./")) name.remove_prefix(2);
  return name;
}

std::optional<std::string> decoded_file_name(std::string_view name) {
  auto other = percent_decode(name);
  if (!other || *other == name || file_name_problem(*other)) return std::nullopt;
  return other;
}

Result<void> check_file_name(std::string_view name) {
  auto problem = file_name_problem(name);
  if (!problem) return {};
  return Error(ErrorKind::invalid_argument, "quire.file_name.invalid",
               "The file name '{name}' cannot be used: {reason}. Rename the file.",
               {{"name", displayable(name)}, {"reason", *std::move(problem)}});
}

std::optional<std::string> apple_double_of(std::string_view name) {
  const auto slash = name.rfind('/');
  const auto start = slash == std::string_view::npos ? 0 : slash + 1;
  const auto own = name.substr(start);
  if (!own.starts_with("._") || own.size() == 2) return std::nullopt;
  return std::string(name.substr(0, start)) + std::string(own.substr(2));
}

}  // namespace quire::base
