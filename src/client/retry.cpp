#include "client/retry.h"

#include <algorithm>
#include <thread>

#include "client/failure.h"

namespace quire::client {
namespace {

constexpr base::Duration first_pause = std::chrono::milliseconds(500);
constexpr base::Duration longest_pause = std::chrono::seconds(10);
constexpr auto look_after = std::chrono::milliseconds(50);

}  // namespace

base::Duration pause_after(int failures) {
  constexpr int doublings_max = 10;
  return std::min(first_pause * (1 << std::clamp(failures - 1, 0, doublings_max)), longest_pause);
}

bool Patience::wait(int failures, const std::atomic<bool>& over) const {
  const auto until = Clock::now() + pause_after(failures);
  const Clock::time_point give_up = Clock::time_point(Clock::duration(last_advance_.load())) + give_up_after_;
  if (until > give_up) return false;
  while (Clock::now() < until) {
    if (transport_.stopped() || over) return false;
    std::this_thread::sleep_for(look_after);
  }
  return true;
}

bool may_try_again(const base::Error& error) { return is_network_error(error); }

bool may_try_again(int status) {
  return status == 408 || status == 409 || status == 429 || (status >= 500 && status != 501 && status != 507);
}

}  // namespace quire::client
