#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <optional>
#include <type_traits>

#include "base/clock.h"
#include "http/handlers.h"
#include "http/server.h"
#include "http/transfer_buffers.h"

namespace quire::http {

/// Which calls a network thread runs itself: all, while they are short. After one that took long, which made the
/// thread's other connections wait, calls are for other threads for a hundred times as long. All threads may call it.
class InlineCalls {
 public:
  /// What takes longer is a long call; more than a busy machine adds to a short one.
  static constexpr auto long_call = std::chrono::milliseconds(10);

  /// None at all unless `allowed`.
  explicit InlineCalls(bool allowed) : allowed_(allowed) {}

  /// Runs `call` on this thread when that may be; its result, or nullopt.
  template <class F>
  std::optional<std::invoke_result_t<F&>> try_run(F& call) {
    const auto begin = Clock::now();
    if (!allowed_ || begin < refused_until_.load()) return std::nullopt;
    const Watch watch{*this, begin};
    return call();
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Watch {
    InlineCalls& calls;
    Clock::time_point begin;
    ~Watch() {
      const auto end = Clock::now();
      if (end - begin > long_call) calls.refused_until_ = end + 100 * (end - begin);
    }
  };
  const bool allowed_;
  std::atomic<Clock::time_point> refused_until_{};
};

/// What all connections of one server share. Outlives them.
struct ServerParts {
  const ServerSettings& settings;
  const ApiHandler& api;
  TransferService& transfers;
  const base::Clock& clock;
  TransferBuffers& buffers;
  boost::asio::thread_pool& call_pool;
  InlineCalls& inline_calls;
  boost::asio::thread_pool& transfer_pool;
};

}  // namespace quire::http
