#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "content/message_sender.h"

namespace quire::test_support {

/// Other servers as a test wants them: it answers with `answer` and keeps what it was given. All threads may call it.
class ScriptedSender final : public content::MessageSender {
 public:
  base::Result<void> check(const content::SourceUrl& url) const override {
    if (url.is_web()) return {};
    return base::Error(base::ErrorKind::invalid_argument, "quire.webhook.unusable_url", "The URL cannot be used.");
  }
  content::SendOutcome send(const content::OutgoingMessage& message, const std::atomic<bool>&) override {
    const std::lock_guard lock(mutex_);
    sent_.push_back(message);
    return answer ? answer(message) : content::SendOutcome{200, ""};
  }
  /// What was sent since the last call of it.
  std::vector<content::OutgoingMessage> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(sent_, {});
  }

  /// Set while nobody sends.
  std::function<content::SendOutcome(const content::OutgoingMessage&)> answer;

 private:
  std::mutex mutex_;
  std::vector<content::OutgoingMessage> sent_;
};

}  // namespace quire::test_support
