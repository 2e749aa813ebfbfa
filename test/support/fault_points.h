#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>

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

/// Which calls of a story a fault strikes, one story after the other: every QUIRE_FAULT_STEP-th, from one on that the
/// seed draws. When that is not set: each of them, and under a sanitizer, where a story takes several times as long,
/// every eighth.
struct FaultPoints {
  std::size_t step = chosen_step();
  std::size_t first = 1 + static_cast<std::size_t>(test_seed() % step);

 private:
  static std::size_t chosen_step() {
    const auto* chosen = std::getenv("QUIRE_FAULT_STEP");
    return chosen != nullptr ? std::max<std::size_t>(1, std::strtoull(chosen, nullptr, 10)) : is_sanitized ? 8 : 1;
  }
};

}  // namespace quire::test_support
