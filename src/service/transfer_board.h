#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "content/ids.h"

namespace quire::service {

/// What a running transfer and the services share about it. Live only in this process: the catalog holds what survives.
struct TransferProgress {
  std::atomic<std::int64_t> bytes{0};
  std::atomic<bool> stopped{false};  ///< somebody ended the session or started the file over: give up at the next chunk

  /// Called once, from the thread that stops the transfer, to wake one that waits for the network. Set before the
  /// transfer is put on the board.
  std::function<void()> on_stop;
};

/// Transfers that run in this process, by the token of their endpoint. All threads may call it.
class TransferBoard {
 public:
  /// Puts a transfer up; one that was there under the same token is stopped first (the later one wins, §28.1).
  void start(const content::TransferToken& token, std::shared_ptr<TransferProgress> progress);
  /// Takes it down if it still is the one that is up.
  void finish(const content::TransferToken& token, const std::shared_ptr<TransferProgress>& progress);
  /// Stops the transfer under `token`, if any.
  void stop(const content::TransferToken& token);
  /// Bytes received so far, if a transfer runs.
  std::optional<std::int64_t> bytes(const content::TransferToken& token) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<content::TransferToken, std::shared_ptr<TransferProgress>> running_;
};

}  // namespace quire::service
