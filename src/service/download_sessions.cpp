#include "service/download_sessions.h"

#include <span>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/log.h"
#include "content/text.h"
#include "service/blob_bytes.h"
#include "service/find.h"
#include "service/session_access.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::CatalogReader;
using content::CatalogWriter;
using content::ContentFile;
using content::DownloadSession;
using content::DownloadSessionId;
using content::DownloadSessionState;
using content::ItemId;

std::string_view name_of(DownloadSessionState state) {
  switch (state) {
    case DownloadSessionState::ACTIVE:
      return "ACTIVE";
    case DownloadSessionState::CANCELED:
      return "CANCELED";
    case DownloadSessionState::ERROR:
      return "ERROR";
  }
  return "";
}

Error not_found(const DownloadSessionId& id) {
  return {ErrorKind::not_found,
          "quire.download_session.not_found",
          "No download session has the identifier {download_session_id}; it may have expired.",
          {{"download_session_id", id.text()}}};
}

Result<DownloadSession> find_session(CatalogReader& reader, const Caller& caller, const DownloadSessionId& id,
                                     base::Time now) {
  auto session = reader.find<DownloadSession>(id);
  const bool usable =
      session && (caller.administrator || session->creator == caller.user) && session->expires_at >= now;
  if (!usable) return not_found(id);
  return *std::move(session);
}

Result<void> check_active(const DownloadSession& session, std::string_view operation) {
  if (session.state == DownloadSessionState::ACTIVE) return {};
  Error error(ErrorKind::not_allowed_in_current_state, "quire.download_session.wrong_state",
              "Operation {operation} is not possible while download session {download_session_id} is {state}.",
              {{"operation", std::string(operation)},
               {"state", std::string(name_of(session.state))},
               {"download_session_id", session.id.text()}});
  return session.error_message ? error.because(*session.error_message) : error;
}

/// Moves the expiration when the promise of the time-out needs it.
void touch(CatalogWriter& writer, DownloadSession& session, const Context& context) {
  session.expires_at = extended(session.expires_at, context.leases.now(), context.settings.download_session_timeout);
  writer.update(session);
}

/// Finds an ACTIVE session, changes it and moves its expiration.
template <class F>
Result<void> change_active(Context& context, const Caller& caller, const DownloadSessionId& id,
                           std::string_view operation, F change) {
  return context.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    auto session = find_session(writer, caller, id, context.leases.now());
    if (!session) return session.error();
    if (auto active = check_active(*session, operation); !active) return active;
    change(*session);
    touch(writer, *session, context);
    return {};
  });
}

/// Inside a transaction: lets go of the content that the session pinned.
void release(CatalogWriter& writer, const DownloadSession& session, Aftermath& aftermath) {
  aftermath.transfers.push_back(session.token);
  let_go(writer, session.content, aftermath);
}

/// Ends an ACTIVE session; its links die and the content it pinned is let go.
template <class F>
Result<void> end_active(Context& context, const Caller& caller, const DownloadSessionId& id, std::string_view operation,
                        F change) {
  Aftermath aftermath;
  const auto ended = context.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    auto session = find_session(writer, caller, id, context.leases.now());
    if (!session) return session.error();
    if (auto active = check_active(*session, operation); !active) return active;
    change(*session);
    touch(writer, *session, context);
    release(writer, *session, aftermath);
    return {};
  });
  if (ended) settle(context, aftermath);
  return ended;
}

/// The file as its session shows it; in how far it was prepared counts while the session is ACTIVE.
Result<DownloadFile> view(const Context& context, CatalogReader& reader, const DownloadSession& session,
                          const ContentFile& file) {
  DownloadFile download;
  download.file = file;
  download.token = session.token;
  if (session.state != DownloadSessionState::ACTIVE) return download;
  const auto prepared = reader.find<content::PreparedFile>({session.id, file.name});
  download.prepared = prepared.has_value();
  if (!prepared || prepared->access != content::DownloadAccess::DIRECT) return download;
  const auto blob = reader.find<content::Blob>(file.blob);
  const auto* storage = blob ? context.storages.find(blob->storage) : nullptr;
  if (storage == nullptr) return base::internal_error("blob " + file.blob.text() + " is on no configured storage");
  download.direct_uri = storage->blobs->uri(file.blob);
  return download;
}

