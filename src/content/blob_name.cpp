#include "content/blob_name.h"

#include <cstddef>

namespace quire::content {

bool is_blob_name(std::string_view id) {
  constexpr std::size_t shortest = 3;
  constexpr std::size_t longest = 64;
  constexpr std::string_view digits = "0123456789abcdef";
  return id.size() >= shortest && id.size() <= longest &&
         id.substr(0, 2).find_first_not_of(digits) == std::string_view::npos &&
         id.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

}  // namespace quire::content
