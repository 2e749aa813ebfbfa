#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace quire::base {

/// How long to wait after that many failures in a row: `first` after one, twice as long after each further one, and
/// never longer than `most`.
inline Duration backoff(std::int64_t failures, Duration first, Duration most) {
  constexpr std::int64_t doublings_max = 20;
  const auto doublings = std::clamp<std::int64_t>(failures - 1, 0, doublings_max);
  return std::min<Duration>(first * (std::int64_t{1} << doublings), most);
}

}  // namespace quire::base
