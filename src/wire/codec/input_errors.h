#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace quire::wire {

/// Where in an input something stands: a chain on the stack while a decoder walks, made text only for an error.
struct InputPath {
  const InputPath* parent = nullptr;
  std::string_view name;
  std::optional<std::size_t> index = std::nullopt;  ///< set: an element of the list `parent`

  /// `create_spec.storage_backings[0].type`; "the body" for the root.
  std::string text() const;
};

/// The refusals of the decoders (content-library-api.md §1.8.4), InvalidArgument all of them.
base::Error required(const InputPath& path);
/// `expected` completes "must be …": "a string", "one of A, B".
base::Error wrong_value(const InputPath& path, std::string_view expected);

/// A list or map longer than any operation reads; keeps the memory of a request near the size of its body.
inline constexpr std::size_t elements_max = 10'000;
base::Error too_many_elements(const InputPath& path);

}  // namespace quire::wire
