#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <optional>
#include <type_traits>

#include "base/clock.h"
#include "http/handlers.h"
#include "http/server.h"
#include "http/transfer_buffers.h"

namespace quire::http {

/// How many network threads may run a call themselves at one time: one thread is always left for the network.
class InlineCalls {
 public:
  explicit InlineCalls(std::size_t network_threads) : free_(static_cast<std::ptrdiff_t>(network_threads) - 1) {}

  /// Runs `call` on this thread when that may be; its result, or nullopt.
  template <class F>
  std::optional<std::invoke_result_t<F&>> try_run(F& call) {
    if (free_.fetch_sub(1) <= 0) {
      ++free_;
      return std::nullopt;
    }
    const Place place{free_};
    return call();
  }

 private:
  struct Place {
    std::atomic<std::ptrdiff_t>& free;
    ~Place() { ++free; }
  };
  std::atomic<std::ptrdiff_t> free_;
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
