#include "service/transfer/fetch_retry.h"

#include <algorithm>

#include "base/backoff.h"

namespace quire::service {

using base::Duration;

base::Duration delay_before_next_fetch(const content::FetchOutcome& outcome, std::size_t failures,
                                       std::uint64_t random) {
  constexpr Duration first = std::chrono::seconds(1);
  constexpr Duration asked_max = std::chrono::minutes(5);
  if (outcome.retry_after) return std::min<Duration>(*outcome.retry_after, asked_max);
  const auto pause = base::backoff(static_cast<std::int64_t>(failures), first, fetch_backoff_max);
  return pause + Duration(static_cast<Duration::rep>(random % static_cast<std::uint64_t>(pause.count() / 2 + 1)));
}

}  // namespace quire::service
