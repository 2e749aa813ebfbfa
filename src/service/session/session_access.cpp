#include "service/session/session_access.h"

#include <algorithm>

#include "content/text.h"
#include "service/transaction/events.h"

namespace quire::service {

using base::Duration;
using base::Time;
using content::BlobId;
using content::SessionFile;
using content::UpdateSession;
using content::UpdateSessionId;
using content::UpdateSessionState;

Duration expiration_slack(Duration timeout) { return std::min<Duration>(timeout / 10, std::chrono::seconds(5)); }

Time extended(Time current, Time now, Duration timeout) {
  return std::max(current, now + timeout + expiration_slack(timeout));
}

bool needs_extension(Time current, Time now, Duration timeout) { return current < now + timeout; }

bool has_expired(const UpdateSession& session, Time now) {
  return session.state == UpdateSessionState::ACTIVE && session.expires_at < now;
}

base::Result<UpdateSession> find_update_session(View view, const UpdateSessionId& id, Time now) {
  auto session = view->find<UpdateSession>(id);
  const auto& caller = view.caller();
  const bool usable =
      session && (caller.administrator || session->creator == caller.user) && !has_expired(*session, now);
  if (!usable)
    return base::Error(base::ErrorKind::not_found, "quire.update_session.not_found",
                       "No update session has the identifier {update_session_id}; it may have expired.",
                       {{"update_session_id", id.text()}});
  return *std::move(session);
}

base::Result<UpdateSession> open_update_session(Transaction& t, const UpdateSessionId& id,
                                                content::SessionOperation operation) {
  QUIRE_ASSIGN_OR_RETURN(auto session, find_update_session(t, id, t.now()));
  QUIRE_RETURN_IF_ERROR(content::check_allowed(session, operation));
  return session;
}

base::Result<UpdateSession> read_update_session(Context& context, const content::Caller& caller,
                                                const UpdateSessionId& id) {
  const auto now = context.leases.now();
  auto session = read(context, caller, [&](View view) { return find_update_session(view, id, now); });
  const bool active = session && session->state == UpdateSessionState::ACTIVE;
  if (!active || !needs_extension(session->expires_at, now, context.settings.update_session_timeout)) return session;
  auto touched = write(context, caller, [&](Transaction& t) -> base::Result<UpdateSession> {
    auto again = find_update_session(t, id, t.now());
    if (again && again->state == UpdateSessionState::ACTIVE) record_activity(t, *again, Activity::reads);
    return again;
  });
  // A full disk must not hide the session from its owner.
  if (!touched && touched.error().kind() == base::ErrorKind::unable_to_allocate_resource) return session;
  return touched;
}

base::Result<content::Item> item_of(View view, const UpdateSession& session) {
  if (auto item = view->find<content::Item>(session.item_id)) return *std::move(item);
  return base::internal_error("update session " + session.id.text() + " without an item");
}

SessionFile live(const Context& context, SessionFile file) {
  if (file.source_type == content::SourceType::NONE) return file;
  if (file.status != content::TransferStatus::WAITING_FOR_TRANSFER &&
      file.status != content::TransferStatus::TRANSFERRING)
    return file;
  if (const auto bytes = context.transfers.bytes(file.upload_token)) {
    file.status = content::TransferStatus::TRANSFERRING;
    file.bytes_transferred += *bytes;
  }
  return file;
}

base::Result<void> check_progress(const std::optional<std::int64_t>& progress) {
  if (!progress || (*progress >= 0 && *progress <= 100)) return {};
  return base::Error(base::ErrorKind::invalid_argument, "quire.session.progress_out_of_range",
                     "The progress is {progress}; it must be from 0 to 100.", {{"progress", *progress}});
}

base::Result<base::Message> client_failure(const std::optional<std::string>& client_error_message,
                                           const content::Limits& limits) {
  if (!client_error_message)
    return base::make_message("quire.session.failed_by_client", "The client gave the session up without a reason.");
  if (auto checked = content::check_text("client_error_message", *client_error_message, limits.message_chars_max);
      !checked)
    return checked.error();
  return base::make_message("quire.session.client_error", "{client_error_message}",
                            {{"client_error_message", *client_error_message}});
}

void record_activity(Transaction& t, UpdateSession& session, Activity activity) {
  session.expires_at = extended(session.expires_at, t.now(), t.context().settings.update_session_timeout);
  if (activity != Activity::reads) session.changed = t.now();
  t->update(session);
  if (activity == Activity::transfers) t->touch_login(session.login, t.now());
}

void record_activity(Transaction& t, content::DownloadSession& session, Activity activity) {
  session.expires_at = extended(session.expires_at, t.now(), t.context().settings.download_session_timeout);
  t->update(session);
  if (activity == Activity::transfers) t->touch_login(session.login, t.now());
}

SessionFile unchanged_entry(const content::ContentFile& stored) {
  SessionFile file;
  file.name = stored.name;
  file.size = stored.size;
  file.bytes_transferred = stored.size;
  file.digests = {stored.checksum};
  file.blob = stored.blob;
  file.facts = stored.facts.value_or(content::PackageFacts());
  return file;
}

void take_out_members(Transaction& t, const UpdateSessionId& id, const std::string& archive,
                      std::vector<BlobId>& blobs) {
  const auto session = t->find<UpdateSession>(id);
  const auto item = session ? t->find<content::Item>(session->item_id) : std::nullopt;
  bool archive_passed = false;
  for (const auto& file : t->list<SessionFile>(id)) {
    archive_passed |= file.name == archive;
    if (file.archive.empty() || file.archive != archive) continue;
    blobs.push_back(file.blob);
    // Entries keep their place in the list: one before its archive was there before it, as a file of the snapshot.
    const auto replaced =
        item && !archive_passed ? t->find<content::ContentFile>({item->content, file.name}) : std::nullopt;
    if (replaced)
      t->put(id, unchanged_entry(*replaced));
    else
      t->remove<SessionFile>({id, file.name});
  }
}

namespace {

/// What of the files goes with their session: the blobs that they name, and their transfers.
std::vector<BlobId> give_up(Transaction& t, std::vector<SessionFile>& files) {
  std::vector<BlobId> blobs;
  for (auto& file : files) {
    t.discard_partial(file);
    if (!file.blob.empty()) blobs.push_back(file.blob);
    if (!file.upload_token.empty()) t.stop_transfers_after_commit(file.upload_token);
  }
  return blobs;
}

}  // namespace

void release_content(Transaction& t, const UpdateSessionId& id) {
  auto files = t->list<SessionFile>(id);
  const auto before = files;
  const auto blobs = give_up(t, files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto& file = files[i];
    if (!file.archive.empty()) {
      t->remove<SessionFile>({id, file.name});
      continue;
    }
    file.blob = BlobId();
    if (file != before[i]) t->put(id, file);
  }
  t.release(blobs);
}

void end_session(Transaction& t, UpdateSession session, UpdateSessionState state,
                 std::optional<base::Message> error_message) {
  session.state = state;
  session.completing = false;
  session.error_message = std::move(error_message);
  session.ended_at = t.now();
  session.changed = t.now();
  t->update(session);
  record_end(t, session, std::string(content::name_of(state)));
  release_content(t, session.id);
}

void record_end(Transaction& t, const UpdateSession& session, const std::string& how) {
  EventDetails details = {{"outcome", how}};
  if (session.error_message) details.push_back({"reason", session.error_message->default_message});
  record(t, content::EventKind::update_session_ended, session, std::move(details));
}

void record_end(Transaction& t, const content::DownloadSession& session, const std::string& how) {
  record(t, content::EventKind::download_session_ended, session, {{"outcome", how}});
}

void discard_session(Transaction& t, const UpdateSession& session, const std::string& why) {
  if (session.state == UpdateSessionState::ACTIVE) record_end(t, session, why);
  // Takes the session's row before those of its files, in the order of every other end of a session: no deadlocks.
  t->update(session);
  auto files = t->list<SessionFile>(session.id);
  const auto blobs = give_up(t, files);
  t->remove<UpdateSession>(session.id);
  t.release(blobs);
}

}  // namespace quire::service
