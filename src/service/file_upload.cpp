#include "service/file_upload.h"

#include <algorithm>

#include "base/log.h"
#include "base/uri.h"

namespace quire::service {

using base::Checksum;
using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;
using content::CatalogReader;
using content::CatalogWriter;
using content::SessionFile;
using content::SourceType;
using content::TransferStatus;
using content::TransferToken;
using content::UpdateSession;
using content::UpdateSessionId;
using content::UpdateSessionState;

namespace {

Error unknown_endpoint() {
  return {ErrorKind::not_found, "quire.upload.unknown_endpoint",
          "There is no upload endpoint here; add the file to an update session and use the URI of the answer."};
}
Error session_ended() {
  return {ErrorKind::not_found, "quire.upload.session_ended",
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

/// Inside the transaction: names the received bytes, or those that are there already.
content::BlobId adopt(CatalogWriter& writer, const ArrivedBlob& arrived, Aftermath& aftermath) {
  const auto& blob = arrived.blob;
  if (const auto same = writer.blob_with(blob.storage, blob.sha256, blob.size)) {
    aftermath.bytes.push_back(blob);
    return same->id;
  }
  writer.insert_blob(blob, arrived.bytes);
  return blob.id;
}

std::optional<Message> manifest_mismatch(const std::vector<SessionFile>& files) {
  for (const auto& problem : content::judge_package("ovf", files).invalid)
    if (problem.message.id == "quire.package.manifest_mismatch") return problem.message;
  return std::nullopt;
}

}  // namespace

Message size_differs(const std::string& name, std::int64_t declared, std::int64_t actual) {
  return base::make_message("quire.upload.size_differs",
                            "File {name} was declared with {declared} bytes, but {actual} came.",
                            {{"name", name}, {"declared", declared}, {"actual", actual}});
}

Result<UploadPlace> locate_upload(CatalogReader& reader, const TransferToken& token, base::Time now, bool& gone) {
  gone = false;
  auto entry = reader.session_file_of(token);
  if (!entry) return unknown_endpoint();
  auto session = reader.find<UpdateSession>(entry->first);
  if (!session) return unknown_endpoint();
  if (session->state != UpdateSessionState::ACTIVE || has_expired(*session, now)) {
    gone = true;
    return session_ended();
  }
  // A pull goes on after `complete` was accepted; a push then has come too late.
  const bool completing_pull = session->completing && entry->second.source_type == SourceType::PULL;
  if (auto allowed = content::check_allowed(*session, content::SessionOperation::upload); !allowed && !completing_pull)
    return allowed.error();
  return UploadPlace{*std::move(session), std::move(entry->second)};
}

void release_file(CatalogWriter& writer, Context& context, const UpdateSessionId& session, SessionFile& file,
                  Aftermath& aftermath) {
  std::vector<content::BlobId> blobs;
  if (!file.blob.empty()) blobs.push_back(file.blob);
  take_out_members(writer, context, session, file.name, blobs);
  forget_unfinished(file, aftermath);
  file.blob = content::BlobId();
  file.size.reset();
  file.digests.clear();
  file.facts = {};
  file.bytes_transferred = 0;
  writer.put(session, file);
  let_go(writer, blobs, aftermath);
}

void fail_file(CatalogWriter& writer, const UploadPlace& at, const Message& reason, base::Time now,
               Aftermath& aftermath) {
  SessionFile file = at.file;
  file.status = TransferStatus::ERROR;
  file.error_message = reason;
  writer.put(at.session.id, file);
  end_session(writer, at.session, UpdateSessionState::ERROR, content::about_file(file.name, reason), now, aftermath);
}

UploadState upload_state(const SessionFile& file) {
  UploadState state;
  state.length = file.size ? file.size : file.declared_size;
  if (file.status == TransferStatus::READY) {
    state.complete = true;
    state.offset = file.size.value_or(0);
    state.received = {{0, state.offset}};
  } else if (file.unfinished) {
    state.offset = file.unfinished->received.prefix();
    state.received = file.unfinished->received.ranges();
    if (file.unfinished->length) state.length = file.unfinished->length;
  }
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
  switch (kind()) {
    case content::PackageFile::descriptor:
    case content::PackageFile::manifest:
    case content::PackageFile::certificate:
      return true;
    case content::PackageFile::archive:
    case content::PackageFile::other:
      return false;
  }
  return false;
}

FileUpload::FileUpload(Context& context, UploadTarget target, std::shared_ptr<TransferProgress> progress)
    : context_(context),
      target_(std::move(target)),
      progress_(std::move(progress)),
      last_touch_(context.clock.uptime()) {}

FileUpload::~FileUpload() { context_.transfers.finish(file().upload_token, progress_, content_stays_); }

Result<void> FileUpload::change_own(
    const std::function<Result<void>(CatalogWriter&, const UploadPlace&, Aftermath&)>& change) {
  Aftermath aftermath;
  auto changed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    bool gone = false;
    auto at = locate_upload(writer, file().upload_token, context_.leases.now(), gone);
    if (!at) return gone || at.error().kind() == ErrorKind::not_found ? session_ended() : at.error();
    if (at->file.attempt != file().attempt || progress_->stopped || !fits(at->file)) return superseded(file().name);
    return change(writer, *at, aftermath);
  });
  // This transfer answers for itself; only the others are to be stopped.
  std::erase(aftermath.transfers, file().upload_token);
  if (changed) settle(context_, aftermath);
  // The transaction may have seen the state before the stop; one that begins now sees what stopped it.
  if (!changed && changed.error().kind() == ErrorKind::concurrent_change && progress_->stopped) return why_stopped();
  return changed;
}

Error FileUpload::why_stopped() {
  const auto looked = context_.catalog.read([&](CatalogReader& reader) -> Result<void> {
    bool gone = false;
    const auto at = locate_upload(reader, file().upload_token, context_.leases.now(), gone);
    if (at) return superseded(file().name);
    return gone || at.error().kind() == ErrorKind::not_found ? session_ended() : at.error();
  });
  return looked ? superseded(file().name) : looked.error();
}

Error FileUpload::fail(const Message& reason) {
  auto failed = change_own([&](CatalogWriter& writer, const UploadPlace& at, Aftermath& aftermath) -> Result<void> {
    fail_file(writer, at, reason, context_.leases.now(), aftermath);
    return {};
  });
  return failed ? Error(ErrorKind::invalid_argument, reason) : failed.error();
}

Error FileUpload::wait_again(const Error& error) {
  const auto waiting =
      change_own([&](CatalogWriter& writer, const UploadPlace& at, Aftermath& aftermath) -> Result<void> {
        SessionFile waits = at.file;
        waits.status = TransferStatus::WAITING_FOR_TRANSFER;
        ++waits.attempt;  // others that write to the same bytes have lost them
        release_file(writer, context_, at.session.id, waits, aftermath);
        return {};
      });
  if (!waiting) spdlog::warn("File {} could not be set back after a failure: {}", file().name, waiting.error().text());
  return error;
}

bool FileUpload::touch_is_due() {
  const auto interval = expiration_slack(context_.settings.update_session_timeout) / 2;
  const auto uptime = context_.clock.uptime();
  if (uptime - last_touch_ < interval) return false;
  last_touch_ = uptime;
  return true;
}

/// Before the session's files are written: whatever ends the session takes the rows in the same order.
void FileUpload::record_activity(CatalogWriter& writer, const UpdateSession& before) const {
  const auto now = context_.leases.now();
  UpdateSession session = before;
  session.changed = now;
  session.expires_at = extended(session.expires_at, now, context_.settings.update_session_timeout);
  writer.update(session);
  writer.touch_login(session.login, now);
}

Result<void> FileUpload::touch() {
  return change_own([&](CatalogWriter& writer, const UploadPlace& at, Aftermath&) -> Result<void> {
    record_activity(writer, at.session);
    return {};
  });
}

Result<UploadState> FileUpload::leave_nothing() {
  const auto left = change_own([&](CatalogWriter& writer, const UploadPlace& at, Aftermath&) -> Result<void> {
    SessionFile unfinished = at.file;
    unfinished.status = TransferStatus::TRANSFERRING;
    writer.put(at.session.id, unfinished);
    return {};
  });
  if (!left) return left.error();
  return UploadState();
}

std::unique_ptr<ArchiveIntake> FileUpload::archive_intake(std::optional<std::int64_t> size) const {
  std::vector<base::DigestAlgorithm> own;
  if (file().declared_checksum) own.push_back(file().declared_checksum->algorithm);
  return std::make_unique<ArchiveIntake>(context_, *target_.storage, file().name, target_.files_max, size, own);
}

std::optional<Message> FileUpload::checksum_problem(const std::vector<Checksum>& digests) const {
  const auto& declared = file().declared_checksum;
  if (!declared) return std::nullopt;
  const auto actual = std::find_if(digests.begin(), digests.end(),
                                   [&](const auto& digest) { return digest.algorithm == declared->algorithm; });
  if (actual == digests.end() || actual->hex == declared->hex) return std::nullopt;
  return checksum_differs(file().name, *declared, *actual);
}

/// The entry with what has arrived. Another transfer may have filled it since this one began (both found it waiting,
/// in two servers even): what that one brought goes.
SessionFile FileUpload::ready_file(CatalogWriter& writer, const UploadPlace& at, std::int64_t size,
                                   const std::vector<Checksum>& digests, Aftermath& aftermath) const {
  SessionFile ready = at.file;
  if (ready.status == TransferStatus::READY) release_file(writer, context_, at.session.id, ready, aftermath);
  ready.status = TransferStatus::READY;
  ready.size = size;
  ready.bytes_transferred = size;
  ready.digests = digests;
  ready.error_message.reset();
  return ready;
}

void FileUpload::keep_or_remove(const content::Blob& blob, const Error& failure) {
  if (blob.in_catalog) return;
  const auto recorded = context_.catalog.read([&](CatalogReader& reader) -> Result<bool> {
    const auto entry = reader.find<SessionFile>({target_.session, file().name});
    return entry && entry->unfinished && entry->unfinished->blob == blob.id;
  });
  if (recorded && !*recorded) {
    remove_bytes_after_failure(context_, failure, {blob});
    return;
  }
  // Without an answer the next start finds out.
  const auto reopened = recorded ? target_.storage->blobs->reopen(blob.id) : Result<void>(recorded.error());
  if (!reopened)
    spdlog::warn("What has arrived of file {} is left to the next start: {}", file().name, reopened.error().cause());
}

Result<UploadState> FileUpload::make_ready(const ArrivedBlob& arrived, const std::vector<Checksum>& digests,
                                           const std::vector<std::byte>& metadata) {
  const auto& blob = arrived.blob;
  std::optional<Message> mismatch;
  auto done = change_own([&](CatalogWriter& writer, const UploadPlace& at, Aftermath& aftermath) -> Result<void> {
    mismatch.reset();
    record_activity(writer, at.session);
    SessionFile ready = ready_file(writer, at, blob.size, digests, aftermath);
    if (ready.unfinished && ready.unfinished->blob == blob.id) ready.unfinished.reset();
    forget_unfinished(ready, aftermath);
    ready.blob = adopt(writer, arrived, aftermath);
    if (!content::is_ovf(target_.item_type)) {
      writer.put(at.session.id, ready);
      return {};
    }
    const auto others = writer.list<SessionFile>(at.session.id);
    read_metadata(writer, at.session.id, ready, others, metadata);
    writer.put(at.session.id, ready);
    pull_references(writer, at.session.id, ready, others);
    // A digest that contradicts the manifest ends the session at once, whichever of the two came later.
    mismatch = manifest_mismatch(writer.list<SessionFile>(at.session.id));
    if (mismatch)
      fail_file(writer, {*writer.find<UpdateSession>(at.session.id), ready}, *mismatch, context_.leases.now(),
                aftermath);
    return {};
  });
  if (!done) {
    keep_or_remove(blob, done.error());
    return done.error();
  }
  if (mismatch) return Error(ErrorKind::invalid_argument, *mismatch);
  return UploadState{blob.size, true, blob.size, {{0, blob.size}}};
}

Result<UploadState> FileUpload::make_ready(ArchiveIntake& archive) {
  // The members' digests and the archive's own are taken; nothing is read again.
  if (auto whole = archive.finish(context_.clock.now()); !whole) {
    if (whole.error().kind() != ErrorKind::invalid_argument) return whole.error();
    return fail(whole.error().messages().front());
  }
  if (const auto problem = checksum_problem(archive.digests())) return fail(*problem);
  auto done = change_own([&](CatalogWriter& writer, const UploadPlace& at, Aftermath& aftermath) -> Result<void> {
    record_activity(writer, at.session);
    SessionFile unpacked = ready_file(writer, at, archive.size(), archive.digests(), aftermath);
    forget_unfinished(unpacked, aftermath);
    writer.put(at.session.id, unpacked);
    for (const auto& member : archive.members()) {
      SessionFile out = member.file;
      if (const auto present = writer.find<SessionFile>({at.session.id, out.name});
          present && (present->source_type != SourceType::NONE || !present->archive.empty()))
        return Error(ErrorKind::invalid_argument, "quire.ova.file_added_twice",
                     "The archive {archive} holds a file {name}, which the session has got otherwise as well.",
                     {{"archive", at.file.name}, {"name", out.name}});
      out.archive = at.file.name;
      out.blob = adopt(writer, {member.blob}, aftermath);
      writer.put(at.session.id, out);
    }
    return {};
  });
  if (!done && done.error().kind() == ErrorKind::invalid_argument) return fail(done.error().messages().front());
  std::vector<content::Blob> received;
  for (const auto& member : archive.members()) received.push_back(member.blob);
  archive.keep_members();
  if (!done) {
    remove_bytes_after_failure(context_, done.error(), received);
    return done.error();
  }
  return UploadState{archive.size(), true, archive.size(), {{0, archive.size()}}};
}

/// A descriptor that was pulled brings what it references, from the same place (§15.3).
void FileUpload::pull_references(CatalogWriter& writer, const UpdateSessionId& session, const SessionFile& descriptor,
                                 const std::vector<SessionFile>& others) {
  const auto* facts = std::get_if<content::DescriptorFacts>(&descriptor.facts);
  if (descriptor.source_type != SourceType::PULL || facts == nullptr) return;
  for (const auto& expected : facts->expected_files) {
    const auto added = [&](const SessionFile& file) {
      return file.name == expected.name && file.source_type != SourceType::NONE;
    };
    if (std::any_of(others.begin(), others.end(), added)) continue;
    SessionFile file;
    file.name = expected.name;
    file.source_type = SourceType::PULL;
    file.source_endpoint = descriptor.source_endpoint;
    file.source_endpoint->uri = base::sibling_uri(descriptor.source_endpoint->uri, expected.name);
    file.status = TransferStatus::WAITING_FOR_TRANSFER;
    file.upload_token = TransferToken(context_.identities.secret());
    writer.put(session, file);
  }
}

/// Sets the facts of a metadata file, and those of the certificate once certificate and manifest are both there.
void FileUpload::read_metadata(CatalogWriter& writer, const UpdateSessionId& session, SessionFile& file,
                               const std::vector<SessionFile>& others, const std::vector<std::byte>& metadata) {
  switch (target_.kind()) {
    case content::PackageFile::descriptor:
      file.facts = descriptor_facts(metadata);
      return;
    case content::PackageFile::manifest: {
      file.facts = manifest_facts(metadata);
      for (auto other : others) {
        if (content::package_file(target_.item_type, other.name) != content::PackageFile::certificate ||
            other.blob.empty())
          continue;
        other.facts = signature_facts(stored_bytes(context_, writer, other.blob), file.name, metadata,
                                      context_.settings.trusted_certificates, context_.clock.now());
        writer.put(session, other);
      }
      return;
    }
    case content::PackageFile::certificate:
      for (const auto& other : others) {
        if (content::package_file(target_.item_type, other.name) != content::PackageFile::manifest ||
            other.blob.empty())
          continue;
        file.facts = signature_facts(metadata, other.name, stored_bytes(context_, writer, other.blob),
                                     context_.settings.trusted_certificates, context_.clock.now());
      }
      return;
    case content::PackageFile::archive:
    case content::PackageFile::other:
      return;
  }
}

}  // namespace quire::service
