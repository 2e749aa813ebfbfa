#include "service/event_feed/event_feed.h"

#include <algorithm>
#include <boost/json.hpp>
#include <limits>
#include <utility>

#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Result;
using content::Caller;
using content::Event;
using content::EventKind;
using content::Privilege;

constexpr std::size_t page_events = 200;    ///< that a follower looks at in one call
constexpr std::size_t tail_events = 1000;   ///< kept for followers that keep up
constexpr std::size_t read_at_once = 1000;  ///< by the worker

void add_unless_empty(boost::json::object& object, std::string_view name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

bool fits(const EventFilter& filter, const Event& event) {
  return (!filter.library || *filter.library == event.library_id) && (!filter.item || *filter.item == event.item_id) &&
         (filter.kinds.empty() || std::ranges::find(filter.kinds, event.kind) != filter.kinds.end());
}

base::Error too_many(std::string_view whose, std::size_t limit) {
  return {base::ErrorKind::service_unavailable,
          "quire.events.too_many_streams",
          "There are {limit} event streams {whose} already, which is the limit. Close some, or try again later.",
          {{"limit", static_cast<std::int64_t>(limit)}, {"whose", std::string(whose)}}};
}

/// Of a session that is not the actor's.
bool is_creator(const Caller& caller, const Event& event) {
  const auto details = details_of(event);
  const auto creator = details.find(std::string(session_creator_detail));
  return creator != details.end() && creator->second == caller.user;
}

bool may_use_session(const Caller& caller, const Event& event) {
  return event.actor == caller.user || is_administrator_of(caller, event.library_id) || is_creator(caller, event);
}

/// Who an event is told to who may not read the audit trail.
enum class Audience { library, item, listed_session, session, own, anybody, root_readers, configuration, nobody };

Audience audience_of(EventKind kind) {
  switch (kind) {
    case EventKind::library_created:
    case EventKind::library_updated:
    case EventKind::library_deleted:
    case EventKind::library_published:
    case EventKind::library_unpublished:
    case EventKind::library_usage_added:
    case EventKind::library_usage_removed:
    case EventKind::library_synchronized:
    case EventKind::subscription_created:
    case EventKind::subscription_updated:
    case EventKind::subscription_deleted:
      return Audience::library;
    case EventKind::item_created:
    case EventKind::item_updated:
    case EventKind::item_deleted:
    case EventKind::item_content_changed:
    case EventKind::item_evicted:
    case EventKind::tag_attached:
    case EventKind::tag_detached:
      return Audience::item;
    case EventKind::update_session_created:
    case EventKind::update_session_file_added:
    case EventKind::update_session_file_removed:
    case EventKind::update_session_file_ready:
    case EventKind::update_session_ended:
      return Audience::listed_session;  // who may open one on the item may list those of others
    case EventKind::download_session_created:
    case EventKind::download_session_ended:
      return Audience::session;
    case EventKind::task_created:
    case EventKind::task_ended:
      return Audience::own;
    case EventKind::tag_category_created:
    case EventKind::tag_category_updated:
    case EventKind::tag_category_deleted:
    case EventKind::tag_created:
    case EventKind::tag_updated:
    case EventKind::tag_deleted:
      return Audience::anybody;
    case EventKind::trusted_certificate_created:
    case EventKind::trusted_certificate_deleted:
      return Audience::root_readers;
    case EventKind::configuration_updated:
      return Audience::configuration;
    default:  // people, what they may do, and what they were refused: the audit trail alone
      return Audience::nobody;
  }
}

}  // namespace

std::string event_json(const Event& event) {
  boost::json::object data;
  data["number"] = event.number;
  data["time"] = base::to_text(event.time);
  data["kind"] = base::name_of(event.kind);
  add_unless_empty(data, "library", event.library_id.text());
  add_unless_empty(data, "item", event.item_id.text());
  add_unless_empty(data, "subject", event.subject_id);
  data["actor"] = event.actor;
  if (!event.details.empty()) data["details"] = boost::json::parse(event.details);
  return boost::json::serialize(data);
}

bool may_list_sessions(const Caller& caller, const content::LibraryId& library) {
  const auto& held = caller.grants->on_items_of(library);
  return held.has(Privilege::System_Read) && held.has(Privilege::ContentLibrary_UpdateSession);
}

bool may_see(const Caller& caller, const Event& event) {
  const auto& root = caller.grants->on_root();
  if (root.has(Privilege::Global_Diagnostics)) return true;
  switch (audience_of(event.kind)) {
    case Audience::library:
      return caller.grants->on_library(event.library_id).has(Privilege::System_Read);
    case Audience::item: {
      if (event.library_id.empty()) return root.has(Privilege::System_Read);  // tags on a datastore
      const bool of_library = event.item_id.empty();
      const auto& held =
          of_library ? caller.grants->on_library(event.library_id) : caller.grants->on_items_of(event.library_id);
      return held.has(Privilege::System_Read);
    }
    case Audience::listed_session:
      return may_list_sessions(caller, event.library_id) || may_use_session(caller, event);
    case Audience::session:
      return may_use_session(caller, event);
    case Audience::own:
      return event.actor == caller.user;
    case Audience::anybody:
      return true;
    case Audience::root_readers:
      return root.has(Privilege::System_Read);
    case Audience::configuration:
      return root.has(Privilege::ContentLibrary_GetConfiguration);
    case Audience::nobody:
      break;
  }
  return false;
}

