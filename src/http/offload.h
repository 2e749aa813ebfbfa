#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace quire::http {

/// A blocking call that runs on a pool while the coroutine that started it goes on. Everything here but the call itself
/// happens on that coroutine's thread. Wait for it before anything that the call uses goes away. The result must not be
/// void.
template <class R>
class OffloadedCall {
 public:
  template <class F>
  OffloadedCall(boost::asio::any_io_executor caller, boost::asio::thread_pool& pool, F call)
      : state_(std::make_shared<State>()) {
    boost::asio::post(pool, [state = state_, caller = std::move(caller), call = std::move(call)]() mutable {
      try {
        state->result.emplace(call());
      } catch (...) {
        state->failure = std::current_exception();
      }
      auto* finished = state.get();
      boost::asio::post(caller, [state = std::move(state), finished] {
        finished->done = true;
        if (finished->waiter) std::exchange(finished->waiter, nullptr)->resume();
      });
    });
  }

  bool done() const { return state_->done; }

  /// The result; throws what the call threw. Once.
  boost::asio::awaitable<R> wait() {
    const auto state = state_;
    if (!state->done) {
      auto keep_handler = [state](auto handler) {
        state->waiter = std::make_unique<WaiterOf<decltype(handler)>>(std::move(handler));
      };
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(keep_handler,
                                                                                         boost::asio::use_awaitable);
    }
    if (state->failure) std::rethrow_exception(state->failure);
    co_return std::move(*state->result);
  }

 private:
  /// The suspended coroutine. (asio::any_completion_handler of Boost 1.81 calls itself without end when it is moved.)
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void resume() = 0;
  };
  template <class Handler>
  struct WaiterOf final : Waiter {
    explicit WaiterOf(Handler suspended) : handler(std::move(suspended)) {}
    void resume() override { std::move(handler)(); }
    Handler handler;
  };

  struct State {
    bool done = false;
    std::optional<R> result;
    std::exception_ptr failure;
    std::unique_ptr<Waiter> waiter;
  };
  std::shared_ptr<State> state_;
};

/// Runs a blocking call on `pool`: the one door from coroutines to the layers below. `call` returns no void.
template <class F>
boost::asio::awaitable<std::invoke_result_t<F&>> offload(boost::asio::thread_pool& pool, F call) {
  auto caller = co_await boost::asio::this_coro::executor;
  OffloadedCall<std::invoke_result_t<F&>> running(std::move(caller), pool, std::move(call));
  co_return co_await running.wait();
}

}  // namespace quire::http
