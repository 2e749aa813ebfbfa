#include "http/download_activity.h"

namespace quire::http {
namespace asio = boost::asio;

asio::awaitable<bool> DownloadActivity::still_wanted() {
  if (touching_ && touching_->done()) {
    auto call = std::move(*touching_);
    touching_.reset();
    const auto touched = co_await call.wait();
    if (!touched && touched.error().kind() == base::ErrorKind::not_found) co_return false;
  }
  if (!touching_ && std::chrono::steady_clock::now() >= next_touch_) {
    next_touch_ = after(parts_.settings.limits.activity_interval);
    auto call = [&transfers = parts_.transfers, session = session_] { return transfers.touch_download(session); };
    touching_.emplace(executor_, parts_.call_pool, call);
  }
  co_return true;
}

asio::awaitable<void> DownloadActivity::finish() {
  if (!touching_) co_return;
  auto call = std::move(*touching_);
  touching_.reset();
  [[maybe_unused]] const auto touched = co_await call.wait();
}

}  // namespace quire::http
