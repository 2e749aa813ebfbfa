#include "base/file_name.h"

#include <algorithm>
#include <string>

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

}  // namespace

std::optional<std::string> file_name_problem(std::string_view name) {
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

Result<void> check_file_name(std::string_view name) {
  auto problem = file_name_problem(name);
  if (!problem) return {};
  return Error(ErrorKind::invalid_argument, "quire.file_name.invalid",
               "The file name '{name}' cannot be used: {reason}. Rename the file.",
               {{"name", displayable(name)}, {"reason", *std::move(problem)}});
}

}  // namespace quire::base
