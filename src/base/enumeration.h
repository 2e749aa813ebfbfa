#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

/// Defines `enum class Name { … }` whose enumerators are known by name. They have no initialisers.
#define QUIRE_ENUM(Name, ...)      \
  enum class Name { __VA_ARGS__ }; \
  constexpr std::string_view enumerator_words(Name) { return #__VA_ARGS__; }

namespace quire::base {

template <class Enum>
using EnumeratorName = std::pair<Enum, std::string_view>;

/// The enumerators of an enumeration by QUIRE_ENUM and their names, which the catalog stores and the wires tell: the
/// words in the code. A specialisation stands beside an enumeration whose names are others.
template <class Enum>
inline constexpr auto enumerators = [] {
  constexpr std::string_view words = enumerator_words(Enum());
  std::array<EnumeratorName<Enum>, std::count(words.begin(), words.end(), ',') + 1> all;
  std::size_t start = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto end = std::min(words.find(',', start), words.size());
    all[i] = {static_cast<Enum>(i), words.substr(start, end - start)};
    start = words.find_first_not_of(", ", end);
  }
  return all;
}();

/// Empty when `value` is none of the enumerators.
template <class Enum>
constexpr std::string_view name_of(Enum value) {
  for (const auto& [enumerator, name] : enumerators<Enum>)
    if (enumerator == value) return name;
  return {};
}

template <class Enum>
constexpr std::optional<Enum> enumerator_named(std::string_view name) {
  for (const auto& [enumerator, its_name] : enumerators<Enum>)
    if (its_name == name) return enumerator;
  return std::nullopt;
}

}  // namespace quire::base
