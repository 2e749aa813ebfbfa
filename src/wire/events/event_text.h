#pragma once

#include <cstdint>
#include <string>

#include "content/event.h"
#include "service/event_feed/event_feed.h"
#include "service/event_feed/progress_feed.h"

/// Messages of an event stream as `text/event-stream` has them (WHATWG HTML, "Server-sent events"): fields a line, an
/// empty line at the end.
namespace quire::wire {

/// The event with its number as `id`, its kind as `event`, and what happened as a JSON object in `data`.
std::string event_text(const content::Event& event);

/// `events.lost`: what the client asked to go on from is gone. The `id` lets a client that comes back go on from here.
std::string lost_text(const service::LostEvents& lost);

/// `update_session.progress` and `task.progress`. Without an `id`: a client that comes back is not told again, and the
/// last event's number stays what it goes on from.
std::string progress_text(const service::SessionProgress& progress, base::Time time);
std::string progress_text(const service::TaskProgress& progress, base::Time time);

}  // namespace quire::wire
