#include "service/session/session_access.h"

#include <algorithm>

#include "service/transaction/events.h"
#include "service/transaction/find.h"
#include "service/transaction/refusals.h"

namespace quire::service {

using base::Duration;
using base::Error;
using base::ErrorKind;
using base::Time;
using content::BlobId;
using content::DownloadSession;
using content::DownloadSessionId;
using content::DownloadSessionState;
using content::SessionFile;
using content::UpdateSession;
using content::UpdateSessionId;
using content::UpdateSessionState;

Duration expiration_slack(Duration timeout) { return std::min<Duration>(timeout / 10, std::chrono::seconds(5)); }

Time extended(Time current, Time now, Duration timeout) {
  return std::max(current, now + timeout + expiration_slack(timeout));
}

bool needs_extension(Time current, Time now, Duration timeout) { return current < now + timeout; }

bool has_expired(const UpdateSession& session, Time now) { return is_active(session) && session.expires_at < now; }
bool has_expired(const DownloadSession& session, Time now) { return session.expires_at < now; }

namespace {

Duration timeout_of(const UpdateSession&, const Settings& settings) { return settings.update_session_timeout; }
Duration timeout_of(const DownloadSession&, const Settings& settings) { return settings.download_session_timeout; }

}  // namespace

Error session_not_found(const UpdateSessionId& id) {
  return {ErrorKind::not_found,
          "quire.update_session.not_found",
          "No update session has the identifier {update_session_id}; it may have expired.",
          {{"update_session_id", id.text()}}};
}

Error session_not_found(const DownloadSessionId& id) {
  return {ErrorKind::not_found,
          "quire.download_session.not_found",
          "No download session has the identifier {download_session_id}; it may have expired.",
          {{"download_session_id", id.text()}}};
}

namespace {

/// Of a session of that creator on that item.
bool may_use(View view, std::string_view creator, const content::ItemId& item_id) {
  if (creator == view.caller().user) return true;
  const auto item = view->find<content::Item>(item_id);
  return item && is_administrator_of(view.caller(), item->library_id);
}

}  // namespace

template <class Session>
base::Result<Session> find_session(View view, const IdOf<Session>& id, Time now) {
  auto session = view->find<Session>(id);
  if (!session || has_expired(*session, now)) return session_not_found(id);
  if (!may_use(view, session->creator, session->item_id)) return hidden(session_not_found(id));
  return *std::move(session);
}

template <class Session>
base::Result<Session> read_session(Context& context, const content::Caller& caller, const IdOf<Session>& id) {
  const auto now = context.leases.now();
  auto session = read(context, caller, [&](View view) { return find_session<Session>(view, id, now); });
  if (!session || !is_active(*session) ||
      !needs_extension(session->expires_at, now, timeout_of(*session, context.settings)))
    return session;
  auto touched = write(context, caller, [&](Transaction& t) -> base::Result<Session> {
    auto again = find_session<Session>(t, id, t.now());
    if (again && is_active(*again)) record_activity(t, *again, Activity::reads);
    return again;
  });
  // A full disk must not hide the session from its owner.
  if (!touched && touched.error().kind() == ErrorKind::unable_to_allocate_resource) return session;
  return touched;
}

template base::Result<UpdateSession> find_session<UpdateSession>(View, const UpdateSessionId&, Time);
template base::Result<DownloadSession> find_session<DownloadSession>(View, const DownloadSessionId&, Time);
template base::Result<UpdateSession> read_session<UpdateSession>(Context&, const content::Caller&,
                                                                 const UpdateSessionId&);
template base::Result<DownloadSession> read_session<DownloadSession>(Context&, const content::Caller&,
                                                                     const DownloadSessionId&);

base::Result<UpdateSession> open_update_session(Transaction& t, const UpdateSessionId& id,
                                                content::SessionOperation operation) {
  QUIRE_ASSIGN_OR_RETURN(auto session, find_session<UpdateSession>(t, id, t.now()));
  QUIRE_RETURN_IF_ERROR(content::check_allowed(session, operation));
  return session;
}

base::Result<void> check_active(const DownloadSession& session, std::string_view operation) {
  if (is_active(session)) return {};
  Error error(ErrorKind::not_allowed_in_current_state, "quire.download_session.wrong_state",
              "Operation {operation} is not possible while download session {download_session_id} is {state}.",
              {{"operation", std::string(operation)},
               {"state", std::string(base::name_of(session.state))},
               {"download_session_id", session.id.text()}});
  return session.error_message ? error.because(*session.error_message) : error;
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

template <class Session>
void record_activity(Transaction& t, Session& session, Activity activity) {
  session.expires_at = extended(session.expires_at, t.now(), timeout_of(session, t.context().settings));
  if constexpr (requires { session.changed; })
    if (activity != Activity::reads) session.changed = t.now();
  t->update(session);
  if (activity == Activity::transfers) t->touch_login(session.login, t.now());
}

template void record_activity(Transaction& t, UpdateSession& session, Activity activity);
template void record_activity(Transaction& t, DownloadSession& session, Activity activity);

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
  record_end(t, session, std::string(base::name_of(state)));
  release_content(t, session.id);
}

namespace {

/// The links of the session die, and the content that it pinned goes when nothing else names it.
void release(Transaction& t, const DownloadSession& session) {
  t.stop_transfers_after_commit(session.token);
  t.release(session.content);
}

}  // namespace

void end_session(Transaction& t, DownloadSession session, DownloadSessionState state,
                 std::optional<base::Message> error_message) {
  session.state = state;
  session.error_message = std::move(error_message);
  record_end(t, session, std::string(base::name_of(state)));
  record_activity(t, session, Activity::changes);
  release(t, session);
}

void record_end(Transaction& t, const UpdateSession& session, const std::string& how) {
  EventDetails details = {{"outcome", how}};
  if (session.error_message) details.push_back({"reason", session.error_message->default_message});
  record(t, content::EventKind::update_session_ended, session, std::move(details));
}

void record_end(Transaction& t, const DownloadSession& session, const std::string& how) {
  record(t, content::EventKind::download_session_ended, session, {{"outcome", how}});
}

void discard_session(Transaction& t, const UpdateSession& session, const std::string& why) {
  if (is_active(session)) record_end(t, session, why);
  // Takes the session's row before those of its files, in the order of every other end of a session: no deadlocks.
  t->update(session);
  auto files = t->list<SessionFile>(session.id);
  const auto blobs = give_up(t, files);
  t->remove<UpdateSession>(session.id);
  t.release(blobs);
}

void discard_session(Transaction& t, const DownloadSession& session, const std::string& why) {
  if (is_active(session)) record_end(t, session, why);
  t->remove<DownloadSession>(session.id);
  release(t, session);
}

}  // namespace quire::service
