#include "service/session/session_access.h"
#include "service/update_session/update_sessions.h"

// What happens to update sessions in the course of time.

namespace quire::service {

using base::Result;
using content::UpdateSessionId;
using content::UpdateSessionState;

Result<void> UpdateSessions::keep_pulling_alive() {
  const auto worker = system_caller("activity of pulls");
  QUIRE_ASSIGN_OR_RETURN(
      const auto due, read(context_, worker, [&](View view) -> Result<std::vector<UpdateSessionId>> {
        const auto now = context_.leases.now();
        std::vector<UpdateSessionId> ids;
        for (const auto& [id, name] : view->pending_pulls(context_.limits.update_sessions_active_max)) {
          if (!ids.empty() && ids.back() == id) continue;
          const auto session = view->find<content::UpdateSession>(id);
          if (session && !has_expired(*session, now) &&
              needs_extension(session->expires_at, now, context_.settings.update_session_timeout))
            ids.push_back(id);
        }
        return ids;
      }));
  if (due.empty()) return {};
  return write(context_, worker, [&](Transaction& t) -> Result<void> {
    for (const auto& id : due) {
      auto session = t->find<content::UpdateSession>(id);
      if (session && session->state == UpdateSessionState::ACTIVE && !has_expired(*session, t.now()))
        record_activity(t, *session, Activity::reads);
    }
    return {};
  });
}

Result<void> UpdateSessions::remove_expired() {
  const auto& settings = context_.settings;
  return write_in_batches(
      context_, system_caller("update session expiry"), 100, [&](Transaction& t, std::size_t batch) {
        const auto expired = t->expired_update_sessions(t.now(), batch);
        const auto ended = t->ended_update_sessions(t.now() - settings.ended_session_retention, batch);
        for (const auto& ids : {expired, ended})
          for (const auto& id : ids)
            if (const auto session = t->find<content::UpdateSession>(id)) discard_session(t, *session, "expired");
        t->remove_client_tokens(t.now() - settings.client_token_retention);
        return std::max(expired.size(), ended.size());
      });
}

Result<void> UpdateSessions::extend_after_start() {
  return write(context_, system_caller("start"), [&](Transaction& t) -> Result<void> {
    const auto bounds = [&](base::Duration timeout) {
      return content::TimeBounds{t.now() + timeout, extended(t.now(), t.now(), timeout)};
    };
    t->restart_leases(t.now(), bounds(context_.settings.update_session_timeout),
                      bounds(context_.settings.download_session_timeout));
    return {};
  });
}

}  // namespace quire::service
