#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace quire::client {

/// A message of a stream of server-sent events (HTML standard, "Server-sent events").
struct ServerEvent {
  std::string id;
  std::string kind;
  std::string data;
};

/// Takes a stream apart as it comes, in pieces that may be cut anywhere.
class EventStream {
 public:
  explicit EventStream(std::function<void(const ServerEvent&)> on_event) : on_event_(std::move(on_event)) {}

  void feed(std::string_view bytes);

  /// Of the last message that came whole, also of one without data: where the stream goes on after a break.
  const std::string& last_id() const { return last_id_; }

 private:
  void take_line(std::string_view line);

  const std::function<void(const ServerEvent&)> on_event_;
  std::string line_;
  bool after_return_ = false;
  bool has_data_ = false;
  ServerEvent event_;
  std::string last_id_;
};

}  // namespace quire::client
