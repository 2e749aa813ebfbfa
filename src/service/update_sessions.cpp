#include "service/update_sessions.h"

#include <algorithm>

#include "base/file_name.h"
#include "base/hex.h"
#include "content/text.h"
#include "service/find.h"
#include "service/session_access.h"
#include "service/sources.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;
using content::Caller;
using content::CatalogReader;
using content::CatalogWriter;
using content::ContentId;
using content::Item;
using content::ItemId;
using content::PackageFile;
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

/// Inside a transaction: moves the expiration, and the moment of the last change unless the call only reads.
void record_activity(CatalogWriter& writer, UpdateSession& session, const Context& context, bool is_read) {
  const auto now = context.leases.now();
  session.expires_at = extended(session.expires_at, now, context.settings.update_session_timeout);
  if (!is_read) session.changed = now;
  writer.update(session);
}

/// Inside a transaction: the session, if the caller may do this to it now.
Result<UpdateSession> open_for(CatalogReader& reader, Context& context, const Caller& caller, const UpdateSessionId& id,
                               SessionOperation operation) {
  auto session = find_update_session(reader, caller, id, context.leases.now());
  if (!session) return session;
  if (auto allowed = content::check_allowed(*session, operation); !allowed) return allowed.error();
  return session;
}

/// Finds the session for a call that only reads; such a call counts as activity too.
Result<UpdateSession> read_session(Context& context, const Caller& caller, const UpdateSessionId& id) {
  const auto now = context.leases.now();
  auto session =
      context.catalog.read([&](CatalogReader& reader) { return find_update_session(reader, caller, id, now); });
  const bool active = session && session->state == UpdateSessionState::ACTIVE;
  if (!active || !needs_extension(session->expires_at, now, context.settings.update_session_timeout)) return session;
  auto touched = context.catalog.write([&](CatalogWriter& writer) -> Result<UpdateSession> {
    auto again = find_update_session(writer, caller, id, now);
    if (again && again->state == UpdateSessionState::ACTIVE) record_activity(writer, *again, context, true);
    return again;
  });
  // A full disk must not hide the session from its owner.
  if (!touched && touched.error().kind() == ErrorKind::unable_to_allocate_resource) return session;
  return touched;
}

/// Finds a session in a state that allows `operation`, changes it and records the activity.
template <class F>
Result<void> change_session(Context& context, const Caller& caller, const UpdateSessionId& id,
                            SessionOperation operation, F change) {
  return context.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    auto session = open_for(writer, context, caller, id, operation);
    if (!session) return session.error();
    change(*session);
    record_activity(writer, *session, context, false);
    return {};
  });
}

Result<void> end_by_client(Context& context, const Caller& caller, const UpdateSessionId& id,
                           SessionOperation operation, UpdateSessionState state,
                           const std::optional<Message>& error_message) {
  Aftermath aftermath;
  const auto ended = context.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    auto session = open_for(writer, context, caller, id, operation);
    if (!session) return session.error();
    end_session(writer, *session, state, error_message, context.leases.now(), aftermath);
    return {};
  });
  if (ended) settle(context, aftermath);
  return ended;
}

/// The row as clients see it: what runs right now counts.
SessionFile live(const Context& context, SessionFile file) {
  if (file.source_type == SourceType::NONE) return file;
  if (file.status != TransferStatus::WAITING_FOR_TRANSFER && file.status != TransferStatus::TRANSFERRING) return file;
  if (const auto bytes = context.transfers.bytes(file.upload_token)) {
    file.status = TransferStatus::TRANSFERRING;
    file.bytes_transferred += *bytes;
  }
  return file;
}

Error unknown_file(const UpdateSessionId& id, const std::string& name) {
  return {ErrorKind::invalid_argument,
          "quire.update_session.unknown_file",
          "Update session {update_session_id} has no file named {file_name}.",
          {{"update_session_id", id.text()}, {"file_name", name}}};
}

Result<SessionFile> listed_file(CatalogReader& reader, const UpdateSessionId& id, const std::string& name) {
  auto file = reader.find<SessionFile>({id, name});
  if (!file || !file->archive.empty()) return unknown_file(id, name);
  return *std::move(file);
}

