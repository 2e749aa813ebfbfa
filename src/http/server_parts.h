#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <type_traits>

#include "base/clock.h"
#include "http/handlers.h"
#include "http/server.h"
#include "http/transfer_buffers.h"

namespace quire::http {

/// How many network threads may run a call themselves at one time. The last one may while calls are short; when one has
/// taken long, a thread is left for the network for a while. All threads may call it.
class InlineCalls {
 public:
  /// What takes longer is a long call; more than a busy machine adds to a short one.
  static constexpr auto long_call = std::chrono::milliseconds(10);

  explicit InlineCalls(std::size_t threads) : free_(static_cast<std::ptrdiff_t>(threads)) {}

  /// Runs `call` on this thread when that may be; its result, or nullopt.
  template <class F>
  std::optional<std::invoke_result_t<F&>> try_run(F& call) {
    const auto begin = Clock::now();
    const std::ptrdiff_t reserved = begin < long_calls_until_.load() ? 1 : 0;
    if (free_.fetch_sub(1) <= reserved) {
      ++free_;
      return std::nullopt;
    }
    const Place place{*this, begin};
    return call();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto wary_for = std::chrono::seconds(1);

  struct Place {
    InlineCalls& calls;
    Clock::time_point begin;
    ~Place() {
      const auto end = Clock::now();
      if (end - begin > long_call) calls.long_calls_until_ = end + wary_for;
      ++calls.free_;
    }
  };
  std::atomic<std::ptrdiff_t> free_;
  std::atomic<Clock::time_point> long_calls_until_{};
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
