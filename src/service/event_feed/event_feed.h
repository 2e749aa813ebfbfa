#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "service/access/logins.h"
#include "service/transaction/context.h"

namespace quire::service {

/// Which events are wanted; unset or empty members want all.
struct EventFilter {
  std::optional<content::LibraryId> library = {};
  std::optional<content::ItemId> item = {};
  std::vector<content::EventKind> kinds = {};
};

/// Events are gone that somebody wanted: they were older than the retention, or the numbers were another catalog's.
struct LostEvents {
  std::int64_t after;   ///< what was asked for
  std::int64_t oldest;  ///< that is there; 0 when there is none
};

/// Some of the events that a follower wants, in order.
struct EventBatch {
  std::optional<LostEvents> lost;  ///< before the first of `events`
  std::vector<std::shared_ptr<const content::Event>> events;
  std::int64_t seen = 0;  ///< all events up to this number have been looked at
  bool more = false;      ///< there may be further ones already; else the wake function will tell
};

class EventFollower;

/// The events for those who follow them while they happen. All threads may call it.
///
/// The table is the source: a follower that lags reads its next page there, so slow ones hold no memory. Those that
/// keep up share one reading: a worker runs hand_out() after each announce(), keeps the newest events for them, and
/// wakes those that wait for one that fits.
class EventFeed {
 public:
  EventFeed(Context& context, Logins& logins) : context_(context), logins_(logins) {}

  /// Follows what `caller` may see, behind the number `after`, or from now on. It counts as no use of the login.
  /// ServiceUnavailable beyond Limits::event_streams_max and event_streams_of_user_max.
  base::Result<std::unique_ptr<EventFollower>> follow(const content::Caller& caller, EventFilter filter,
                                                      std::optional<std::int64_t> after);
  std::size_t followers() const { return follower_count_.load(); }

  /// There are new events. Returns at once.
  void announce();
  /// For the worker: waits until announce(), `at_most`, or stop(); false after stop().
  bool wait(base::Duration at_most);
  /// For the worker: reads what is new, for all followers, and wakes them.
  base::Result<void> hand_out();
  void stop();

 private:
  friend class EventFollower;
  using SharedEvent = std::shared_ptr<const content::Event>;
  struct Entry {
    std::string user;
    EventFilter filter;
    bool waits = false;       ///< has looked at all of the tail
    std::int64_t passed = 0;  ///< what came up to here while it waited does not fit
    std::function<void()> wake = {};
  };

  base::Result<std::list<Entry>::iterator> enter(const content::Caller& caller, EventFilter filter,
                                                 std::int64_t newest);
  void leave(std::list<Entry>::iterator entry);
  struct Recent {
    bool reaches;  ///< back to what was asked for
    std::int64_t begin;
    std::vector<SharedEvent> events;
  };
  /// What follows `after` of the tail; moves `after` over what does not fit.
  Recent recent(std::list<Entry>::iterator entry, std::int64_t& after);

  Context& context_;
  Logins& logins_;
  std::atomic<std::size_t> follower_count_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool announced_ = false;
  bool stopping_ = false;
  std::list<Entry> entries_;
  /// All events behind tail_begin_ up to tail_end_, while somebody follows.
  std::deque<SharedEvent> tail_;
  std::int64_t tail_begin_ = 0;
  std::int64_t tail_end_ = 0;
};

/// One client's way through the events. Used by one thread at a time.
class EventFollower {
 public:
  ~EventFollower() { feed_.leave(entry_); }
  EventFollower(const EventFollower&) = delete;
  EventFollower& operator=(const EventFollower&) = delete;

  /// `wake` is called after next() has said that there is no more: once, as soon as there may be, by a thread that it
  /// must not hold up.
  void set_wake(std::function<void()> wake);

  /// What comes next, as the caller's privileges are at this moment. Unauthenticated when the login has ended.
  base::Result<EventBatch> next();

 private:
  friend class EventFeed;
  EventFollower(EventFeed& feed, std::list<EventFeed::Entry>::iterator entry, content::LoginId login,
                std::int64_t position, std::optional<LostEvents> lost)
      : feed_(feed), entry_(entry), login_(std::move(login)), position_(position), lost_(lost) {}

  EventFeed& feed_;
  const std::list<EventFeed::Entry>::iterator entry_;
  const content::LoginId login_;
  std::int64_t position_;
  std::optional<LostEvents> lost_;
};

/// The event as those who follow read it: an object of JSON on one line, without what only the audit trail tells
/// (docs/events.md).
std::string event_json(const content::Event& event);

/// Whether `caller` may learn of the event: of what they may find (libraries, items), of update sessions that they may
/// list, of their own download sessions and tasks, and of all when they may read the audit trail. Whoever may
/// administrate a library sees all sessions on its items.
bool may_see(const content::Caller& caller, const content::Event& event);

/// Whether `caller` may open an update session on items of the library, and so list those that are there.
bool may_list_sessions(const content::Caller& caller, const content::LibraryId& library);

}  // namespace quire::service