/// Inside a transaction: takes an entry out, with the members of an archive; its transfer stops.
void drop_file(CatalogWriter& writer, Context& context, const UpdateSessionId& id, const SessionFile& file,
               Aftermath& aftermath) {
  std::vector<content::BlobId> blobs;
  if (!file.blob.empty()) blobs.push_back(file.blob);
  take_out_members(writer, context, id, file.name, blobs);
  auto dropped = file;
  forget_unfinished(dropped, aftermath);
  writer.remove<SessionFile>({id, file.name});
  if (!file.upload_token.empty()) aftermath.transfers.push_back(file.upload_token);
  let_go(writer, blobs, aftermath);
}

std::string short_status(TransferStatus status) {
  switch (status) {
    case TransferStatus::WAITING_FOR_TRANSFER:
      return "WAITING";
    case TransferStatus::TRANSFERRING:
      return "TRANSFERRING";
    case TransferStatus::VALIDATING:
      return "VALIDATING";
    case TransferStatus::READY:
      return "READY";
    case TransferStatus::ERROR:
      return "ERROR";
  }
  return "";
}

Error not_received(const Context& context, const std::vector<SessionFile>& files, const std::string& name) {
  std::string status;
  for (const auto& file : files)
    if (file.name == name) status = short_status(live(context, file).status);
  return {ErrorKind::not_allowed_in_current_state,
          "com.vmware.vdcs.cls-main.update_session_file_not_received",
          "File {name} has not been received ({status}); send it, or remove it from the session.",
          {{"name", name}, {"status", status}}};
}

Error missing_files(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return {ErrorKind::not_allowed_in_current_state,
          "quire.package.files_missing",
          "The package refers to files that were not added: {files}. Add them and complete again.",
          {{"files", list}}};
}

/// Why a session with these files must end in ERROR instead of completing, if it must.
std::optional<Message> fatal_problem(const content::PackageVerdict& verdict, const UpdateSession& session) {
  if (!verdict.invalid.empty())
    return content::about_file(verdict.invalid.front().file, verdict.invalid.front().message);
  for (const auto warning : verdict.warnings)
    if (!content::is_ignored(session.warning_behavior, warning))
      return content::message_of(warning, *verdict.signature);
  return std::nullopt;
}

/// §11.2; only a signature that everything fits is VERIFIED.
content::CertificateVerification verification_of(const content::PackageVerdict& verdict,
                                                 const std::vector<SessionFile>& files) {
  content::CertificateVerification result;
  if (verdict.signature == nullptr) return result;
  result.cert_chain = verdict.signature->cert_chain;
  const auto has = [&](content::WarningType type) {
    return std::find(verdict.warnings.begin(), verdict.warnings.end(), type) != verdict.warnings.end();
  };
  if (has(content::WarningType::UNTRUSTED_CERTIFICATE) || has(content::WarningType::SELF_SIGNED_CERTIFICATE))
    result.status = content::CertVerificationStatus::UNTRUSTED;
  else if (!verdict.warnings.empty())
    result.status = content::CertVerificationStatus::VERIFICATION_FAILURE;
  else if (content::manifest_names_all(files))
    result.status = content::CertVerificationStatus::VERIFIED;
  return result;
}

/// A session's files and what they amount to.
struct JudgedPackage {
  Item item;
  std::vector<SessionFile> files;
  content::PackageVerdict verdict;  ///< may point into `files`
};

/// Inside a transaction.
Result<JudgedPackage> judge(CatalogReader& reader, const UpdateSession& session) {
  auto item = reader.find<Item>(session.item_id);
  if (!item) return base::internal_error("update session " + session.id.text() + " without an item");
  JudgedPackage package{*std::move(item), reader.list<SessionFile>(session.id), {}};
  package.verdict = content::judge_package(package.item.type, package.files);
  return package;
}

/// §28.1 "a session that nobody completes": every changed file was pulled and is READY, and nothing stands in the way.
bool is_pulled_and_clean(const JudgedPackage& package, const UpdateSession& session) {
  bool any_pulled = false;
  for (const auto& file : package.files) {
    if (file.source_type == SourceType::PUSH ||
        (file.source_type == SourceType::PULL && file.status != TransferStatus::READY))
      return false;
    any_pulled |= file.source_type == SourceType::PULL;
  }
  return any_pulled && package.verdict.missing.empty() && !fatal_problem(package.verdict, session);
}

