#include "service/session_access.h"

#include <algorithm>

#include "content/text.h"
#include "service/package_intake.h"

namespace quire::service {

using base::Duration;
using base::Time;
using content::BlobId;
using content::CatalogReader;
using content::CatalogWriter;
using content::PackageFile;
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

void settle(Context& context, const Aftermath& aftermath) { aftermath.run(context); }

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

void take_out_members(Transaction& t, const UpdateSessionId& id, const std::string& archive,
                      std::vector<BlobId>& blobs) {
  take_out_members(t.catalog(), t.context(), id, archive, blobs);
}
void release_content(Transaction& t, const UpdateSessionId& id) { release_content(t.catalog(), id, t.effects()); }
void end_session(Transaction& t, UpdateSession session, UpdateSessionState state,
                 std::optional<base::Message> error_message) {
  end_session(t.catalog(), std::move(session), state, std::move(error_message), t.now(), t.effects());
}
void discard_session(Transaction& t, const UpdateSession& session) {
  discard_session(t.catalog(), session, t.effects());
}

void let_go(CatalogWriter& writer, const std::vector<BlobId>& blobs, Aftermath& aftermath) {
  const auto removed = writer.remove_unreferenced_blobs(blobs);
  aftermath.bytes.insert(aftermath.bytes.end(), removed.begin(), removed.end());
}

void let_go(CatalogWriter& writer, const content::ContentId& content, Aftermath& aftermath) {
  if (!content.empty()) let_go(writer, writer.remove_content_if_unused(content), aftermath);
}

void forget_unfinished(SessionFile& file, Aftermath& aftermath) {
  if (file.unfinished) aftermath.bytes.push_back({file.unfinished->blob, file.unfinished->storage, 0, ""});
  file.unfinished.reset();
}

namespace {

void collect(std::vector<content::SessionFile>& files, std::vector<BlobId>& blobs, Aftermath& aftermath) {
  for (auto& file : files) {
    forget_unfinished(file, aftermath);
    if (!file.blob.empty()) blobs.push_back(file.blob);
    if (!file.upload_token.empty()) aftermath.transfers.push_back(file.upload_token);
  }
}

}  // namespace

SessionFile unchanged_entry(Context& context, CatalogReader& reader, const std::string& item_type,
                            const content::ContentFile& stored) {
  SessionFile file;
  file.name = stored.name;
  file.size = stored.size;
  file.bytes_transferred = stored.size;
  file.digests = {stored.checksum};
  file.blob = stored.blob;
  if (content::package_file(item_type, stored.name) == PackageFile::descriptor)
    if (const auto bytes = stored_bytes(context, reader, stored.blob); !bytes.empty())
      file.facts = descriptor_facts(bytes);
  return file;
}

void take_out_members(CatalogWriter& writer, Context& context, const UpdateSessionId& id, const std::string& archive,
                      std::vector<BlobId>& blobs) {
  const auto session = writer.find<UpdateSession>(id);
  const auto item = session ? writer.find<content::Item>(session->item_id) : std::nullopt;
  bool archive_passed = false;
  for (const auto& file : writer.list<SessionFile>(id)) {
    archive_passed |= file.name == archive;
    if (file.archive.empty() || file.archive != archive) continue;
    blobs.push_back(file.blob);
    // Entries keep their place in the list: one before its archive was there before it, as a file of the snapshot.
    const auto replaced =
        item && !archive_passed ? writer.find<content::ContentFile>({item->content, file.name}) : std::nullopt;
    if (replaced)
      writer.put(id, unchanged_entry(context, writer, item->type, *replaced));
    else
      writer.remove<SessionFile>({id, file.name});
  }
}

void release_content(CatalogWriter& writer, const UpdateSessionId& id, Aftermath& aftermath) {
  auto files = writer.list<SessionFile>(id);
  const auto before = files;
  std::vector<BlobId> blobs;
  collect(files, blobs, aftermath);
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto& file = files[i];
    if (!file.archive.empty()) {
      writer.remove<SessionFile>({id, file.name});
      continue;
    }
    file.blob = BlobId();
    if (file != before[i]) writer.put(id, file);
  }
  let_go(writer, blobs, aftermath);
}

void end_session(CatalogWriter& writer, UpdateSession session, UpdateSessionState state,
                 std::optional<base::Message> error_message, Time now, Aftermath& aftermath) {
  session.state = state;
  session.completing = false;
  session.error_message = std::move(error_message);
  session.ended_at = now;
  session.changed = now;
  writer.update(session);
  release_content(writer, session.id, aftermath);
}

void discard_session(CatalogWriter& writer, const UpdateSession& session, Aftermath& aftermath) {
  // Takes the session's row before those of its files, in the order of every other end of a session: no deadlocks.
  writer.update(session);
  std::vector<BlobId> blobs;
  auto files = writer.list<SessionFile>(session.id);
  collect(files, blobs, aftermath);
  writer.remove<UpdateSession>(session.id);
  let_go(writer, blobs, aftermath);
}

}  // namespace quire::service
