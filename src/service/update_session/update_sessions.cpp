#include "service/update_session/update_sessions.h"

#include <algorithm>

#include "content/security_policy.h"
#include "service/library/item_content.h"
#include "service/library/item_copy.h"
#include "service/library/library_rules.h"
#include "service/session/session_access.h"
#include "service/transaction/create_once.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"
#include "service/trust/trusted_certificates.h"
#include "service/update_session/package_facts_reader.h"

// The life of an update session, as far as its clients steer it.

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::ItemId;
using content::PackageFile;
using content::Privilege;
using content::SessionFile;
using content::SessionOperation;
using content::SourceType;
using content::TransferStatus;
using content::UpdateSession;
using content::UpdateSessionId;
using content::UpdateSessionState;
using content::WarningBehavior;

Error held_by(const UpdateSession& holder, const LeaseClock& leases) {
  return {ErrorKind::resource_busy,
          "quire.item.being_updated",
          "Item {library_item_id} is being updated by {user} since {since} in update session {update_session_id}; wait "
          "until "
          "that ends, or cancel it.",
          {{"library_item_id", holder.item_id.text()},
           {"user", holder.creator},
           {"since", leases.shown(holder.created)},
           {"update_session_id", holder.id.text()}}};
}

/// A list that names each type at most once.
Result<void> check_warnings(const std::optional<std::vector<WarningBehavior>>& behavior) {
  if (!behavior) return {};
  for (auto at = behavior->begin(); at != behavior->end(); ++at)
    for (auto other = at + 1; other != behavior->end(); ++other)
      if (at->type == other->type)
        return Error(ErrorKind::invalid_argument, "quire.update_session.warning_twice",
                     "warning_behavior names one warning type twice; name each at most once.");
  return {};
}

std::string digest_of(const std::optional<std::string>& item,
                      const std::optional<std::vector<WarningBehavior>>& behavior) {
  std::vector<std::optional<std::string>> parts = {item};
  if (behavior)
    for (const auto& entry : *behavior)
      parts.emplace_back(std::to_string(static_cast<int>(entry.type)) + (entry.ignored ? "+" : "-"));
  return spec_digest(parts);
}

/// `strict`: the library's policy lets no warning be ignored.
Preview preview_of(const std::string& item_type, bool strict, const UpdateSession& session,
                   const std::vector<SessionFile>& files) {
  Preview preview;
  const bool any_added = std::any_of(files.begin(), files.end(),
                                     [](const SessionFile& file) { return file.source_type != SourceType::NONE; });
  if (!any_added) return preview;
  if (!content::is_ovf(item_type)) {
    preview.state = PreviewState::NOT_APPLICABLE;
    return preview;
  }
  // Available once every metadata file that was added is in, the descriptor among them; an archive brings them all.
  bool descriptor = false;
  bool all_in = true;
  for (const auto& file : files) {
    const auto kind = content::package_file(item_type, file.name);
    if (kind == PackageFile::other) continue;
    all_in &= file.status == TransferStatus::READY;
    descriptor |= kind == PackageFile::descriptor;
  }
  if (!descriptor || !all_in) {
    preview.state = PreviewState::PREPARING;
    return preview;
  }
  preview.state = PreviewState::AVAILABLE;
  const auto verdict = content::judge_package(item_type, files);
  if (verdict.signature == nullptr) return preview;
  preview.signature = *verdict.signature;
  for (const auto warning : verdict.warnings)
    preview.warnings.push_back({warning, content::message_of(warning, *verdict.signature),
                                !strict && content::is_ignored(session.warning_behavior, warning)});
  return preview;
}

}  // namespace

