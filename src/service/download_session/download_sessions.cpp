#include "service/download_session/download_sessions.h"

#include <string_view>
#include <vector>

#include "service/blob/blob_bytes.h"
#include "service/blob/blob_to_send.h"
#include "service/library/announced_files.h"
#include "service/library/sync_request.h"
#include "service/session/activity_interval.h"
#include "service/session/session_access.h"
#include "service/transaction/create_once.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::ContentFile;
using content::DownloadSession;
using content::DownloadSessionId;
using content::ItemId;
using content::Privilege;

base::Message not_come() {
  return base::make_message("quire.download_session.content_not_come",
                            "The publisher's content did not come. Prepare the file again, or synchronize the item.");
}

/// The file as its session shows it; in how far it was prepared counts while the session is ACTIVE.
Result<DownloadFile> shown(const Context& context, View view, const DownloadSession& session, const ContentFile& file) {
  DownloadFile download;
  download.file = file;
  download.token = session.token;
  if (!is_active(session)) return download;
  const auto prepared = view->find<content::PreparedFile>({session.id, file.name});
  if (session.awaits_content) {
    const auto source = view->find<content::SourceItem>(session.item_id);
    const bool runs = active_sync_of(view, session.item_id).has_value();
    download.arrives = prepared.has_value() && runs;
    if (prepared && !runs && source) download.problem = source->problem.value_or(not_come());
    return download;
  }
  download.prepared = prepared.has_value();
  if (!prepared || prepared->access != content::DownloadAccess::DIRECT) return download;
  const auto blob = view->find<content::Blob>(file.blob);
  const auto* storage = blob ? context.storages.find(blob->storage) : nullptr;
  if (storage == nullptr) return base::internal_error("blob " + file.blob.text() + " is on no configured storage");
  download.direct_uri = storage->blobs->uri(file.blob);
  return download;
}

/// InvalidArgument unless the bytes can be read where they lie.
Result<void> check_holds_files(const Context& context, const content::StorageId& id) {
  const auto* storage = context.storages.find(id);
  if (storage == nullptr || storage->is_folder()) return {};
  return Error(ErrorKind::invalid_argument, "quire.download_session.no_direct_place",
               "Storage {name} is an object store, where no file lies as such; use the endpoint type HTTPS.",
               {{"name", storage->name}});
}

/// Those of the session's content, or which its content is to have.
std::vector<ContentFile> files_of_session(View view, const DownloadSession& session) {
  if (!session.awaits_content) return view->list<ContentFile>(session.content);
  const auto item = view->find<content::Item>(session.item_id);
  return item ? announced_files(view, *item) : std::vector<ContentFile>();
}

Result<ContentFile> find_file(View view, const DownloadSession& session, const std::string& name) {
  if (auto file = view->find<ContentFile>({session.content, name})) return *std::move(file);
  if (session.awaits_content)
    for (auto& file : files_of_session(view, session))
      if (file.name == name) return std::move(file);
  return Error(ErrorKind::invalid_argument, "quire.download_session.unknown_file",
               "Download session {download_session_id} has no file named {file_name}.",
               {{"download_session_id", session.id.text()}, {"file_name", name}});
}

}  // namespace

