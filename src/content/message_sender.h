#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "content/source_url.h"

namespace quire::content {

/// A small message for another server: the body of a POST.
struct OutgoingMessage {
  SourceUrl url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct SendOutcome {
  std::optional<int> status;  ///< of the answer; unset when none came
  std::string problem;        ///< empty: it was taken, by an answer of 2xx. Else for people, without secrets of the URL
};

/// Sends messages to other servers. All threads may call it.
class MessageSender {
 public:
  virtual ~MessageSender() = default;

  /// Whether the URL can be used at all, as far as that shows without looking. InvalidArgument says what is wrong.
  virtual base::Result<void> check(const SourceUrl& url) const = 0;

  /// One attempt, blocking, within a time-out; follows no redirect. `stop` set from another thread ends it within about
  /// a second.
  virtual SendOutcome send(const OutgoingMessage& message, const std::atomic<bool>& stop) = 0;
};

}  // namespace quire::content
