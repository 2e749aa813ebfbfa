#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>

#include "http/deadline_socket.h"
#include "http/offload.h"
#include "http/server_parts.h"

namespace quire::http {

/// Tells the session of a transfer now and then that bytes flow (content-library-api.md §23.8). On the connection's
/// thread.
class TransferActivity {
 public:
  using Told = base::Result<void>;

  /// `tell` runs on the pool of calls; NotFound when the session is gone.
  TransferActivity(boost::asio::any_io_executor executor, const ServerParts& parts, std::function<Told()> tell)
      : executor_(std::move(executor)), parts_(parts), tell_(std::move(tell)) {}

  /// For who has just sent or received bytes; does not wait for the session's answer. False when the session was gone
  /// at an earlier call.
  boost::asio::awaitable<bool> still_wanted();
  /// The session has heard of it in another way.
  void told() { next_ = after(parts_.settings.limits.activity_interval); }
  /// To be waited for before this goes away.
  boost::asio::awaitable<void> finish();

 private:
  boost::asio::any_io_executor executor_;
  const ServerParts& parts_;
  const std::function<Told()> tell_;
  std::optional<OffloadedCall<Told>> telling_;
  Deadline next_ = after(parts_.settings.limits.activity_interval);
};

}  // namespace quire::http
