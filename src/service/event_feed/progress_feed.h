#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "service/access/logins.h"
#include "service/transaction/context.h"

namespace quire::service {

/// Whose progress is wanted; unset members want all.
struct ProgressFilter {
  std::optional<content::LibraryId> library = {};
  std::optional<content::ItemId> item = {};
};

/// How far a file of an update session is that is pushed or pulled.
struct FileProgress {
  std::string name;
  content::TransferStatus status = content::TransferStatus::WAITING_FOR_TRANSFER;
  std::int64_t bytes_transferred = 0;
  std::optional<std::int64_t> size = {};  ///< that it has, or was promised to have
  bool operator==(const FileProgress&) const = default;
};

/// How far an ACTIVE update session is.
struct SessionProgress {
  content::UpdateSessionId session;
  content::ItemId item;
  content::LibraryId library;
  std::string creator;
  std::int64_t client_progress = 0;
  base::Time expires_at;                 ///< as the wall clock tells it
  std::vector<FileProgress> files = {};  ///< that have moved since its follower looked last
};

/// How far a task is that runs, in bytes.
struct TaskProgress {
  content::TaskId task;
  std::string target;  ///< identifier of what it works on
  std::string user;
  std::int64_t completed = 0;
  std::int64_t total = 0;  ///< 0 while it is not known
  bool operator==(const TaskProgress&) const = default;
};

/// What has moved since the follower looked last.
struct ProgressBatch {
  base::Time time;  ///< of the look that found it, by the wall clock
  std::vector<SessionProgress> sessions;
  std::vector<TaskProgress> tasks;
};

class ProgressFollower;

/// How far update sessions and tasks are, for those who watch: no events, because nothing of it is stored to be asked
/// for again, and a follower that lags misses what was between. All threads may call it.
///
/// A worker looks at the rows, and at the transfers of this process, for all followers at once; while there is none it
/// does nothing. What other servers receive shows as they record it.
class ProgressFeed {
 public:
  ProgressFeed(Context& context, Logins& logins) : context_(context), logins_(logins) {}

  /// Follows what `caller` may see, from the next look on, which tells of everything that is under way. It counts as no
  /// use of the login. How many there may be is for EventFeed to bound: a stream follows both.
  std::unique_ptr<ProgressFollower> follow(const content::Caller& caller, ProgressFilter filter);

  /// For the worker, once a second: looks when somebody follows, and wakes those for whom something has moved. It
  /// leaves out turns when a look takes long, so that it works a tenth of the time at most.
  base::Result<void> look();

 private:
  friend class ProgressFollower;
  struct Entry {
    ProgressFilter filter;
    bool is_new = true;  ///< no look since it came
    bool waits = false;  ///< has taken all there is
    std::function<void()> wake = {};
  };
  using Look = std::uint64_t;  ///< looks are numbered
  struct KnownFile {
    FileProgress state;
    Look moved = 0;  ///< the look that found it so
  };
  struct KnownSession {
    SessionProgress state;  ///< without files
    base::Time promise;     ///< its expiration in the calendar of leases
    std::map<std::string, KnownFile> files;
    Look moved = 0;
  };
  struct KnownTask {
    TaskProgress state;
    Look moved = 0;
  };
  struct Known {
    std::map<content::UpdateSessionId, KnownSession> sessions;
    std::map<content::TaskId, KnownTask> tasks;
  };

  base::Result<Known> read_all();
  void take(Known seen);
  bool has_moved_for(const ProgressFilter& filter) const;
  void leave(std::list<Entry>::iterator entry);

  Context& context_;
  Logins& logins_;
  std::atomic<std::size_t> follower_count_ = 0;
  base::Duration due_{};  ///< the worker's: no look before this uptime
  std::mutex mutex_;
  std::list<Entry> entries_;
  Known known_;  ///< by the newest look; empty while nobody follows
  Look looks_ = 0;
  base::Time looked_at_;
};

/// One client's way through the progress. Used by one thread at a time.
class ProgressFollower {
 public:
  ~ProgressFollower() { feed_.leave(entry_); }
  ProgressFollower(const ProgressFollower&) = delete;
  ProgressFollower& operator=(const ProgressFollower&) = delete;

  /// `wake` is called after next(): once, as soon as something has moved, by a thread that it must not hold up.
  void set_wake(std::function<void()> wake);

  /// What has moved, of what the caller may see at this moment. Unauthenticated when the login has ended.
  base::Result<ProgressBatch> next();

 private:
  friend class ProgressFeed;
  ProgressFollower(ProgressFeed& feed, std::list<ProgressFeed::Entry>::iterator entry, content::LoginId login)
      : feed_(feed), entry_(entry), login_(std::move(login)) {}

  ProgressFeed& feed_;
  const std::list<ProgressFeed::Entry>::iterator entry_;
  const content::LoginId login_;
  ProgressFeed::Look told_ = 0;
};

/// As those who follow read it: an object of JSON on one line (docs/events.md).
std::string progress_json(const SessionProgress& progress, base::Time time);
std::string progress_json(const TaskProgress& progress, base::Time time);

/// Whether `caller` may learn of it: of sessions that they may list or use, of their own tasks; and of all when they
/// may read the audit trail.
bool may_see(const content::Caller& caller, const SessionProgress& progress);
bool may_see(const content::Caller& caller, const TaskProgress& progress);

}  // namespace quire::service
