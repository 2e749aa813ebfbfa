#include "service/event_feed/progress_feed.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <string_view>
#include <utility>

#include "service/event_feed/event_feed.h"
#include "service/session/session_access.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Result;
using content::Caller;
using content::Privilege;
using content::SessionFile;
using content::UpdateSession;
using content::UpdateSessionId;

constexpr std::size_t sessions_per_page = 1000;
constexpr std::size_t tasks_looked_at = 1000;  ///< the newest; those that run are among them, or nearly so
constexpr int rest_factor = 9;                 ///< times what a look took, before the next one

bool fits(const ProgressFilter& filter, const SessionProgress& progress) {
  return (!filter.library || *filter.library == progress.library) && (!filter.item || *filter.item == progress.item);
}
bool fits(const ProgressFilter& filter, const TaskProgress& progress) {
  return (!filter.library || filter.library->text() == progress.target) &&
         (!filter.item || filter.item->text() == progress.target);
}

bool is_on_its_way(const SessionFile& file) {
  return file.source_type != content::SourceType::NONE && file.archive.empty();
}

FileProgress progress_of(const SessionFile& file) {
  return {file.name, file.status, file.bytes_transferred, file.size ? file.size : file.declared_size};
}

boost::json::object beginning(std::string_view kind, base::Time time) {
  boost::json::object data;
  data["time"] = base::to_text(time);
  data["kind"] = kind;
  return data;
}

}  // namespace

std::string progress_json(const SessionProgress& progress, base::Time time) {
  auto data = beginning("update_session.progress", time);
  data["library"] = progress.library.text();
  data["item"] = progress.item.text();
  data["subject"] = progress.session.text();
  boost::json::array files;
  for (const auto& file : progress.files) {
    boost::json::object shown;
    shown["name"] = file.name;
    shown["status"] = base::name_of(file.status);
    shown["bytes_transferred"] = file.bytes_transferred;
    if (file.size) shown["size"] = *file.size;
    files.push_back(std::move(shown));
  }
  boost::json::object details;
  details["client_progress"] = progress.client_progress;
  details["expiration_time"] = base::to_text(progress.expires_at);
  details["files"] = std::move(files);
  data["details"] = std::move(details);
  return boost::json::serialize(data);
}

std::string progress_json(const TaskProgress& progress, base::Time time) {
  auto data = beginning("task.progress", time);
  data["subject"] = progress.task.text();
  boost::json::object details;
  details["completed"] = progress.completed;
  details["total"] = progress.total;
  data["details"] = std::move(details);
  return boost::json::serialize(data);
}

bool may_see(const Caller& caller, const SessionProgress& progress) {
  if (caller.grants->on_root().has(Privilege::Global_Diagnostics)) return true;
  return may_list_sessions(caller, progress.library) || progress.creator == caller.user ||
         is_administrator_of(caller, progress.library);
}

bool may_see(const Caller& caller, const TaskProgress& progress) {
  return caller.grants->on_root().has(Privilege::Global_Diagnostics) || progress.user == caller.user;
}

std::unique_ptr<ProgressFollower> ProgressFeed::follow(const Caller& caller, ProgressFilter filter) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.insert(entries_.end(), Entry{std::move(filter)});
  follower_count_ = entries_.size();
  return std::unique_ptr<ProgressFollower>(new ProgressFollower(*this, entry, caller.login));
}

void ProgressFeed::leave(std::list<Entry>::iterator entry) {
  const std::lock_guard lock(mutex_);
  entries_.erase(entry);
  follower_count_ = entries_.size();
  if (entries_.empty()) known_ = {};
}

Result<void> ProgressFeed::look() {
  if (follower_count_ == 0) return {};
  const auto begun = context_.clock.uptime();
  if (begun < due_) return {};
  QUIRE_ASSIGN_OR_RETURN(auto seen, read_all());
  take(std::move(seen));
  const auto ended = context_.clock.uptime();
  due_ = ended + rest_factor * (ended - begun);
  return {};
}

