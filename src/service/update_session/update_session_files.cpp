#include <algorithm>
#include <map>

#include "base/file_name.h"
#include "base/hex.h"
#include "service/session/session_access.h"
#include "service/transaction/events.h"
#include "service/update_session/sources.h"
#include "service/update_session/update_sessions.h"

// The files of an update session.

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::Item;
using content::PackageFile;
using content::SessionFile;
using content::SessionOperation;
using content::SourceType;
using content::TransferStatus;
using content::UpdateSessionId;

Error unknown_file(const UpdateSessionId& id, const std::string& name) {
  return {ErrorKind::invalid_argument,
          "quire.update_session.unknown_file",
          "Update session {update_session_id} has no file named {file_name}.",
          {{"update_session_id", id.text()}, {"file_name", name}}};
}

Result<SessionFile> listed_file(View view, const UpdateSessionId& id, const std::string& name) {
  auto file = view->find<SessionFile>({id, name});
  if (!file || !file->archive.empty()) return unknown_file(id, name);
  return *std::move(file);
}

/// Takes an entry out, with the members of an archive; its transfer stops.
void drop_file(Transaction& t, const UpdateSessionId& id, const SessionFile& file) {
  std::vector<content::BlobId> blobs;
  if (!file.blob.empty()) blobs.push_back(file.blob);
  take_out_members(t, id, file.name, blobs);
  auto dropped = file;
  t.discard_partial(dropped);
  t->remove<SessionFile>({id, file.name});
  if (!file.upload_token.empty()) t.stop_transfers_after_commit(file.upload_token);
  t.release(blobs);
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

/// What needs no look at the session's files: the form of the spec.
Result<SessionFile> entry_of(Context& context, const Caller& caller, const Item& item, const AddFileSpec& spec) {
  QUIRE_RETURN_IF_ERROR(base::check_file_name(spec.name));
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
      QUIRE_ASSIGN_OR_RETURN(file.source_endpoint, Sources(context).accept(caller, item, *spec.source_endpoint));
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
    QUIRE_ASSIGN_OR_RETURN(file.declared_checksum, normalised(*spec.checksum));
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

/// What is free in each storage; asked before a transaction, compared inside.
using FreeSpace = std::map<content::StorageId, Result<content::BlobStore::Space>>;
FreeSpace free_space(const content::Storages& storages) {
  FreeSpace all;
  for (const auto& storage : storages.all()) all.emplace(storage.id, storage.blobs->space());
  return all;
}

Result<void> check_room(const content::Storage& storage, const SessionFile& file, const FreeSpace& free) {
  if (!file.declared_size) return {};
  QUIRE_ASSIGN_OR_RETURN(const auto space, free.at(storage.id));
  if (space.free_bytes >= *file.declared_size) return {};
  return Error(
      ErrorKind::unable_to_allocate_resource, "quire.storage.no_room",
      "File {name} needs {size} bytes, but storage {storage} has {free} left; make room or use another storage.",
      {{"name", file.name}, {"size", *file.declared_size}, {"storage", storage.name}, {"free", space.free_bytes}});
}

}  // namespace

Result<SessionFile> UpdateSessions::add_file(const Caller& caller, const UpdateSessionId& id, const AddFileSpec& spec) {
  const auto free = spec.size ? free_space(context_.storages) : FreeSpace();
  QUIRE_ASSIGN_OR_RETURN(
      auto added, write(context_, caller, [&](Transaction& t) -> Result<SessionFile> {
        QUIRE_ASSIGN_OR_RETURN(auto session, find_session<content::UpdateSession>(t, id, t.now()));
        QUIRE_ASSIGN_OR_RETURN(const auto item, item_of(t, session));
        QUIRE_ASSIGN_OR_RETURN(auto entry, entry_of(context_, caller, item, spec));
        QUIRE_RETURN_IF_ERROR(content::check_allowed(session, SessionOperation::add_file));
        const auto library = t->find<content::Library>(item.library_id);
        const auto* storage = library ? context_.storages.find(library->receiving_storage()) : nullptr;
        if (storage == nullptr)
          return base::internal_error("update session " + id.text() + " is on no configured storage");
        const auto files = t->list<SessionFile>(id);
        QUIRE_RETURN_IF_ERROR(check_order(item, files, spec.name));
        const auto present = t->find<SessionFile>({id, spec.name});
        if (!present && files.size() >= context_.limits.files_per_item_max)
          return bad_spec("quire.update_session.too_many_files",
                          "The session has {limit} files, which is the limit of an item.",
                          {{"limit", static_cast<std::int64_t>(context_.limits.files_per_item_max)}});
        QUIRE_RETURN_IF_ERROR(check_room(*storage, entry, free));
        QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));

        const auto kind = content::package_file(item.type, spec.name);
        entry.keep_in_storage = kind != PackageFile::manifest && kind != PackageFile::certificate;
        entry.upload_token = content::TransferToken(context_.identities.secret());
        if (present) drop_file(t, id, *present);
        t->put(id, entry);
        record_activity(t, session, Activity::changes);
        record(t, content::EventKind::update_session_file_added, session, {{"file_name", entry.name}});
        if (entry.source_type == SourceType::PULL) t.wake_pulls_after_commit();
        return entry;
      }));
  return live(context_, std::move(added));
}

Result<std::vector<SessionFile>> UpdateSessions::files(const Caller& caller, const UpdateSessionId& id) {
  QUIRE_RETURN_IF_ERROR(read_session<content::UpdateSession>(context_, caller, id));
  return read(context_, caller, [&](View view) -> Result<std::vector<SessionFile>> {
    std::vector<SessionFile> listed;
    for (const auto& file : view->list<SessionFile>(id))
      if (file.archive.empty()) listed.push_back(live(context_, file));
    return listed;
  });
}

Result<SessionFile> UpdateSessions::file(const Caller& caller, const UpdateSessionId& id, const std::string& name) {
  QUIRE_RETURN_IF_ERROR(read_session<content::UpdateSession>(context_, caller, id));
  QUIRE_ASSIGN_OR_RETURN(auto file, read(context_, caller, [&](View view) { return listed_file(view, id, name); }));
  return live(context_, std::move(file));
}

Result<void> UpdateSessions::remove_file(const Caller& caller, const UpdateSessionId& id, const std::string& name) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto session, find_session<content::UpdateSession>(t, id, t.now()));
    QUIRE_ASSIGN_OR_RETURN(const auto file, listed_file(t, id, name));
    QUIRE_RETURN_IF_ERROR(content::check_allowed(session, SessionOperation::remove_file));
    drop_file(t, id, file);
    record(t, content::EventKind::update_session_file_removed, session, {{"file_name", name}});
    record_activity(t, session, Activity::changes);
    return {};
  });
}

}  // namespace quire::service
