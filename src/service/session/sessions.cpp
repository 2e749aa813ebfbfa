#include "service/session/sessions.h"

#include <algorithm>

#include "content/text.h"
#include "service/session/session_access.h"

namespace quire::service {
namespace {

using base::Result;
using content::Caller;
using content::DownloadSession;
using content::SessionOperation;

Result<void> check_allowed(const DownloadSession& session, SessionOperation operation) {
  return check_active(session, content::name_of(operation));
}

Result<void> check_progress(const std::optional<std::int64_t>& progress) {
  if (!progress || (*progress >= 0 && *progress <= 100)) return {};
  return base::Error(base::ErrorKind::invalid_argument, "quire.session.progress_out_of_range",
                     "The progress is {progress}; it must be from 0 to 100.", {{"progress", *progress}});
}

/// The error_message of a session that its client failed; a generic text when there is none (§14.1).
Result<base::Message> client_failure(const std::optional<std::string>& client_error_message,
                                     const content::Limits& limits) {
  if (!client_error_message)
    return base::make_message("quire.session.failed_by_client", "The client gave the session up without a reason.");
  QUIRE_RETURN_IF_ERROR(content::check_text("client_error_message", *client_error_message, limits.message_chars_max));
  return base::make_message("quire.session.client_error", "{client_error_message}",
                            {{"client_error_message", *client_error_message}});
}

}  // namespace

template <class Session>
Result<void> Sessions<Session>::keep_alive(const Caller& caller, const Id& id,
                                           const std::optional<std::int64_t>& progress) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto session, find_session<Session>(t, id, t.now()));
    QUIRE_RETURN_IF_ERROR(check_progress(progress));
    QUIRE_RETURN_IF_ERROR(check_allowed(session, SessionOperation::keep_alive));
    if (progress) session.client_progress = std::max(session.client_progress, *progress);
    record_activity(t, session, Activity::changes);
    return {};
  });
}

template <class Session>
Result<void> Sessions<Session>::cancel(const Caller& caller, const Id& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto session, find_session<Session>(t, id, t.now()));
    QUIRE_RETURN_IF_ERROR(check_allowed(session, SessionOperation::cancel));
    end_session(t, session, decltype(session.state)::CANCELED, std::nullopt);
    return {};
  });
}

template <class Session>
Result<void> Sessions<Session>::fail(const Caller& caller, const Id& id,
                                     const std::optional<std::string>& client_error_message) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto session, find_session<Session>(t, id, t.now()));
    QUIRE_ASSIGN_OR_RETURN(const auto reason, client_failure(client_error_message, context_.limits));
    QUIRE_RETURN_IF_ERROR(check_allowed(session, SessionOperation::fail));
    end_session(t, session, decltype(session.state)::ERROR, reason);
    return {};
  });
}

template class Sessions<content::UpdateSession>;
template class Sessions<DownloadSession>;

}  // namespace quire::service