Result<ProgressFeed::Known> ProgressFeed::read_all() {
  return context_.catalog.read([&](content::CatalogReader& reader) -> Result<Known> {
    Known seen;
    const auto now = context_.leases.now();
    UpdateSessionId after;
    for (bool more = true; more;) {
      const auto ids = reader.active_update_sessions_after(after, sessions_per_page);
      more = ids.size() == sessions_per_page;
      for (const auto& id : ids) {
        after = id;
        const auto session = reader.find<UpdateSession>(id);
        if (!session || !is_active(*session) || has_expired(*session, now)) continue;
        const auto item = reader.find<content::Item>(session->item_id);
        if (!item) continue;
        KnownSession known{{id, item->id, item->library_id, session->creator, session->client_progress,
                            context_.leases.shown(session->expires_at)},
                           session->expires_at,
                           {}};
        for (const auto& file : reader.list<SessionFile>(id))
          if (is_on_its_way(file)) known.files.emplace(file.name, KnownFile{progress_of(live(context_, file))});
        seen.sessions.emplace(id, std::move(known));
      }
    }
    if (reader.active_task_count() == 0) return seen;
    for (const auto& id : reader.tasks({}, tasks_looked_at)) {
      const auto task = reader.find<content::Task>(id);
      if (!task || task->status != content::TaskStatus::RUNNING) continue;
      seen.tasks.emplace(id, KnownTask{{id, task->target, task->user, task->completed, task->total}});
    }
    return seen;
  });
}

void ProgressFeed::take(Known seen) {
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return;
  ++looks_;
  looked_at_ = context_.clock.now();
  for (auto& [id, session] : seen.sessions) {
    const auto before = known_.sessions.find(id);
    bool same = before != known_.sessions.end() && before->second.promise == session.promise &&
                before->second.state.client_progress == session.state.client_progress;
    for (auto& [name, file] : session.files) {
      file.moved = looks_;
      if (before == known_.sessions.end()) continue;
      const auto earlier = before->second.files.find(name);
      if (earlier != before->second.files.end() && earlier->second.state == file.state)
        file.moved = earlier->second.moved;
      else
        same = false;
    }
    session.moved = same ? before->second.moved : looks_;
  }
  for (auto& [id, task] : seen.tasks) {
    const auto before = known_.tasks.find(id);
    const bool same = before != known_.tasks.end() && before->second.state == task.state;
    task.moved = same ? before->second.moved : looks_;
  }
  known_ = std::move(seen);
  for (auto& entry : entries_) {
    const bool concerned = entry.is_new || (entry.waits && has_moved_for(entry.filter));
    if (!concerned) continue;
    entry.is_new = false;
    entry.waits = false;
    if (entry.wake) entry.wake();
  }
}

bool ProgressFeed::has_moved_for(const ProgressFilter& filter) const {
  const auto moved = [&](const auto& known) {
    return known.second.moved == looks_ && fits(filter, known.second.state);
  };
  return std::ranges::any_of(known_.sessions, moved) || std::ranges::any_of(known_.tasks, moved);
}

void ProgressFollower::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(feed_.mutex_);
  entry_->wake = std::move(wake);
}

Result<ProgressBatch> ProgressFollower::next() {
  {
    const std::lock_guard lock(feed_.mutex_);
    if (entry_->is_new || told_ == feed_.looks_) {
      entry_->waits = true;
      return ProgressBatch();
    }
  }
  QUIRE_ASSIGN_OR_RETURN(const auto caller, feed_.logins_.current(login_));
  const std::lock_guard lock(feed_.mutex_);
  ProgressBatch batch{feed_.looked_at_, {}, {}};
  for (const auto& [id, known] : feed_.known_.sessions) {
    if (known.moved <= told_ || !fits(entry_->filter, known.state) || !may_see(caller, known.state)) continue;
    auto& shown = batch.sessions.emplace_back(known.state);
    for (const auto& [name, file] : known.files)
      if (file.moved > told_) shown.files.push_back(file.state);
  }
  for (const auto& [id, known] : feed_.known_.tasks)
    if (known.moved > told_ && fits(entry_->filter, known.state) && may_see(caller, known.state))
      batch.tasks.push_back(known.state);
  told_ = feed_.looks_;
  entry_->waits = true;
  return batch;
}

}  // namespace quire::service
