#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "service/update_session/update_sessions.h"
#include "service/upload/uploads.h"

namespace quire::service {

/// Fetches the PULL files of update sessions (content-library-api.md §15, §28.3). What is to be fetched stands in the
/// catalog, so pulls survive a restart. All threads may call it; context.fetcher must be set.
class Pulls {
 public:
  explicit Pulls(Context& context) : context_(context) {}

  /// Fetches one file that waits and that no other thread has taken, with all its attempts, and records how it ended.
  /// False when there was none.
  base::Result<bool> run_next();

  /// Waits until something may have been added, `at_most` has passed, or stop() was called; false after stop().
  bool wait(base::Duration at_most);
  /// Something was added.
  void wake();
  /// Ends what runs, which is begun again by the next start, and all waiting.
  void stop();

 private:
  struct Job;
  class Transfer;

  std::shared_ptr<Job> take();
  void give_back(const Job& job);
  void run(Job& job);
  /// Back-off before the next attempt; activity of the session meanwhile. False when there is no use in trying again.
  bool pause(const Job& job, base::Duration delay);
  void wait_for_room(const Job& job, const base::Error& error);

  Context& context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::map<content::TransferToken, std::shared_ptr<Job>> running_;
};

}  // namespace quire::service