std::vector<content::ContentFile> files_of(CatalogReader& reader, const Item& item) {
  return item.content.empty() ? std::vector<content::ContentFile>() : reader.list<content::ContentFile>(item.content);
}

/// Inside a transaction: the session's files become the item's, the session is DONE (§14.4).
void commit_content(CatalogWriter& writer, Context& context, UpdateSession session, const JudgedPackage& package,
                    Aftermath& aftermath) {
  Item item = package.item;
  const auto next = content::next_content(item.type, files_of(writer, item), package.files);
  const auto now = context.clock.now();
  const ContentId old = item.content;
  // The session's row first, as everything that ends one does: two such transactions wait for each other in order.
  session.state = UpdateSessionState::DONE;
  session.completing = false;
  session.ended_at = context.leases.now();
  session.changed = *session.ended_at;
  writer.update(session);
  if (next.changed) {
    item.content = next.files.empty() ? ContentId() : ContentId(context.identities.uuid_made_at(now));
    ++item.content_version;
    item.last_modified_time = now;
    item.certificate_verification = verification_of(package.verdict, package.files);
    item.size = 0;
    for (const auto& file : next.files) item.size += file.size;
    if (!item.content.empty()) {
      writer.insert(content::Content{item.content, item.id, item.content_version, now});
      for (const auto& file : next.files) writer.insert(item.content, file);
    }
    writer.update(item);
    writer.insert(item.id, content::Change{item.content_version, now, session.creator});
  }
  release_content(writer, session.id, aftermath);
  if (next.changed) let_go(writer, old, aftermath);
}

Preview preview_of(const std::string& item_type, const UpdateSession& session, const std::vector<SessionFile>& files) {
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
                                content::is_ignored(session.warning_behavior, warning)});
  return preview;
}

Error bad_spec(std::string id, std::string_view text, std::vector<base::MessageParam> params = {}) {
  return {ErrorKind::invalid_argument, std::move(id), text, std::move(params)};
}

Result<base::Checksum> normalised(const base::Checksum& checksum) {
  base::Checksum lower{checksum.algorithm, base::to_lower(checksum.hex)};
  const bool digits = std::all_of(lower.hex.begin(), lower.hex.end(), base::is_hex_digit);
  const auto length = base::hex_length(lower.algorithm);
  if (!digits || lower.hex.size() != length)
    return bad_spec(
        "quire.update_session.bad_checksum",
        "checksum_info.checksum is no {algorithm} checksum: {length} hexadecimal digits are needed.",
        {{"algorithm", std::string(base::name_of(lower.algorithm))}, {"length", static_cast<std::int64_t>(length)}});
  return lower;
}

/// What needs no look at the session: the form of the spec.
Result<SessionFile> entry_of(Context& context, const Caller& caller, const AddFileSpec& spec) {
  if (auto checked = base::check_file_name(spec.name); !checked) return checked.error();
  SessionFile file;
  file.name = spec.name;
  file.source_type = spec.source_type;
  file.status = TransferStatus::WAITING_FOR_TRANSFER;
  switch (spec.source_type) {
    case SourceType::NONE:
      return bad_spec("quire.update_session.source_type_none",
                      "A file cannot be added with source_type NONE; use PUSH or PULL.");
    case SourceType::PULL: {
      if (!spec.source_endpoint)
        return bad_spec("quire.update_session.no_source", "A file with source_type PULL needs a source_endpoint.");
      auto source = Sources(context).accept(caller, *spec.source_endpoint);
      if (!source) return source.error();
      file.source_endpoint = *std::move(source);
      break;
    }
    case SourceType::PUSH:
      if (spec.source_endpoint)
        return bad_spec("quire.update_session.source_not_used",
                        "A file with source_type PUSH has no source_endpoint; leave it out or use PULL.");
      break;
  }
  if (spec.size && *spec.size < -1)
    return bad_spec("quire.update_session.negative_size", "The size of {name} is {size}; it cannot be negative.",
                    {{"name", spec.name}, {"size", *spec.size}});
  if (spec.size && *spec.size > 0) file.declared_size = spec.size;
  if (spec.checksum) {
    auto checksum = normalised(*spec.checksum);
    if (!checksum) return checksum.error();
    file.declared_checksum = *std::move(checksum);
  }
  return file;
}

