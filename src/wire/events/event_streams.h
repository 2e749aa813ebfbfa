#pragma once

#include <string_view>

#include "service/services.h"
#include "wire/request/invocation.h"
#include "wire/request/message.h"

namespace quire::wire {

/// `GET /api/events`: the events of changes as server-sent events (docs/events.md), and how far transfers are for who
/// asks for that, for as long as the client listens and its login lasts. All threads may call it.
class EventStreams {
 public:
  EventStreams(service::Services& services, Invoker& invoker) : services_(services), invoker_(invoker) {}

  static bool owns(std::string_view path) { return path == "/api/events"; }

  /// The answer has a stream, or is a refusal in the form of new REST: Unauthenticated, InvalidArgument for a wrong
  /// parameter, ServiceUnavailable where there are too many streams.
  Response handle(const Request& request) const;

 private:
  service::Services& services_;
  Invoker& invoker_;
};

}  // namespace quire::wire
