#include "wire/events/event_text.h"

#include <boost/json.hpp>

namespace quire::wire {
namespace {

namespace json = boost::json;

std::string message(std::string_view event, std::string_view data) {
  std::string text = "event: ";
  text.append(event).append("\ndata: ").append(data).append("\n\n");
  return text;
}

std::string message(std::int64_t id, std::string_view event, std::string_view data) {
  return "id: " + std::to_string(id) + "\n" + message(event, data);
}

}  // namespace

std::string event_text(const content::Event& event) {
  return message(event.number, base::name_of(event.kind), service::event_json(event));
}

std::string lost_text(const service::LostEvents& lost) {
  json::object data;
  data["after"] = lost.after;
  data["oldest"] = lost.oldest;
  return message(lost.oldest > 0 ? lost.oldest - 1 : 0, "events.lost", json::serialize(data));
}

std::string progress_text(const service::SessionProgress& progress, base::Time time) {
  return message("update_session.progress", service::progress_json(progress, time));
}

std::string progress_text(const service::TaskProgress& progress, base::Time time) {
  return message("task.progress", service::progress_json(progress, time));
}

}  // namespace quire::wire
