#include "wire/request/message.h"

#include <algorithm>

namespace quire::wire {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool same_header_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::replace(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return same_header_name(field.first, name); });
  add(std::string(name), std::move(value));
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const auto& field) { return same_header_name(field.first, name); });
  if (found == fields_.end()) return std::nullopt;
  return std::string_view(found->second);
}

}  // namespace quire::wire
