#include "wire/events/event_streams.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/decimal.h"
#include "base/utf8.h"
#include "wire/events/event_text.h"
#include "wire/request/authentication.h"
#include "wire/request/request_target.h"
#include "wire/rest/rest_exchange.h"

namespace quire::wire {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

/// How soon a client that lost its connection comes back.
constexpr std::string_view beginning = "retry: 3000\n\n";

struct Wanted {
  service::EventFilter filter;
  std::optional<std::int64_t> after;
  bool progress = false;
};

Result<std::int64_t> event_number(std::string_view name, std::string_view text) {
  if (const auto number = base::parse_decimal(text)) return *number;
  return Error(ErrorKind::invalid_argument, "quire.events.bad_number",
               "{name} is {value}; it must be the number of an event, as the field id of an earlier one has it.",
               {{"name", std::string(name)}, {"value", base::displayable(text)}});
}

Result<bool> yes_or_no(std::string_view name, std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  return Error(ErrorKind::invalid_argument, "quire.events.bad_flag", "{name} is {value}; it must be true or false.",
               {{"name", std::string(name)}, {"value", base::displayable(text)}});
}

Result<Wanted> read_wanted(const Request& request) {
  QUIRE_ASSIGN_OR_RETURN(const auto target, parse_target(request.target));
  Wanted wanted;
  for (const auto& [name, value] : target.query) {
    if (name == "library") {
      wanted.filter.library = content::LibraryId(value);
    } else if (name == "item") {
      wanted.filter.item = content::ItemId(value);
    } else if (name == "kind") {
      const auto kind = base::enumerator_named<content::EventKind>(value);
      if (!kind)
        return Error(ErrorKind::invalid_argument, "quire.events.unknown_kind",
                     "There is no kind of event {kind}; they have names such as library.created.",
                     {{"kind", base::displayable(value)}});
      wanted.filter.kinds.push_back(*kind);
    } else if (name == "after") {
      QUIRE_ASSIGN_OR_RETURN(wanted.after, event_number("after", value));
    } else if (name == "progress") {
      QUIRE_ASSIGN_OR_RETURN(wanted.progress, yes_or_no("progress", value));
    } else {
      return Error(ErrorKind::invalid_argument, "quire.wire.unsupported_property",
                   "Unsupported property with name: {name}", {{"name", base::displayable(name)}});
    }
  }
  // A client that comes back by itself asks for the same address as at first.
  if (const auto last = request.headers.find("Last-Event-ID"); last && !last->empty()) {
    QUIRE_ASSIGN_OR_RETURN(wanted.after, event_number("Last-Event-ID", *last));
  }
  return wanted;
}

class EventStream final : public ResponseStream {
 public:
  /// `progress`: nullptr when none is wanted.
  EventStream(std::unique_ptr<service::EventFollower> follower, std::unique_ptr<service::ProgressFollower> progress,
              const base::Clock& clock, base::Duration heartbeat)
      : follower_(std::move(follower)), progress_(std::move(progress)), clock_(clock), heartbeat_(heartbeat) {}

  Piece next() override {
    auto batch = follower_->next();
    if (!batch) return {"", State::ended};
    Piece piece{std::exchange(first_, {}), batch->more ? State::more : State::idle};
    if (batch->lost) {
      piece.text += lost_text(*batch->lost);
      told_ = std::max<std::int64_t>(0, batch->lost->oldest - 1);
    }
    for (const auto& event : batch->events) {
      piece.text += event_text(*event);
      told_ = event->number;
    }
    const auto now = clock_.uptime();
    if (piece.text.empty() && piece.state == State::idle && now - sent_at_ >= heartbeat_) {
      piece.text = ":\n\n";
      // So a client that comes back need not go through what was not for it.
      if (batch->seen > told_) piece.text = ":\nid: " + std::to_string(batch->seen) + "\n\n";
      told_ = std::max(told_, batch->seen);
    }
    if (!piece.text.empty()) sent_at_ = now;
    // Behind the events, so that a file is told of before its bytes are; and no heartbeat, which has a number to tell.
    if (progress_ && piece.state == State::idle && !add_progress(piece.text)) return {"", State::ended};
    return piece;
  }
  void set_wake(std::function<void()> wake) override {
    if (progress_) progress_->set_wake(wake);
    follower_->set_wake(std::move(wake));
  }
  base::Duration patience() const override {
    return std::max(base::Duration(1), sent_at_ + heartbeat_ - clock_.uptime());
  }

 private:
  /// False when the login has ended.
  bool add_progress(std::string& text) {
    const auto batch = progress_->next();
    if (!batch) return false;
    for (const auto& session : batch->sessions) text += progress_text(session, batch->time);
    for (const auto& task : batch->tasks) text += progress_text(task, batch->time);
    return true;
  }

  const std::unique_ptr<service::EventFollower> follower_;
  const std::unique_ptr<service::ProgressFollower> progress_;
  const base::Clock& clock_;
  const base::Duration heartbeat_;
  std::string first_{beginning};
  base::Duration sent_at_{};
  std::int64_t told_ = 0;  ///< the last `id` that was sent
};

}  // namespace

Response EventStreams::handle(const Request& request) const {
  if (request.method != "GET") return method_not_allowed(RestForm::current, request.method, "GET");
  const auto caller =
      admit(invoker_, identification_of(request.headers), call_context(request, "com.quire.events.follow"));
  if (!caller) return rest_failure(RestForm::current, caller.error(), login_challenge);
  auto wanted = read_wanted(request);
  if (!wanted) return rest_failure(RestForm::current, wanted.error());
  service::ProgressFilter of_progress{wanted->filter.library, wanted->filter.item};
  auto follower = services_.event_feed.follow(*caller, std::move(wanted->filter), wanted->after);
  if (!follower) return rest_failure(RestForm::current, follower.error());
  auto progress = wanted->progress ? services_.progress_feed.follow(*caller, std::move(of_progress)) : nullptr;
  Response response;
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Accel-Buffering", "no");  // proxies that gather answers would hold events back
  response.stream = std::make_shared<EventStream>(*std::move(follower), std::move(progress), services_.clock,
                                                  services_.event_heartbeat);
  return response;
}

}  // namespace quire::wire