/// §15.1: in a package, manifest and certificate come before the descriptor.
Result<void> check_order(const Item& item, const std::vector<SessionFile>& files, const std::string& name) {
  const auto kind = content::package_file(item.type, name);
  if (kind != PackageFile::manifest && kind != PackageFile::certificate) return {};
  const bool descriptor_added = std::any_of(files.begin(), files.end(), [&](const SessionFile& file) {
    return file.source_type != SourceType::NONE &&
           content::package_file(item.type, file.name) == PackageFile::descriptor;
  });
  if (!descriptor_added) return {};
  return Error(ErrorKind::not_allowed_in_current_state, "quire.update_session.metadata_after_descriptor",
               "{name} must be added before the OVF descriptor; remove the descriptor from the session first.",
               {{"name", name}});
}

Result<void> check_room(const content::Storage& storage, const SessionFile& file) {
  if (!file.declared_size) return {};
  const auto space = storage.blobs->space();
  if (!space) return space.error();
  if (space->free_bytes >= *file.declared_size) return {};
  return Error(
      ErrorKind::unable_to_allocate_resource, "quire.storage.no_room",
      "File {name} needs {size} bytes, but storage {storage} has {free} left; make room or use another storage.",
      {{"name", file.name}, {"size", *file.declared_size}, {"storage", storage.name}, {"free", space->free_bytes}});
}

}  // namespace

Result<UpdateSessionId> UpdateSessions::create(const Caller& caller, const std::optional<std::string>& item_id,
                                               const std::optional<std::vector<WarningBehavior>>& warning_behavior,
                                               const std::optional<std::string>& client_token) {
  if (!item_id) return bad_spec("quire.update_session.no_item", "create_spec.library_item_id is required.");
  if (auto checked = check_warnings(warning_behavior); !checked) return checked.error();
  Aftermath aftermath;
  const auto id = context_.catalog.write([&](CatalogWriter& writer) -> Result<std::string> {
    aftermath.clear();
    return create_once(
        context_, writer, caller, "com.vmware.content.library.item.update_session.create", client_token,
        digest_of(item_id, warning_behavior), [&]() -> Result<std::string> {
          const auto item = find_item(writer, ItemId(*item_id));
          if (!item) return item.error();
          const auto library = writer.find<content::Library>(item->library_id);
          if (library && library->type != content::LibraryType::LOCAL)
            return Error(ErrorKind::invalid_element_type, "quire.library.not_local",
                         "Item {name} belongs to a subscribed library; its content comes from the publisher.",
                         {{"name", item->name}});
          const auto now = context_.leases.now();
          if (const auto holder = writer.active_update_session(item->id)) {
            if (!has_expired(*holder, now)) return held_by(*holder, context_.leases);
            discard_session(writer, *holder, aftermath);
          }
          if (writer.active_update_session_count() >= context_.limits.update_sessions_active_max)
            return Error(ErrorKind::service_unavailable, "quire.update_session.too_many",
                         "There are {limit} active update sessions, which is the limit; complete or cancel some.",
                         {{"limit", static_cast<std::int64_t>(context_.limits.update_sessions_active_max)}});
          QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
          UpdateSession session;
          session.id = UpdateSessionId(context_.identities.uuid_made_at(context_.clock.now()));
          session.item_id = item->id;
          session.item_content_version = item->content_version;
          session.creator = caller.user;
          session.login = caller.login;
          session.created = now;
          session.changed = now;
          session.expires_at = extended(now, now, context_.settings.update_session_timeout);
          session.warning_behavior = warning_behavior;
          writer.insert(session);
          for (const auto& stored : files_of(writer, *item))
            writer.put(session.id, unchanged_entry(context_, writer, item->type, stored));
          return session.id.text();
        });
  });
  if (!id) return id.error();
  settle(context_, aftermath);
  return UpdateSessionId(*id);
}

Result<std::vector<UpdateSessionId>> UpdateSessions::list(const Caller& caller, const std::optional<ItemId>& item) {
  return context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<UpdateSessionId>> {
    if (item && !reader.find<Item>(*item)) return item_not_found(*item);
    std::vector<UpdateSessionId> ids;
    for (const auto& id : reader.update_sessions(caller.user, item))
      if (find_update_session(reader, caller, id, context_.leases.now())) ids.push_back(id);
    return ids;
  });
}

