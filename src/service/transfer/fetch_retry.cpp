#include "service/transfer/fetch_retry.h"

#include <algorithm>

namespace quire::service {

using base::Duration;

base::Duration delay_before_next_fetch(const content::FetchOutcome& outcome, std::size_t failures,
                                       std::uint64_t random) {
  constexpr Duration first = std::chrono::seconds(1);
  constexpr Duration asked_max = std::chrono::minutes(5);
  if (outcome.retry_after) return std::min<Duration>(*outcome.retry_after, asked_max);
  const auto doublings = std::min<std::size_t>(failures == 0 ? 0 : failures - 1, 10);
  const auto base = std::min<Duration>(first * (1LL << doublings), fetch_backoff_max);
  return base + Duration(static_cast<Duration::rep>(random % static_cast<std::uint64_t>(base.count() / 2 + 1)));
}

}  // namespace quire::service
