#pragma once

#include <cstddef>

#include "support/seed.h"

namespace quire::test_support {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif
#else
inline constexpr bool is_sanitized = false;
#endif

/// Which calls of a story a fault strikes, one story after the other: each of them. Under a sanitizer, where a story
/// takes several times as long, every fourth, from one on that the seed draws.
struct FaultPoints {
  std::size_t step = is_sanitized ? 4 : 1;
  std::size_t first = is_sanitized ? 1 + static_cast<std::size_t>(test_seed() % step) : 1;
};

}  // namespace quire::test_support
