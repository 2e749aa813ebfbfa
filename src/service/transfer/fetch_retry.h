#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "content/fetcher.h"

/// When what could not be fetched is asked for again (content-library-api.md §28.3).
namespace quire::service {

inline constexpr base::Duration fetch_backoff_max = std::chrono::seconds(30);

/// How long to wait after `outcome`, the `failures`-th failure in a row (from 1): what the other end asks for, up to
/// five minutes, else 1 s, 2 s, 4 s … up to fetch_backoff_max, with up to half of it more by `random`, so that many
/// fetches from one broken server do not come back together.
base::Duration delay_before_next_fetch(const content::FetchOutcome& outcome, std::size_t failures,
                                       std::uint64_t random);

}  // namespace quire::service
