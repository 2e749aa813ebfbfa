#include "service/upload/session_entry.h"

#include <algorithm>

#include "base/log.h"
#include "service/session/activity_interval.h"
#include "service/transaction/events.h"
#include "service/update_session/sources.h"
#include "service/upload/metadata_facts.h"

namespace quire::service {
namespace {

using base::Checksum;
using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;
using content::CatalogReader;
using content::SessionFile;
using content::SourceType;
using content::TransferStatus;
using content::TransferToken;
using content::UpdateSessionId;
using content::UpdateSessionState;

constexpr std::string_view session_ended_id = "quire.upload.session_ended";

Error unknown_endpoint() {
  return {ErrorKind::not_found, "quire.upload.unknown_endpoint",
          "There is no upload endpoint here; add the file to an update session and use the URI of the answer."};
}
Error session_ended() {
  return {ErrorKind::not_found, std::string(session_ended_id),
          "The update session of this upload endpoint has ended; open a new one."};
}
Error superseded(const std::string& name) {
  return {ErrorKind::concurrent_change,
          "quire.upload.superseded",
          "A later upload of {name} took this one's place.",
          {{"name", name}}};
}
Message checksum_differs(const std::string& name, const Checksum& declared, const Checksum& actual) {
  return base::make_message("quire.upload.checksum_differs",
                            "File {name} was declared with the {algorithm} checksum {declared}, but it has {actual}.",
                            {{"name", name},
                             {"algorithm", std::string(base::name_of(declared.algorithm))},
                             {"declared", declared.hex},
                             {"actual", actual.hex}});
}

std::optional<Message> manifest_mismatch(const std::vector<SessionFile>& files) {
  for (const auto& problem : content::judge_package("ovf", files).invalid)
    if (problem.message.id == "quire.package.manifest_mismatch") return problem.message;
  return std::nullopt;
}

void record_ready(Transaction& t, const content::UpdateSession& session, const SessionFile& file) {
  record(t, content::EventKind::update_session_file_ready, session,
         {{"file_name", file.name}, {"size", file.size.value_or(0)}});
}

/// What became of a file whose bytes are there.
struct Filled {
  bool read_again = false;          ///< its package's metadata has changed meanwhile: nothing was done
  std::optional<Message> mismatch;  ///< it contradicts its manifest: the session has ended
};

UploadState whole_state(std::int64_t size) { return {size, true, size, {{0, size}}}; }

}  // namespace

Message size_differs(const std::string& name, std::int64_t declared, std::int64_t actual) {
  return base::make_message("quire.upload.size_differs",
                            "File {name} was declared with {declared} bytes, but {actual} came.",
                            {{"name", name}, {"declared", declared}, {"actual", actual}});
}

Result<UploadPlace> locate_upload(CatalogReader& reader, const TransferToken& token, base::Time now) {
  auto entry = reader.session_file_of(token);
  if (!entry) return unknown_endpoint();
  auto session = reader.find<content::UpdateSession>(entry->first);
  if (!session) return unknown_endpoint();
  if (session->state != UpdateSessionState::ACTIVE || has_expired(*session, now)) return session_ended();
  // A pull goes on after `complete` was accepted; a push then has come too late.
  const bool completing_pull = session->completing && entry->second.source_type == SourceType::PULL;
  if (auto allowed = content::check_allowed(*session, content::SessionOperation::upload); !allowed && !completing_pull)
    return allowed.error();
  return UploadPlace{*std::move(session), std::move(entry->second)};
}

bool has_ended(const Error& error) {
  return !error.messages().empty() && error.messages().front().id == session_ended_id;
}

void release_file(Transaction& t, const UpdateSessionId& session, SessionFile& file) {
  std::vector<content::BlobId> blobs;
  if (!file.blob.empty()) blobs.push_back(file.blob);
  take_out_members(t, session, file.name, blobs);
  t.discard_partial(file);
  file.blob = content::BlobId();
  file.size.reset();
  file.digests.clear();
  file.facts = {};
  file.bytes_transferred = 0;
  file.reserved = 0;
  t->put(session, file);
  t.release(blobs);
}

void fail_file(Transaction& t, const UploadPlace& at, const Message& reason) {
  SessionFile file = at.file;
  file.status = TransferStatus::ERROR;
  file.error_message = reason;
  t->put(at.session.id, file);
  end_session(t, at.session, UpdateSessionState::ERROR, content::about_file(file.name, reason));
}

UploadState upload_state(const SessionFile& file) {
  if (file.status == TransferStatus::READY) return whole_state(file.size.value_or(0));
  UploadState state;
  state.length = file.size ? file.size : file.declared_size;
  if (!file.unfinished) return state;
  state.offset = file.unfinished->received.prefix();
  state.received = file.unfinished->received.ranges();
  if (file.unfinished->length) state.length = file.unfinished->length;
  return state;
}

std::vector<base::DigestAlgorithm> UploadTarget::algorithms() const {
  auto all = manifest_digests;
  if (file.declared_checksum) all.push_back(file.declared_checksum->algorithm);
  all.push_back(base::DigestAlgorithm::SHA256);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool UploadTarget::is_metadata() const {
  return kind() != content::PackageFile::archive && kind() != content::PackageFile::other;
}

SessionEntry::SessionEntry(Context& context, UploadTarget target, std::shared_ptr<TransferProgress> progress)
    : context_(context),
      target_(std::move(target)),
      progress_(std::move(progress)),
      last_touch_(context.clock.uptime()) {}

Result<UploadPlace> SessionEntry::own_place(Transaction& t) const {
  auto at = locate_upload(t.catalog(), file().upload_token, t.now());
  if (!at) return at.error().kind() == ErrorKind::not_found ? session_ended() : at.error();
  const bool other_bytes = blob_ && at->file.unfinished && at->file.unfinished->blob != *blob_;
  if (at->file.attempt != file().attempt || progress_->stopped || other_bytes) return superseded(file().name);
  return at;
}

Error SessionEntry::why_stopped() const {
  const auto at = context_.catalog.read([&](CatalogReader& reader) -> Result<UploadPlace> {
    return locate_upload(reader, file().upload_token, context_.leases.now());
  });
  if (at) return superseded(file().name);
  return at.error().kind() == ErrorKind::not_found ? session_ended() : at.error();
}

Error SessionEntry::fail(const Message& why) const {
  const auto reason = content::about_source(file(), why);
  const auto failed = change([&](Transaction& t, const UploadPlace& at) -> Result<void> {
    fail_file(t, at, reason);
    return {};
  });
  return failed ? Error(ErrorKind::invalid_argument, reason) : failed.error();
}

Error SessionEntry::reset_to_waiting(const Error& error) const {
  const auto reset = change([&](Transaction& t, const UploadPlace& at) -> Result<void> {
    SessionFile waits = at.file;
    waits.status = TransferStatus::WAITING_FOR_TRANSFER;
    ++waits.attempt;  // others that write to the same bytes have lost them
    release_file(t, at.session.id, waits);
    return {};
  });
  if (!reset) spdlog::warn("File {} could not be set back after a failure: {}", file().name, reset.error().text());
  return error;
}

Result<UploadState> SessionEntry::leave_nothing() const {
  return change([&](Transaction& t, const UploadPlace& at) -> Result<UploadState> {
    SessionFile unfinished = at.file;
    unfinished.status = TransferStatus::TRANSFERRING;
    t->put(at.session.id, unfinished);
    return UploadState();
  });
}

bool SessionEntry::touch_is_due() {
  const auto interval = 2 * activity_interval(context_.settings.update_session_timeout);
  const auto uptime = context_.clock.uptime();
  if (uptime - last_touch_ < interval) return false;
  last_touch_ = uptime;
  return true;
}

Result<void> SessionEntry::touch() const {
  return change([&](Transaction& t, const UploadPlace& at) -> Result<void> {
    auto session = at.session;
    record_activity(t, session, Activity::transfers);
    return {};
  });
}

Result<void> SessionEntry::reserve(std::int64_t bytes) const {
  return change([&](Transaction& t, const UploadPlace& at) -> Result<void> {
    SessionFile reserves = at.file;
    reserves.reserved = bytes;
    t->put(at.session.id, reserves);
    return {};
  });
}

std::unique_ptr<ArchiveIntake> SessionEntry::archive_intake(std::optional<std::int64_t> size) const {
  std::vector<base::DigestAlgorithm> own;
  if (file().declared_checksum) own.push_back(file().declared_checksum->algorithm);
  return std::make_unique<ArchiveIntake>(context_, *target_.storage, file().name, target_.files_max, size, own);
}

std::optional<Message> SessionEntry::checksum_problem(const std::vector<Checksum>& digests) const {
  const auto& declared = file().declared_checksum;
  if (!declared) return std::nullopt;
  const auto* actual = base::find_digest(digests, declared->algorithm);
  if (actual == nullptr || actual->hex == declared->hex) return std::nullopt;
  return checksum_differs(file().name, *declared, *actual);
}

/// The entry with what has arrived. Another transfer may have filled it since this one began (both found it waiting,
/// in two servers even): what that one brought goes.
SessionFile SessionEntry::ready_file(Transaction& t, const UploadPlace& at, std::int64_t size,
                                     const std::vector<Checksum>& digests) const {
  SessionFile ready = at.file;
  if (ready.status == TransferStatus::READY) release_file(t, at.session.id, ready);
  ready.status = TransferStatus::READY;
  ready.size = size;
  ready.reserved = 0;
  ready.bytes_transferred = size;
  ready.digests = digests;
  ready.error_message.reset();
  return ready;
}

Result<bool> SessionEntry::has_arrived(const content::BlobId& blob) const {
  return context_.catalog.read([&](CatalogReader& reader) -> Result<bool> {
    const auto entry = reader.find<SessionFile>({target_.session, file().name});
    return entry && entry->unfinished && entry->unfinished->blob == blob;
  });
}

void SessionEntry::keep_or_remove(const content::Blob& blob, const Error& failure) const {
  if (blob.in_catalog) return;
  const auto recorded = has_arrived(blob.id);
  if (recorded && !*recorded) {
    remove_bytes_after_failure(context_, failure, {blob});
    return;
  }
  // Without an answer the next start finds out.
  const auto* storage = context_.storages.find(blob.storage);
  const auto reopened = recorded && storage != nullptr ? storage->blobs->reopen(blob.id)
                                                       : Result<void>(recorded ? failure : recorded.error());
  if (!reopened)
    spdlog::warn("What has arrived of file {} is left to the next start: {}", file().name, reopened.error().cause());
}

Result<UploadState> SessionEntry::make_ready(const ArrivedBlob& arrived, const std::vector<Checksum>& digests,
                                             const std::vector<std::byte>& metadata) const {
  const auto& blob = arrived.blob;
  const auto fill = [&](const MetadataFacts& facts) {
    return change([&](Transaction& t, const UploadPlace& at) -> Result<Filled> {
      const bool in_package = content::is_ovf(target_.item_type);
      const auto others = in_package ? t->list<SessionFile>(at.session.id) : std::vector<SessionFile>();
      if (!facts.still_hold(target_, others)) return Filled{true, std::nullopt};
      auto session = at.session;
      record_activity(t, session, Activity::transfers);
      SessionFile ready = ready_file(t, at, blob.size, digests);
      if (ready.unfinished && ready.unfinished->blob == blob.id) ready.unfinished.reset();
      t.discard_partial(ready);
      ready.blob = adopt(t, arrived);
      ready.facts = facts.own;
      t->put(at.session.id, ready);
      if (!in_package) {
        record_ready(t, session, ready);
        return Filled();
      }
      for (const auto& counterpart : facts.counterparts) {
        const auto other = t->find<SessionFile>({at.session.id, counterpart.name});
        if (!other || std::holds_alternative<std::monostate>(counterpart.facts)) continue;
        SessionFile judged = *other;
        judged.facts = counterpart.facts;
        t->put(at.session.id, judged);
      }
      // What a pulled descriptor references comes from the same place (§15.3).
      for (const auto& file : referenced_pulls(ready, others, context_.identities)) {
        t->put(at.session.id, file);
        record(t, content::EventKind::update_session_file_added, session, {{"file_name", file.name}});
      }
      // A digest that contradicts the manifest ends the session at once, whichever of the two came later.
      auto mismatch = manifest_mismatch(t->list<SessionFile>(at.session.id));
      if (mismatch)
        fail_file(t, {session, ready}, *mismatch);
      else
        record_ready(t, session, ready);
      return Filled{false, std::move(mismatch)};
    });
  };
  for (;;) {
    const auto facts = read_metadata(context_, target_, metadata);
    const auto filled = facts ? fill(*facts) : Result<Filled>(facts.error());
    if (!filled) {
      keep_or_remove(blob, filled.error());
      return filled.error();
    }
    if (filled->read_again) continue;
    if (filled->mismatch) return Error(ErrorKind::invalid_argument, *filled->mismatch);
    return whole_state(blob.size);
  }
}

Result<UploadState> SessionEntry::make_ready(ArchiveIntake& archive) const {
  // The members' digests and the archive's own are taken; nothing is read again.
  QUIRE_RETURN_IF_ERROR(archive.finish());
  if (const auto problem = checksum_problem(archive.digests())) return Error(ErrorKind::invalid_argument, *problem);
  const auto done = change([&](Transaction& t, const UploadPlace& at) -> Result<void> {
    auto session = at.session;
    record_activity(t, session, Activity::transfers);
    SessionFile unpacked = ready_file(t, at, archive.size(), archive.digests());
    t.discard_partial(unpacked);
    t->put(at.session.id, unpacked);
    record_ready(t, session, unpacked);
    for (const auto& member : archive.members()) {
      SessionFile out = member.file;
      if (const auto present = t->find<SessionFile>({at.session.id, out.name});
          present && (present->source_type != SourceType::NONE || !present->archive.empty()))
        return Error(ErrorKind::invalid_argument, "quire.ova.file_added_twice",
                     "The archive {archive} holds a file {name}, which the session has got otherwise as well.",
                     {{"archive", at.file.name}, {"name", out.name}});
      out.archive = at.file.name;
      out.blob = adopt(t, {member.blob});
      t->put(at.session.id, out);
    }
    return {};
  });
  if (!done && done.error().kind() == ErrorKind::invalid_argument) return done.error();
  std::vector<content::Blob> received;
  for (const auto& member : archive.members()) received.push_back(member.blob);
  archive.keep_members();
  if (!done) {
    remove_bytes_after_failure(context_, done.error(), received);
    return done.error();
  }
  return whole_state(archive.size());
}

}  // namespace quire::service