Result<ContentFile> find_file(CatalogReader& reader, const DownloadSession& session, const std::string& name) {
  if (auto file = reader.find<ContentFile>({session.content, name})) return *std::move(file);
  return Error(ErrorKind::invalid_argument, "quire.download_session.unknown_file",
               "Download session {download_session_id} has no file named {file_name}.",
               {{"download_session_id", session.id.text()}, {"file_name", name}});
}

/// Finds the session for a call that only reads; such a call counts as activity too.
Result<DownloadSession> read_session(Context& context, const Caller& caller, const DownloadSessionId& id) {
  const auto now = context.leases.now();
  auto session = context.catalog.read([&](CatalogReader& reader) { return find_session(reader, caller, id, now); });
  if (!session || !needs_extension(session->expires_at, now, context.settings.download_session_timeout)) return session;
  return context.catalog.write([&](CatalogWriter& writer) -> Result<DownloadSession> {
    auto again = find_session(writer, caller, id, now);
    if (again && again->state == DownloadSessionState::ACTIVE) touch(writer, *again, context);
    return again;
  });
}

}  // namespace

Result<DownloadSessionId> DownloadSessions::create(const Caller& caller, const std::optional<std::string>& item_id,
                                                   const std::optional<std::string>& client_token) {
  if (!item_id)
    return Error(ErrorKind::invalid_argument, "quire.download_session.no_item",
                 "create_spec.library_item_id is required.");
  const auto id = context_.catalog.write([&](CatalogWriter& writer) -> Result<std::string> {
    return create_once(context_, writer, caller, "com.vmware.content.library.item.download_session.create",
                       client_token, spec_digest({item_id}), [&]() -> Result<std::string> {
                         const auto item = find_item(writer, ItemId(*item_id));
                         if (!item) return item.error();
                         if (writer.download_session_count() >= context_.limits.download_sessions_max)
                           return Error(ErrorKind::service_unavailable, "quire.download_session.too_many",
                                        "There are {limit} download sessions already, which is the limit; delete some.",
                                        {{"limit", static_cast<std::int64_t>(context_.limits.download_sessions_max)}});
                         DownloadSession session;
                         session.id = DownloadSessionId(context_.identities.uuid_made_at(context_.clock.now()));
                         session.item_id = item->id;
                         session.item_content_version = item->content_version;
                         session.content = item->content;
                         session.creator = caller.user;
                         session.login = caller.login;
                         session.token = content::TransferToken(context_.identities.secret());
                         session.created = context_.leases.now();
                         session.expires_at =
                             extended(session.created, session.created, context_.settings.download_session_timeout);
                         writer.insert(session);
                         return session.id.text();
                       });
  });
  if (!id) return id.error();
  return DownloadSessionId(*id);
}

Result<std::vector<DownloadSessionId>> DownloadSessions::list(const Caller& caller, const std::optional<ItemId>& item) {
  return context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<DownloadSessionId>> {
    if (item && !reader.find<content::Item>(*item)) return item_not_found(*item);
    std::vector<DownloadSessionId> ids;
    for (const auto& id : reader.download_sessions(caller.user, item))
      if (find_session(reader, caller, id, context_.leases.now())) ids.push_back(id);
    return ids;
  });
}

Result<DownloadSession> DownloadSessions::get(const Caller& caller, const DownloadSessionId& id) {
  auto session = read_session(context_, caller, id);
  if (session) session->expires_at = context_.leases.shown(session->expires_at);
  return session;
}

Result<void> DownloadSessions::keep_alive(const Caller& caller, const DownloadSessionId& id,
                                          const std::optional<std::int64_t>& progress) {
  if (progress && (*progress < 0 || *progress > 100))
    return Error(ErrorKind::invalid_argument, "quire.session.progress_out_of_range",
                 "The progress is {progress}; it must be from 0 to 100.", {{"progress", *progress}});
  return change_active(context_, caller, id, "keep_alive", [&](DownloadSession& session) {
    if (progress) session.client_progress = std::max(session.client_progress, *progress);
  });
}

