#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>

#include "content/ids.h"
#include "http/deadline_socket.h"
#include "http/offload.h"
#include "http/server_parts.h"

namespace quire::http {

/// Tells a download session now and then that bytes flow (content-library-api.md §23.8). On the connection's thread.
class DownloadActivity {
 public:
  DownloadActivity(boost::asio::any_io_executor executor, const ServerParts& parts, content::DownloadSessionId session)
      : executor_(std::move(executor)), parts_(parts), session_(std::move(session)) {}

  /// For who has just sent bytes; does not wait for the session's answer. False when the session was gone at an earlier
  /// call.
  boost::asio::awaitable<bool> still_wanted();
  /// To be waited for before this goes away.
  boost::asio::awaitable<void> finish();

 private:
  using Touched = base::Result<void>;

  boost::asio::any_io_executor executor_;
  const ServerParts& parts_;
  const content::DownloadSessionId session_;
  std::optional<OffloadedCall<Touched>> touching_;
  Deadline next_touch_ = after(parts_.settings.limits.activity_interval);
};

}  // namespace quire::http