Result<UpdateSessionView> UpdateSessions::get(const Caller& caller, const UpdateSessionId& id) {
  const auto session = read_session(context_, caller, id);
  if (!session) return session.error();
  UpdateSessionView view{*session, std::nullopt};
  view.session.expires_at = context_.leases.shown(session->expires_at);
  if (session->state != UpdateSessionState::ACTIVE) return view;
  const auto filled = context_.catalog.read([&](CatalogReader& reader) -> Result<void> {
    const auto item = reader.find<Item>(session->item_id);
    view.preview = preview_of(item ? item->type : "", *session, reader.list<SessionFile>(id));
    return {};
  });
  if (!filled) return filled.error();
  return view;
}

Result<void> UpdateSessions::update(const Caller& caller, const UpdateSessionId& id,
                                    const std::optional<std::vector<WarningBehavior>>& warning_behavior) {
  if (auto checked = check_warnings(warning_behavior); !checked) return checked;
  return change_session(context_, caller, id, SessionOperation::update, [&](UpdateSession& session) {
    if (warning_behavior) session.warning_behavior = warning_behavior;
  });
}

Result<void> UpdateSessions::keep_alive(const Caller& caller, const UpdateSessionId& id,
                                        const std::optional<std::int64_t>& progress) {
  if (progress && (*progress < 0 || *progress > 100))
    return bad_spec("quire.session.progress_out_of_range", "The progress is {progress}; it must be from 0 to 100.",
                    {{"progress", *progress}});
  return change_session(context_, caller, id, SessionOperation::keep_alive, [&](UpdateSession& session) {
    if (progress) session.client_progress = std::max(session.client_progress, *progress);
  });
}

Result<void> UpdateSessions::complete(const Caller& caller, const UpdateSessionId& id) {
  Aftermath aftermath;
  std::optional<Error> failure;  // a refusal that ends the session, so that its transaction must commit
  auto completed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    failure.reset();
    auto session = find_update_session(writer, caller, id, context_.leases.now());
    if (!session) return session.error();
    if (session->state == UpdateSessionState::DONE && session->completed_itself) return {};
    if (auto allowed = content::check_allowed(*session, SessionOperation::complete); !allowed) return allowed;
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    const auto package = judge(writer, *session);
    if (!package) return package.error();
    if (!package->verdict.not_received.empty())
      return not_received(context_, package->files, package->verdict.not_received.front());
    if (!package->verdict.pulling.empty()) {  // the change becomes visible when the pulls have ended
      session->completing = true;
      record_activity(writer, *session, context_, false);
      return {};
    }
    if (const auto problem = fatal_problem(package->verdict, *session)) {
      failure = Error(ErrorKind::not_allowed_in_current_state, "quire.update_session.content_invalid",
                      "Update session {update_session_id} cannot complete and has ended: its content is not valid.",
                      {{"update_session_id", id.text()}})
                    .because(*problem);
      end_session(writer, *session, UpdateSessionState::ERROR, problem, context_.leases.now(), aftermath);
      return {};
    }
    if (!package->verdict.missing.empty()) return missing_files(package->verdict.missing);
    commit_content(writer, context_, *session, *package, aftermath);
    return {};
  });
  if (!completed) return completed;
  settle(context_, aftermath);
  if (failure) return *failure;
  return {};
}

Result<void> UpdateSessions::finish_completing(const UpdateSessionId& id) {
  Aftermath aftermath;
  const auto finished = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    const auto session = writer.find<UpdateSession>(id);
    if (!session || content::phase_of(*session) != content::SessionPhase::completing) return {};
    const auto package = judge(writer, *session);
    if (!package) return package.error();
    if (!package->verdict.pulling.empty()) return {};
    auto problem = fatal_problem(package->verdict, *session);
    // Nobody is there any more to add what is missing.
    if (!problem && !package->verdict.missing.empty())
      problem = missing_files(package->verdict.missing).messages().front();
    if (problem)
      end_session(writer, *session, UpdateSessionState::ERROR, problem, context_.leases.now(), aftermath);
    else
      commit_content(writer, context_, *session, *package, aftermath);
    return {};
  });
  if (finished) settle(context_, aftermath);
  return finished;
}

