#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace quire::test_support {

/// The seed of a test that draws by chance: QUIRE_SEED from the environment, else a fresh one. Prints it, so that a
/// failure can be had again.
inline std::uint64_t test_seed() {
  const char* given = std::getenv("QUIRE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("QUIRE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace quire::test_support
