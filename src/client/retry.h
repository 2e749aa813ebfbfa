#pragma once

#include <atomic>
#include <chrono>

#include "base/result.h"
#include "base/time.h"
#include "client/http_client.h"

namespace quire::client {

/// How long to wait before the attempt after `failures` ones in a row that failed: half a second, doubled, at most 10
/// s.
base::Duration pause_after(int failures);

/// When a transfer that several threads work at gives up. Any thread.
class Patience {
 public:
  Patience(const Transport& transport, base::Duration give_up_after)
      : transport_(transport), give_up_after_(give_up_after), last_advance_(Clock::now().time_since_epoch().count()) {}

  /// Something has got further.
  void advanced() { last_advance_ = Clock::now().time_since_epoch().count(); }
  /// Waits before the next attempt. False: enough; the network is gone, or the person has interrupted.
  bool wait(int failures, const std::atomic<bool>& over) const;

 private:
  using Clock = std::chrono::steady_clock;
  const Transport& transport_;
  const base::Duration give_up_after_;
  std::atomic<Clock::rep> last_advance_;
};

/// Whether another attempt can end otherwise: failures of the network, 408, 409, 429 and 5xx but 507.
bool may_try_again(const base::Error& error);
bool may_try_again(int status);

}  // namespace quire::client
