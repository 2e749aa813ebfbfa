#include "http/transfer_activity.h"

namespace quire::http {
namespace asio = boost::asio;

asio::awaitable<bool> TransferActivity::still_wanted() {
  if (telling_ && telling_->done()) {
    auto call = std::move(*telling_);
    telling_.reset();
    const auto heard = co_await call.wait();
    if (!heard && heard.error().kind() == base::ErrorKind::not_found) co_return false;
  }
  if (!telling_ && std::chrono::steady_clock::now() >= next_) {
    told();
    telling_.emplace(executor_, parts_.call_pool, tell_);
  }
  co_return true;
}

asio::awaitable<void> TransferActivity::finish() {
  if (!telling_) co_return;
  auto call = std::move(*telling_);
  telling_.reset();
  [[maybe_unused]] const auto heard = co_await call.wait();
}

}  // namespace quire::http