Result<void> DownloadSessions::cancel(const Caller& caller, const DownloadSessionId& id) {
  return end_active(context_, caller, id, "cancel",
                    [](DownloadSession& session) { session.state = DownloadSessionState::CANCELED; });
}

Result<void> DownloadSessions::fail(const Caller& caller, const DownloadSessionId& id,
                                    const std::optional<std::string>& client_error_message) {
  const auto message = client_failure(client_error_message, context_.limits);
  if (!message) return message.error();
  return end_active(context_, caller, id, "fail", [&](DownloadSession& session) {
    session.state = DownloadSessionState::ERROR;
    session.error_message = *message;
  });
}

Result<void> DownloadSessions::remove(const Caller& caller, const DownloadSessionId& id) {
  Aftermath aftermath;
  const auto removed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    const auto session = find_session(writer, caller, id, context_.leases.now());
    if (!session) return session.error();
    writer.remove<DownloadSession>(id);
    release(writer, *session, aftermath);
    return {};
  });
  if (removed) settle(context_, aftermath);
  return removed;
}

Result<std::vector<DownloadFile>> DownloadSessions::files(const Caller& caller, const DownloadSessionId& id) {
  const auto session = read_session(context_, caller, id);
  if (!session) return session.error();
  return context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<DownloadFile>> {
    std::vector<DownloadFile> all;
    for (const auto& file : reader.list<ContentFile>(session->content)) {
      auto shown = view(context_, reader, *session, file);
      if (!shown) return shown.error();
      all.push_back(*std::move(shown));
    }
    return all;
  });
}

Result<DownloadFile> DownloadSessions::prepare(const Caller& caller, const DownloadSessionId& id,
                                               const std::string& name, bool direct) {
  if (direct) {
    const auto blobs = context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<content::Blob>> {
      const auto session = find_session(reader, caller, id, context_.leases.now());
      const auto file = session ? reader.find<ContentFile>({session->content, name}) : std::nullopt;
      const auto blob = file ? reader.find<content::Blob>(file->blob) : std::nullopt;
      return blob ? std::vector{*blob} : std::vector<content::Blob>();
    });
    if (!blobs) return blobs.error();
    if (auto moved = move_to_storage(context_, *blobs); !moved) return moved.error();
  }
  return context_.catalog.write([&](CatalogWriter& writer) -> Result<DownloadFile> {
    auto session = find_session(writer, caller, id, context_.leases.now());
    if (!session) return session.error();
    const auto file = find_file(writer, *session, name);
    if (!file) return file.error();
    if (auto active = check_active(*session, "prepare"); !active) return active.error();
    writer.put(id,
               content::PreparedFile{name, direct ? content::DownloadAccess::DIRECT : content::DownloadAccess::HTTPS});
    touch(writer, *session, context_);
    return view(context_, writer, *session, *file);
  });
}

Result<DownloadFile> DownloadSessions::file(const Caller& caller, const DownloadSessionId& id,
                                            const std::string& name) {
  const auto session = read_session(context_, caller, id);
  if (!session) return session.error();
  return context_.catalog.read([&](CatalogReader& reader) -> Result<DownloadFile> {
    const auto file = find_file(reader, *session, name);
    if (!file) return file.error();
    return view(context_, reader, *session, *file);
  });
}

Result<void> DownloadSessions::remove_expired() {
  constexpr std::size_t batch = 100;
  const auto now = context_.leases.now();
  for (;;) {
    Aftermath aftermath;
    std::size_t count = 0;
    auto removed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
      aftermath.clear();
      const auto ids = writer.expired_download_sessions(now, batch);
      count = ids.size();
      for (const auto& id : ids) {
        const auto session = writer.find<DownloadSession>(id);
        writer.remove<DownloadSession>(id);
        if (session) release(writer, *session, aftermath);
      }
      return {};
    });
    if (!removed) return removed;
    settle(context_, aftermath);
    if (count < batch) return {};
  }
}

