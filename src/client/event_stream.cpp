#include "client/event_stream.h"

#include <utility>

namespace quire::client {

void EventStream::feed(std::string_view bytes) {
  for (const char c : bytes) {
    const bool second_half = c == '\n' && std::exchange(after_return_, c == '\r');
    if (c != '\n') after_return_ = c == '\r';
    if (second_half) continue;
    if (c == '\n' || c == '\r') {
      take_line(line_);
      line_.clear();
    } else {
      line_ += c;
    }
  }
}

void EventStream::take_line(std::string_view line) {
  if (line.empty()) {
    last_id_ = event_.id;
    if (has_data_) on_event_(event_);
    event_.kind.clear();
    event_.data.clear();
    has_data_ = false;
    return;
  }
  const auto colon = line.find(':');
  if (colon == 0) return;  // a comment
  const auto field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "id") {
    event_.id = value;
  } else if (field == "event") {
    event_.kind = value;
  } else if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
}

}  // namespace quire::client
