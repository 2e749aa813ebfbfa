#include "content/resource_urn.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace quire::content {
namespace {

constexpr std::size_t bytes_max = 1024;
constexpr std::size_t parts_min = 4;

bool is_uri_character(char c) {
  constexpr std::string_view marks = "-._~:/?#[]@!$&'()*+,;=%";
  const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_alphanumeric || marks.find(c) != std::string_view::npos;
}

bool is_resource_urn(std::string_view urn) {
  if (urn.size() > bytes_max || !std::ranges::all_of(urn, is_uri_character)) return false;
  std::size_t parts = 1;
  for (std::size_t colon = urn.find(':'); colon != std::string_view::npos; colon = urn.find(':')) {
    if (colon == 0) return false;
    urn.remove_prefix(colon + 1);
    ++parts;
  }
  return parts >= parts_min && !urn.empty();
}

}  // namespace

base::Result<void> check_resource_urn(std::string_view urn) {
  if (is_resource_urn(urn)) return {};
  return base::Error(base::ErrorKind::invalid_argument, "quire.library.bad_resource_urn",
                     "resource_urn {value} is not of the form <scheme>:<namespace>:<type>:<identifier>, for example "
                     "urn:vmomi:vm:vm-12.",
                     {{"value", std::string(urn.substr(0, bytes_max))}});
}

}  // namespace quire::content
