#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "content/webhook.h"
#include "service/transaction/context.h"

namespace quire::service {

/// The value of `Quire-Signature` for a body that is sent at `at`: `t=1767225600,v1=<HMAC-SHA256 of
/// "1767225600.<body>">` (docs/events.md).
std::string webhook_signature(std::string_view secret, base::Time at, std::string_view body);

/// Tells webhooks of events, each at least once. What is to be sent stands in the catalog, so it survives a restart;
/// a crash after an answer and before it was stored sends some again. One webhook is served by one thread at a time, in
/// the order of the events; what failed is tried again with growing pauses while later events go on, and is dead after
/// Settings::webhook_attempts. A server that cannot be reached counts as one failure for all that waits for it.
/// context.message_sender must be set. All threads may call it.
class WebhookRunner {
 public:
  explicit WebhookRunner(Context& context) : context_(context) {}

  /// Serves each webhook that no other thread serves once; false when there was nothing to do.
  base::Result<bool> run_round();
  /// For a worker: removes dead deliveries of events that are not stored any more.
  base::Result<void> remove_old();

  /// Waits until `at_most` has passed or stop() was called; false after stop().
  bool wait(base::Duration at_most);
  /// Ends what runs and all waiting.
  void stop();

 private:
  class Turn;

  base::Result<bool> queue_new(const content::Webhook& webhook);
  base::Result<bool> send_due(const content::Webhook& webhook);

  Context& context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopping_ = false;
  std::set<std::string> served_;  ///< webhooks, by threads that run
};

}  // namespace quire::service
