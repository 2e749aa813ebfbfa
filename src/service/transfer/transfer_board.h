#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "content/ids.h"

namespace quire::service {

class ArrivingContent;

/// What a running transfer and the services share about it. Live only in this process: the catalog holds what survives.
struct TransferProgress {
  std::atomic<std::int64_t> bytes{0};  ///< received and not yet recorded in the catalog
  std::atomic<bool> stopped{false};  ///< somebody ended the session or started the file over: give up at the next chunk

  /// Called once, from the thread that stops the transfer, to wake one that waits for the network. Set before the
  /// transfer is put on the board.
  std::function<void()> on_stop;
  /// Records what has arrived so far, so that others can go on from it. Set as `on_stop`; from any thread.
  std::function<void()> on_checkpoint;

  /// Sets `stopped` and calls `on_stop`, once.
  void stop();
};

/// Transfers that run in this process, by the token of their endpoint, and what has arrived there so far. All threads
/// may call it.
class TransferBoard {
 public:
  using Progress = std::shared_ptr<TransferProgress>;

  /// Puts a transfer up that starts its file over: those that were there under the same token are stopped (the later
  /// one wins, §28.1).
  void start(const content::TransferToken& token, Progress progress, std::shared_ptr<ArrivingContent> content);

  /// Puts a transfer up beside others of the same file. They share the content that is there if `fits` says so;
  /// otherwise it is replaced by what `make` gives, and the others are stopped.
  std::shared_ptr<ArrivingContent> join(const content::TransferToken& token, Progress progress,
                                        const std::function<bool(const ArrivingContent&)>& fits,
                                        const std::function<std::shared_ptr<ArrivingContent>()>& make);

  /// Takes one down. With the last one what has arrived is forgotten, unless others may go on with it.
  void finish(const content::TransferToken& token, const Progress& progress);

  /// Stops the transfers under `token` and forgets what has arrived.
  void stop(const content::TransferToken& token);

  /// What has arrived under `token`, if anything has and is not whole.
  std::shared_ptr<ArrivingContent> content(const content::TransferToken& token) const;

  /// Has the transfers under `token` record what they have.
  void checkpoint(const content::TransferToken& token) const;

  /// Bytes received and not yet recorded, if a transfer runs.
  std::optional<std::int64_t> bytes(const content::TransferToken& token) const;

 private:
  struct Entry {
    std::vector<Progress> running;
    std::shared_ptr<ArrivingContent> content;
  };

  std::vector<Progress> running(const content::TransferToken& token) const;

  mutable std::mutex mutex_;
  std::unordered_map<content::TransferToken, Entry> entries_;
};

}  // namespace quire::service