Result<void> UpdateSessions::keep_pulling_alive() {
  const auto now = context_.leases.now();
  const auto timeout = context_.settings.update_session_timeout;
  const auto pulling = context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<UpdateSessionId>> {
    std::vector<UpdateSessionId> due;
    for (const auto& [id, name] : reader.pending_pulls(context_.limits.update_sessions_active_max)) {
      if (!due.empty() && due.back() == id) continue;
      const auto session = reader.find<UpdateSession>(id);
      if (session && !has_expired(*session, now) && needs_extension(session->expires_at, now, timeout))
        due.push_back(id);
    }
    return due;
  });
  if (!pulling) return pulling.error();
  if (pulling->empty()) return {};
  return context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    for (const auto& id : *pulling) {
      auto session = writer.find<UpdateSession>(id);
      if (session && session->state == UpdateSessionState::ACTIVE && !has_expired(*session, now))
        record_activity(writer, *session, context_, true);
    }
    return {};
  });
}

Result<void> UpdateSessions::complete_idle_pulls() {
  constexpr std::size_t batch = 100;
  const auto idle = context_.settings.complete_idle_pulls_after;
  if (idle == base::Duration(0)) return {};
  const auto ids = context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<UpdateSessionId>> {
    return reader.idle_pull_sessions(context_.leases.now() - idle, batch);
  });
  if (!ids) return ids.error();
  for (const auto& id : *ids) {
    Aftermath aftermath;
    const auto completed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
      aftermath.clear();
      auto session = writer.find<UpdateSession>(id);
      const auto now = context_.leases.now();
      const bool still_idle = session && content::phase_of(*session) == content::SessionPhase::active &&
                              !has_expired(*session, now) && session->changed + idle < now;
      if (!still_idle) return {};
      const auto package = judge(writer, *session);
      if (!package) return package.error();
      if (!is_pulled_and_clean(*package, *session)) return {};
      session->completed_itself = true;
      commit_content(writer, context_, *session, *package, aftermath);
      return {};
    });
    if (!completed) return completed;
    settle(context_, aftermath);
  }
  return {};
}

Result<void> UpdateSessions::cancel(const Caller& caller, const UpdateSessionId& id) {
  return end_by_client(context_, caller, id, SessionOperation::cancel, UpdateSessionState::CANCELED, std::nullopt);
}

Result<void> UpdateSessions::fail(const Caller& caller, const UpdateSessionId& id,
                                  const std::optional<std::string>& client_error_message) {
  const auto message = client_failure(client_error_message, context_.limits);
  if (!message) return message.error();
  return end_by_client(context_, caller, id, SessionOperation::fail, UpdateSessionState::ERROR, *message);
}

Result<void> UpdateSessions::remove(const Caller& caller, const UpdateSessionId& id) {
  Aftermath aftermath;
  auto removed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    auto session = open_for(writer, context_, caller, id, SessionOperation::remove);
    if (!session) return session.error();
    discard_session(writer, *session, aftermath);
    return {};
  });
  if (removed) settle(context_, aftermath);
  return removed;
}

Result<SessionFile> UpdateSessions::add_file(const Caller& caller, const UpdateSessionId& id, const AddFileSpec& spec) {
  Aftermath aftermath;
  auto added = context_.catalog.write([&](CatalogWriter& writer) -> Result<SessionFile> {
    aftermath.clear();
    auto session = find_update_session(writer, caller, id, context_.leases.now());
    if (!session) return session.error();
    auto entry = entry_of(context_, caller, spec);
    if (!entry) return entry;
    if (auto allowed = content::check_allowed(*session, SessionOperation::add_file); !allowed) return allowed.error();
    const auto item = writer.find<Item>(session->item_id);
    const auto library = item ? writer.find<content::Library>(item->library_id) : std::nullopt;
    const auto* storage = library ? context_.storages.find(library->storage) : nullptr;
    if (storage == nullptr) return base::internal_error("update session " + id.text() + " is on no configured storage");
    const auto files = writer.list<SessionFile>(id);
    if (auto ordered = check_order(*item, files, spec.name); !ordered) return ordered.error();
    const auto present = writer.find<SessionFile>({id, spec.name});
    if (!present && files.size() >= context_.limits.files_per_item_max)
      return bad_spec("quire.update_session.too_many_files",
                      "The session has {limit} files, which is the limit of an item.",
                      {{"limit", static_cast<std::int64_t>(context_.limits.files_per_item_max)}});
    if (auto room = check_room(*storage, *entry); !room) return room.error();
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));

    const auto kind = content::package_file(item->type, spec.name);
    entry->keep_in_storage = kind != PackageFile::manifest && kind != PackageFile::certificate;
    entry->upload_token = content::TransferToken(context_.identities.secret());
    if (present) drop_file(writer, context_, id, *present, aftermath);
    writer.put(id, *entry);
    record_activity(writer, *session, context_, false);
    return *entry;
  });
  if (!added) return added;
  settle(context_, aftermath);
  if (spec.source_type == SourceType::PULL && context_.on_pull_added) context_.on_pull_added();
  return live(context_, *std::move(added));
}