namespace {

/// The bytes are those that were uploaded, or an Error. Costs a reading of all of them when the blob has lost its seal.
Result<void> check_bytes(const content::Blob& blob, const std::string& name, content::BlobReader& bytes) {
  const auto damaged = [&](std::string_view how) {
    return Error(
               ErrorKind::internal_server_error, "quire.download.damaged",
               "File {name} is damaged on storage {storage}: its bytes are no longer those that were uploaded. Upload "
               "it again, or restore file {blob} of the storage from a backup.",
               {{"name", name}, {"storage", blob.storage.text()}, {"blob", blob.id.text()}})
        .with_cause(std::string(how));
  };
  if (bytes.size() != blob.size) return damaged("its size has changed");
  if (bytes.sealed()) return {};
  base::Hasher hasher(base::DigestAlgorithm::SHA256);
  std::vector<std::byte> buffer(1024 * 1024);
  for (std::int64_t done = 0; done < blob.size;) {
    const auto count = bytes.read(done, buffer);
    if (!count) return count.error();
    if (*count == 0) return damaged("it has become shorter");
    hasher.update(std::span(buffer).first(*count));
    done += static_cast<std::int64_t>(*count);
  }
  if (hasher.finish().hex != blob.sha256) return damaged("its SHA-256 has changed");
  if (const auto sealed = bytes.seal(); !sealed)
    spdlog::warn("Blob {} was checked but could not be sealed; each download will check it: {}", blob.id.text(),
                 sealed.error().cause());
  return {};
}

}  // namespace

Result<OpenDownload> Downloads::open(const content::TransferToken& token, const std::string& name) {
  const auto now = context_.leases.now();
  const Error none(ErrorKind::not_found, "quire.download.not_found",
                   "There is nothing to download here: the link is wrong, was not prepared, or its session has ended.");
  struct Place {
    OpenDownload download;
    content::Blob blob;
  };
  const auto look = [&](CatalogReader& reader) -> Result<Place> {
    const auto session = reader.download_session_of(token);
    if (!session || session->state != DownloadSessionState::ACTIVE || session->expires_at < now) return none;
    auto file = reader.find<ContentFile>({session->content, name});
    if (!file || !reader.find<content::PreparedFile>({session->id, name})) return none;
    auto blob = reader.find<content::Blob>(file->blob);
    if (!blob) return base::internal_error("content file without blob " + file->blob.text());
    return Place{{nullptr, *std::move(file), session->id, blob->sha256}, *std::move(blob)};
  };
  auto place = context_.catalog.read(look);
  if (!place) return place.error();
  auto bytes = open_blob(context_, place->blob);
  if (!bytes) {
    // The session may have ended since, and have let go of the last that named these bytes.
    if (auto again = context_.catalog.read(look); !again) return again.error();
    return base::internal_error("blob " + place->blob.id.text() + " cannot be opened: " + bytes.error().cause());
  }
  if (auto good = check_bytes(place->blob, name, **bytes); !good) {
    spdlog::error("Blob {} of storage {} is not served: {}", place->blob.id.text(), place->blob.storage.text(),
                  good.error().cause());
    return good.error();
  }
  place->download.bytes = *std::move(bytes);
  if (auto touched = touch(place->download.session); !touched && touched.error().kind() == ErrorKind::not_found)
    return touched.error();
  return std::move(place->download);
}

Result<void> Downloads::touch(const DownloadSessionId& id) {
  const auto now = context_.leases.now();
  const auto session = context_.catalog.read([&](CatalogReader& reader) -> Result<DownloadSession> {
    const auto found = reader.find<DownloadSession>(id);
    if (!found || found->state != DownloadSessionState::ACTIVE) return not_found(id);
    return *found;
  });
  if (!session) return session.error();
  if (!needs_extension(session->expires_at, now, context_.settings.download_session_timeout)) return {};
  return context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    auto again = writer.find<DownloadSession>(id);
    if (!again || again->state != DownloadSessionState::ACTIVE) return not_found(id);
    service::touch(writer, *again, context_);
    writer.touch_login(again->login, now);
    return {};
  });
}

}  // namespace quire::service