Result<std::unique_ptr<EventFollower>> EventFeed::follow(const Caller& caller, EventFilter filter,
                                                         std::optional<std::int64_t> after) {
  struct Bounds {
    std::int64_t oldest = 0;
    std::int64_t newest = 0;
  };
  QUIRE_ASSIGN_OR_RETURN(const auto there, context_.catalog.read([](content::CatalogReader& reader) -> Result<Bounds> {
    const auto first = reader.events_after(0, 1);
    const auto last = reader.events_before(std::numeric_limits<std::int64_t>::max(), 1);
    return Bounds{first.empty() ? 0 : first.front().number, last.empty() ? 0 : last.front().number};
  }));
  auto position = after.value_or(there.newest);
  std::optional<LostEvents> lost;
  if (position > there.newest) {  // of another catalog, or of this one before a backup was put back
    lost = LostEvents{position, there.oldest};
    position = there.newest;
  } else if (position > 0 && position + 1 < there.oldest) {
    lost = LostEvents{position, there.oldest};
    position = there.oldest - 1;
  }
  QUIRE_ASSIGN_OR_RETURN(const auto entry, enter(caller, std::move(filter), there.newest));
  announce();  // what was committed after the look above
  return std::unique_ptr<EventFollower>(new EventFollower(*this, entry, caller.login, position, lost));
}

Result<std::list<EventFeed::Entry>::iterator> EventFeed::enter(const Caller& caller, EventFilter filter,
                                                               std::int64_t newest) {
  const auto& limits = context_.limits;
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= limits.event_streams_max) return too_many("on this server", limits.event_streams_max);
  const auto own = std::ranges::count_if(entries_, [&](const Entry& entry) { return entry.user == caller.user; });
  if (static_cast<std::size_t>(own) >= limits.event_streams_of_user_max)
    return too_many("of this user", limits.event_streams_of_user_max);
  if (entries_.empty()) {
    tail_.clear();
    tail_begin_ = newest;
    tail_end_ = newest;
  }
  const auto entry = entries_.insert(entries_.end(), Entry{caller.user, std::move(filter)});
  follower_count_ = entries_.size();
  return entry;
}

void EventFeed::leave(std::list<Entry>::iterator entry) {
  const std::lock_guard lock(mutex_);
  entries_.erase(entry);
  follower_count_ = entries_.size();
  if (entries_.empty()) tail_.clear();
}

void EventFeed::announce() {
  if (follower_count_ == 0) return;
  {
    const std::lock_guard lock(mutex_);
    announced_ = true;
  }
  changed_.notify_all();
}

bool EventFeed::wait(base::Duration at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return announced_ || stopping_; });
  announced_ = false;
  return !stopping_;
}

void EventFeed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

Result<void> EventFeed::hand_out() {
  for (;;) {
    std::int64_t known = 0;
    {
      const std::lock_guard lock(mutex_);
      if (entries_.empty()) return {};
      known = tail_end_;
    }
    QUIRE_ASSIGN_OR_RETURN(auto events,
                           context_.catalog.read([&](content::CatalogReader& reader) -> Result<std::vector<Event>> {
                             return reader.events_after(known, read_at_once);
                           }));
    const bool full = events.size() == read_at_once;
    const std::lock_guard lock(mutex_);
    if (entries_.empty() || tail_end_ != known) continue;  // all followers have gone, and others have come
    for (auto& event : events) {
      tail_end_ = event.number;
      for (auto& entry : entries_) {
        if (!entry.waits) continue;
        if (!fits(entry.filter, event)) {
          entry.passed = event.number;
          continue;
        }
        entry.waits = false;
        if (entry.wake) entry.wake();
      }
      tail_.push_back(std::make_shared<const Event>(std::move(event)));
    }
    while (tail_.size() > tail_events) {
      tail_begin_ = tail_.front()->number;
      tail_.pop_front();
    }
    if (!full) return {};
  }
}

EventFeed::Recent EventFeed::recent(std::list<Entry>::iterator entry, std::int64_t& after) {
  const std::lock_guard lock(mutex_);
  after = std::max(after, entry->passed);
  Recent found{after >= tail_begin_, tail_begin_, {}};
  entry->waits = false;
  if (!found.reaches) return found;
  const auto first = std::ranges::upper_bound(tail_, after, {}, [](const auto& event) { return event->number; });
  const auto count = std::min<std::ptrdiff_t>(tail_.end() - first, page_events);
  found.events.assign(first, first + count);
  entry->waits = found.events.empty();
  return found;
}

void EventFollower::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(feed_.mutex_);
  entry_->wake = std::move(wake);
}

Result<EventBatch> EventFollower::next() {
  QUIRE_ASSIGN_OR_RETURN(const auto caller, feed_.logins_.current(login_));
  EventBatch batch;
  batch.lost = std::exchange(lost_, std::nullopt);
  auto found = feed_.recent(entry_, position_);
  batch.more = !found.events.empty() || !found.reaches;
  if (!found.reaches) {
    QUIRE_ASSIGN_OR_RETURN(auto page, feed_.context_.catalog.read([&](content::CatalogReader& reader) {
      return Result<std::vector<Event>>(reader.events_after(position_, page_events));
    }));
    // All that the newest events follow on was there before this page was read.
    const bool whole = page.size() < page_events;
    for (auto& event : page) found.events.push_back(std::make_shared<const Event>(std::move(event)));
    if (whole) position_ = std::max(position_, found.begin);
  }
  for (auto& event : found.events) {
    position_ = std::max(position_, event->number);
    if (fits(entry_->filter, *event) && may_see(caller, *event)) batch.events.push_back(std::move(event));
  }
  batch.seen = position_;
  return batch;
}

}  // namespace quire::service