Result<std::vector<SessionFile>> UpdateSessions::files(const Caller& caller, const UpdateSessionId& id) {
  if (const auto session = read_session(context_, caller, id); !session) return session.error();
  return context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<SessionFile>> {
    const auto all = reader.list<SessionFile>(id);
    std::vector<SessionFile> listed;
    for (const auto& file : all)
      if (file.archive.empty()) listed.push_back(live(context_, file));
    return listed;
  });
}

Result<SessionFile> UpdateSessions::file(const Caller& caller, const UpdateSessionId& id, const std::string& name) {
  if (const auto session = read_session(context_, caller, id); !session) return session.error();
  auto file = context_.catalog.read([&](CatalogReader& reader) { return listed_file(reader, id, name); });
  if (!file) return file;
  return live(context_, *std::move(file));
}

Result<void> UpdateSessions::remove_file(const Caller& caller, const UpdateSessionId& id, const std::string& name) {
  Aftermath aftermath;
  const auto removed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    auto session = find_update_session(writer, caller, id, context_.leases.now());
    if (!session) return session.error();
    const auto file = listed_file(writer, id, name);
    if (!file) return file.error();
    if (auto allowed = content::check_allowed(*session, SessionOperation::remove_file); !allowed) return allowed;
    drop_file(writer, context_, id, *file, aftermath);
    record_activity(writer, *session, context_, false);
    return {};
  });
  if (removed) settle(context_, aftermath);
  return removed;
}

Result<Validation> UpdateSessions::validate(const Caller& caller, const UpdateSessionId& id) {
  return context_.catalog.write([&](CatalogWriter& writer) -> Result<Validation> {
    auto session = open_for(writer, context_, caller, id, SessionOperation::validate);
    if (!session) return session.error();
    const auto item = writer.find<Item>(session->item_id);
    const auto files = writer.list<SessionFile>(id);
    const auto verdict = content::judge_package(item ? item->type : "", files);
    if (!verdict.not_received.empty()) return not_received(context_, files, verdict.not_received.front());
    Validation validation;
    validation.missing_files = verdict.missing;
    for (const auto& problem : verdict.invalid) validation.invalid_files.push_back({problem.file, problem.message});
    record_activity(writer, *session, context_, false);
    return validation;
  });
}

Result<void> UpdateSessions::remove_expired() {
  constexpr std::size_t batch = 100;
  for (std::size_t count = batch; count == batch;) {
    Aftermath aftermath;
    const auto now = context_.leases.now();
    const auto removed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
      aftermath.clear();
      const auto expired = writer.expired_update_sessions(now, batch);
      const auto ended = writer.ended_update_sessions(now - context_.settings.ended_session_retention, batch);
      count = std::max(expired.size(), ended.size());
      for (const auto& ids : {expired, ended})
        for (const auto& id : ids)
          if (const auto session = writer.find<UpdateSession>(id)) discard_session(writer, *session, aftermath);
      writer.remove_client_tokens(now - context_.settings.client_token_retention);
      return {};
    });
    if (!removed) return removed;
    settle(context_, aftermath);
  }
  return {};
}

Result<void> UpdateSessions::extend_after_start() {
  return context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    const auto longest = std::max(context_.settings.update_session_timeout, context_.settings.download_session_timeout);
    const auto now = context_.leases.now();
    writer.restart_leases(now, now + longest, extended(now, now, longest));
    return {};
  });
}

}  // namespace quire::service