Result<DownloadSessionId> DownloadSessions::create(const Caller& caller, const std::optional<std::string>& item_id,
                                                   const std::optional<std::string>& client_token) {
  if (!item_id)
    return Error(ErrorKind::invalid_argument, "quire.download_session.no_item",
                 "create_spec.library_item_id is required.");
  const Creation creation{
      "com.vmware.content.library.item.download_session.create", client_token, spec_digest({item_id}),
      [&](Transaction& t) -> Result<void> {
        QUIRE_RETURN_IF_ERROR(find_item(t, ItemId(*item_id), Privilege::ContentLibrary_DownloadSession));
        return {};
      }};
  QUIRE_ASSIGN_OR_RETURN(
      const auto created, create_once(context_, caller, creation, [&](Transaction& t) -> Result<std::string> {
        QUIRE_ASSIGN_OR_RETURN(const auto item,
                               find_item(t, ItemId(*item_id), Privilege::ContentLibrary_DownloadSession));
        if (t->download_session_count() >= context_.limits.download_sessions_max)
          return Error(ErrorKind::service_unavailable, "quire.download_session.too_many",
                       "There are {limit} download sessions already, which is the limit; delete some.",
                       {{"limit", static_cast<std::int64_t>(context_.limits.download_sessions_max)}});
        DownloadSession session;
        session.id = DownloadSessionId(context_.identities.uuid_made_at(t.wall_time()));
        session.item_id = item.id;
        session.item_content_version = item.content_version;
        session.content = item.content;
        session.creator = caller.user;
        session.login = caller.login;
        session.token = content::TransferToken(context_.identities.secret());
        session.awaits_content = !item.cached;
        if (session.awaits_content) QUIRE_RETURN_IF_ERROR(request_item_sync(t, item, true));
        session.created = t.now();
        session.expires_at = extended(session.created, session.created, context_.settings.download_session_timeout);
        t->insert(session);
        record(t, content::EventKind::download_session_created, session);
        return session.id.text();
      }));
  return DownloadSessionId(created.id);
}

Result<std::vector<DownloadSessionId>> DownloadSessions::list(const Caller& caller, const std::optional<ItemId>& item) {
  return read(context_, caller, [&](View view) -> Result<std::vector<DownloadSessionId>> {
    if (item) QUIRE_RETURN_IF_ERROR(find_item(view, *item, Privilege::ContentLibrary_DownloadSession));
    std::vector<DownloadSessionId> ids;
    for (const auto& id : view->download_sessions(caller.user, item))
      if (find_session<DownloadSession>(view, id, context_.leases.now())) ids.push_back(id);
    return ids;
  });
}

Result<DownloadSession> DownloadSessions::get(const Caller& caller, const DownloadSessionId& id) {
  auto session = read_session<DownloadSession>(context_, caller, id);
  if (session) session->expires_at = context_.leases.shown(session->expires_at);
  return session;
}

Result<void> DownloadSessions::remove(const Caller& caller, const DownloadSessionId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto session, find_session<DownloadSession>(t, id, t.now()));
    discard_session(t, session, "deleted");
    return {};
  });
}

Result<std::vector<DownloadFile>> DownloadSessions::files(const Caller& caller, const DownloadSessionId& id) {
  QUIRE_ASSIGN_OR_RETURN(const auto session, read_session<DownloadSession>(context_, caller, id));
  return read(context_, caller, [&](View view) -> Result<std::vector<DownloadFile>> {
    std::vector<DownloadFile> all;
    for (const auto& file : files_of_session(view, session)) {
      QUIRE_ASSIGN_OR_RETURN(auto one, shown(context_, view, session, file));
      all.push_back(std::move(one));
    }
    return all;
  });
}

Result<DownloadFile> DownloadSessions::prepare(const Caller& caller, const DownloadSessionId& id,
                                               const std::string& name, bool direct) {
  if (direct) {
    QUIRE_ASSIGN_OR_RETURN(
        const auto blobs, read(context_, caller, [&](View view) -> Result<std::vector<content::Blob>> {
          const auto session = find_session<DownloadSession>(view, id, context_.leases.now());
          const auto item = session ? view->find<content::Item>(session->item_id) : std::nullopt;
          if (item) QUIRE_RETURN_IF_ERROR(check_privilege(caller, *item, Privilege::ContentLibrary_ReadStorage));
          const auto file = session ? view->find<ContentFile>({session->content, name}) : std::nullopt;
          const auto blob = file ? view->find<content::Blob>(file->blob) : std::nullopt;
          const auto library = item ? view->find<content::Library>(item->library_id) : std::nullopt;
          if (blob || library)
            QUIRE_RETURN_IF_ERROR(check_holds_files(context_, blob ? blob->storage : library->receiving_storage()));
          return blob ? std::vector{*blob} : std::vector<content::Blob>();
        }));
    QUIRE_RETURN_IF_ERROR(move_to_storage(context_, blobs));
  }
  return write(context_, caller, [&](Transaction& t) -> Result<DownloadFile> {
    QUIRE_ASSIGN_OR_RETURN(auto session, find_session<DownloadSession>(t, id, t.now()));
    QUIRE_ASSIGN_OR_RETURN(const auto file, find_file(t, session, name));
    QUIRE_RETURN_IF_ERROR(check_active(session, "prepare"));
    t->put(id, content::PreparedFile{name, direct ? content::DownloadAccess::DIRECT : content::DownloadAccess::HTTPS});
    record_activity(t, session, Activity::changes);
    if (session.awaits_content) {
      const auto item = t->find<content::Item>(session.item_id);
      if (item) QUIRE_RETURN_IF_ERROR(request_item_sync(t, *item, true));
    }
    return shown(context_, t, session, file);
  });
}