Result<UpdateSessionId> UpdateSessions::create(const Caller& caller, const std::optional<std::string>& item_id,
                                               const std::optional<std::vector<WarningBehavior>>& warning_behavior,
                                               const std::optional<std::string>& client_token) {
  if (!item_id)
    return Error(ErrorKind::invalid_argument, "quire.update_session.no_item",
                 "create_spec.library_item_id is required.");
  const Creation creation{
      "com.vmware.content.library.item.update_session.create", client_token, digest_of(item_id, warning_behavior),
      [&](Transaction& t) -> Result<void> {
        QUIRE_RETURN_IF_ERROR(find_item(t, ItemId(*item_id), Privilege::ContentLibrary_UpdateSession));
        return {};
      }};
  const auto create = [&](Transaction& t, const FactsByBlob& facts) -> Result<std::string> {
    QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(t, ItemId(*item_id), Privilege::ContentLibrary_UpdateSession));
    QUIRE_RETURN_IF_ERROR(check_warnings(warning_behavior));
    const auto library = t->find<content::Library>(item.library_id);
    if (library && library->type != content::LibraryType::LOCAL)
      return Error(ErrorKind::invalid_element_type, "quire.library.not_local",
                   "Item {name} belongs to a subscribed library; its content comes from the publisher.",
                   {{"name", item.name}});
    if (library) QUIRE_RETURN_IF_ERROR(check_in_service(*library, ErrorKind::resource_busy));
    if (is_being_copied(t, item))
      return Error(ErrorKind::resource_busy, "quire.item.being_copied",
                   "Item {name} is a copy that has not got its content yet; wait until its task has ended.",
                   {{"name", item.name}});
    if (const auto holder = t->active_update_session(item.id)) {
      if (!has_expired(*holder, t.now())) return held_by(*holder, context_.leases);
      discard_session(t, *holder, "expired");
    }
    if (t->update_session_count(UpdateSessionState::ACTIVE) >= context_.limits.update_sessions_active_max)
      return Error(ErrorKind::service_unavailable, "quire.update_session.too_many",
                   "There are {limit} active update sessions, which is the limit; complete or cancel some.",
                   {{"limit", static_cast<std::int64_t>(context_.limits.update_sessions_active_max)}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    UpdateSession session;
    session.id = UpdateSessionId(context_.identities.uuid_made_at(t.wall_time()));
    session.item_id = item.id;
    session.item_content_version = item.content_version;
    session.creator = caller.user;
    session.login = caller.login;
    session.created = t.now();
    session.changed = t.now();
    session.expires_at = extended(t.now(), t.now(), context_.settings.update_session_timeout);
    session.warning_behavior = warning_behavior;
    t->insert(session);
    for (auto& stored : files_of(t, item)) {
      auto entry = unchanged_entry(stored);
      QUIRE_RETURN_IF_ERROR(complete_facts(item.type, entry, facts));
      t->put(session.id, entry);
      if (stored.facts == entry.facts) continue;
      stored.facts = entry.facts;
      t->put(item.content, stored);
    }
    record(t, content::EventKind::update_session_created, session);
    return session.id.text();
  };
  QUIRE_ASSIGN_OR_RETURN(const auto created,
                         with_needed_facts(
                             context_, caller, [&](View view) { return view->find<content::Item>(ItemId(*item_id)); },
                             [&](const FactsByBlob& facts) {
                               return create_once(context_, caller, creation,
                                                  [&](Transaction& t) { return create(t, facts); });
                             }));
  return UpdateSessionId(created.id);
}

Result<std::vector<UpdateSessionId>> UpdateSessions::list(const Caller& caller, const std::optional<ItemId>& item) {
  return read(context_, caller, [&](View view) -> Result<std::vector<UpdateSessionId>> {
    if (item) QUIRE_RETURN_IF_ERROR(find_item(view, *item, Privilege::ContentLibrary_UpdateSession));
    std::vector<UpdateSessionId> ids;
    for (const auto& id : view->update_sessions(caller.user, item))
      if (find_session<UpdateSession>(view, id, context_.leases.now())) ids.push_back(id);
    return ids;
  });
}

Result<std::vector<UpdateSessionSummary>> UpdateSessions::summaries(const Caller& caller,
                                                                    const std::optional<ItemId>& item) {
  return read(context_, caller, [&](View view) -> Result<std::vector<UpdateSessionSummary>> {
    if (item) QUIRE_RETURN_IF_ERROR(find_item(view, *item, Privilege::ContentLibrary_UpdateSession));
    const auto now = context_.leases.now();
    std::vector<UpdateSessionSummary> summaries;
    for (const auto& id : view->update_sessions({}, item)) {
      auto session = view->find<UpdateSession>(id);
      if (!session || has_expired(*session, now)) continue;
      auto about = find_item(view, session->item_id, Privilege::ContentLibrary_UpdateSession);
      if (!about) continue;
      UpdateSessionSummary summary{*std::move(session), *std::move(about), false, {}};
      summary.usable = static_cast<bool>(find_session<UpdateSession>(view, id, now));
      if (is_active(summary.session)) {
        for (const auto& file : view->list<SessionFile>(id))
          if (file.archive.empty()) summary.files.push_back(live(context_, file));
      }
      auto& shown = summary.session;
      shown.created = context_.leases.shown(shown.created);
      shown.expires_at = context_.leases.shown(shown.expires_at);
      if (shown.ended_at) shown.ended_at = context_.leases.shown(*shown.ended_at);
      summaries.push_back(std::move(summary));
    }
    return summaries;
  });
}

Result<UpdateSessionView> UpdateSessions::get(const Caller& caller, const UpdateSessionId& id) {
  QUIRE_ASSIGN_OR_RETURN(const auto session, read_session<UpdateSession>(context_, caller, id));
  UpdateSessionView shown{session, std::nullopt};
  shown.session.expires_at = context_.leases.shown(session.expires_at);
  if (session.state != UpdateSessionState::ACTIVE) return shown;
  QUIRE_ASSIGN_OR_RETURN(shown.preview, read(context_, caller, [&](View view) -> Result<Preview> {
                           const auto item = view->find<content::Item>(session.item_id);
                           if (!item) return preview_of("", false, session, {});
                           const auto library = view->find<content::Library>(item->library_id);
                           auto files = view->list<SessionFile>(id);
                           judge_signatures(view, context_.clock.now(), files);
                           return preview_of(item->type, library && content::rule_for(*library, item->type), session,
                                             files);
                         }));
  return shown;
}

Result<void> UpdateSessions::update(const Caller& caller, const UpdateSessionId& id,
                                    const std::optional<std::vector<WarningBehavior>>& warning_behavior) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto session, find_session<UpdateSession>(t, id, t.now()));
    QUIRE_RETURN_IF_ERROR(check_warnings(warning_behavior));
    QUIRE_RETURN_IF_ERROR(content::check_allowed(session, SessionOperation::update));
    if (warning_behavior) session.warning_behavior = warning_behavior;
    record_activity(t, session, Activity::changes);
    return {};
  });
}

Result<void> UpdateSessions::remove(const Caller& caller, const UpdateSessionId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto session, open_update_session(t, id, SessionOperation::remove));
    discard_session(t, session, "deleted");
    return {};
  });
}

}  // namespace quire::service