Result<DownloadFile> DownloadSessions::file(const Caller& caller, const DownloadSessionId& id,
                                            const std::string& name) {
  QUIRE_ASSIGN_OR_RETURN(const auto session, read_session<DownloadSession>(context_, caller, id));
  return read(context_, caller, [&](View view) -> Result<DownloadFile> {
    QUIRE_ASSIGN_OR_RETURN(const auto file, find_file(view, session, name));
    return shown(context_, view, session, file);
  });
}

Result<void> DownloadSessions::remove_expired() {
  return write_in_batches(context_, system_caller("download session expiry"), 100,
                          [&](Transaction& t, std::size_t batch) {
                            const auto ids = t->expired_download_sessions(t.now(), batch);
                            for (const auto& id : ids)
                              if (const auto session = t->find<DownloadSession>(id))
                                discard_session(t, *session, "expired");
                            return ids.size();
                          });
}

Result<OpenDownload> Downloads::open(const content::TransferToken& token, const std::string& name) {
  const auto now = context_.leases.now();
  const Error none(ErrorKind::not_found, "quire.download.not_found",
                   "There is nothing to download here: the link is wrong, was not prepared, or its session has ended.");
  struct Place {
    OpenDownload download;
    content::Blob blob;
    std::shared_ptr<content::BlobReader> bytes = {};
  };
  const auto look = [&](content::CatalogReader& reader) -> Result<Place> {
    const auto session = reader.download_session_of(token);
    if (!session || !is_active(*session) || has_expired(*session, now)) return none;
    auto file = reader.find<ContentFile>({session->content, name});
    if (!file || !reader.find<content::PreparedFile>({session->id, name})) return none;
    auto blob = reader.find<content::Blob>(file->blob);
    if (!blob) return base::internal_error("content file without blob " + file->blob.text());
    return Place{{nullptr, *std::move(file), session->id, blob->sha256}, *std::move(blob)};
  };
  // The session may end meanwhile, and the last that named these bytes with it.
  QUIRE_ASSIGN_OR_RETURN(auto place, open_found_to_send(context_, name, [&] { return context_.catalog.read(look); }));
  place.download.bytes = std::move(place.bytes);
  if (auto touched = touch(place.download.session); !touched && touched.error().kind() == ErrorKind::not_found)
    return touched.error();
  return std::move(place.download);
}

Result<void> Downloads::touch(const DownloadSessionId& id) {
  const auto active = [&](content::CatalogReader& reader) -> Result<DownloadSession> {
    auto found = reader.find<DownloadSession>(id);
    if (!found || !is_active(*found)) return session_not_found(id);
    return *std::move(found);
  };
  QUIRE_ASSIGN_OR_RETURN(const auto session, context_.catalog.read(active));
  // What goes out until the next call counts too.
  const auto timeout = context_.settings.download_session_timeout;
  if (!needs_extension(session.expires_at, context_.leases.now() + 2 * activity_interval(timeout), timeout)) return {};
  return write(context_, system_caller("downloads"), [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto again, active(t.catalog()));
    record_activity(t, again, Activity::transfers);
    return {};
  });
}

}  // namespace quire::service
