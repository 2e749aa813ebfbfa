#include "service/uploads.h"

#include <algorithm>

#include "base/log.h"
#include "base/uri.h"
#include "service/archive_intake.h"
#include "service/session_access.h"

namespace quire::service {
namespace {

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
Message size_differs(const std::string& name, std::int64_t declared, std::int64_t actual) {
  return base::make_message("quire.upload.size_differs",
                            "File {name} was declared with {declared} bytes, but {actual} came.",
                            {{"name", name}, {"declared", declared}, {"actual", actual}});
}
Message checksum_differs(const std::string& name, const Checksum& declared, const Checksum& actual) {
  return base::make_message("quire.upload.checksum_differs",
                            "File {name} was declared with the {algorithm} checksum {declared}, but it has {actual}.",
                            {{"name", name},
                             {"algorithm", std::string(base::name_of(declared.algorithm))},
                             {"declared", declared.hex},
                             {"actual", actual.hex}});
}

/// What an upload needs to know of its file, read once at the start.
struct UploadTarget {
  UpdateSessionId session;
  SessionFile file;
  std::string item_type;
  const content::Storage* storage = nullptr;
  std::vector<base::DigestAlgorithm> manifest_digests;
  std::size_t files_max = 0;  ///< further files that the session may hold
};

struct Located {
  UpdateSession session;
  SessionFile file;
};

/// The entry behind a token while its session takes uploads. `gone` is set when there was one that no longer does.
Result<Located> locate(CatalogReader& reader, const TransferToken& token, base::Time now, bool& gone) {
  gone = false;
  auto entry = reader.session_file_of(token);
  if (!entry) return unknown_endpoint();
  auto session = reader.update_session(entry->first);
  if (!session) return unknown_endpoint();
  if (session->state != UpdateSessionState::ACTIVE || has_expired(*session, now)) {
    gone = true;
    return session_ended();
  }
  // A pull goes on after `complete` was accepted; a push then has come too late.
  const bool completing_pull = session->completing && entry->second.source_type == SourceType::PULL;
  if (auto allowed = content::check_allowed(*session, content::SessionOperation::upload); !allowed && !completing_pull)
    return allowed.error();
  return Located{*std::move(session), std::move(entry->second)};
}

/// Inside a transaction: takes back what an earlier transfer of the file left, members of an archive included.
void release_file(CatalogWriter& writer, Context& context, const UpdateSessionId& session, SessionFile& file,
                  Aftermath& aftermath) {
  std::vector<content::BlobId> blobs;
  if (!file.blob.empty()) blobs.push_back(file.blob);
  take_out_members(writer, context, session, file.name, blobs);
  file.blob = content::BlobId();
  file.size.reset();
  file.digests.clear();
  file.facts = {};
  file.bytes_transferred = 0;
  writer.put_session_file(session, file);
  let_go(writer, blobs, aftermath);
}

void fail_file(CatalogWriter& writer, const Located& at, const Message& reason, base::Time now, Aftermath& aftermath) {
  SessionFile file = at.file;
  file.status = TransferStatus::ERROR;
  file.error_message = reason;
  writer.put_session_file(at.session.id, file);
  end_session(writer, at.session, UpdateSessionState::ERROR, content::about_file(file.name, reason), now, aftermath);
}

class SessionUpload final : public Upload {
 public:
  SessionUpload(Context& context, UploadTarget target, std::shared_ptr<TransferProgress> progress)
      : context_(context),
        target_(std::move(target)),
        progress_(std::move(progress)),
        last_touch_(context.clock.uptime()) {}

  ~SessionUpload() override { context_.transfers.finish(target_.file.upload_token, progress_); }

  Result<void> start(std::optional<std::int64_t> content_length) {
    auto algorithms = target_.manifest_digests;
    if (target_.file.declared_checksum) algorithms.push_back(target_.file.declared_checksum->algorithm);
    const auto expected = target_.file.declared_size ? target_.file.declared_size : content_length;
    if (kind() == content::PackageFile::archive) {
      std::vector<base::DigestAlgorithm> own;
      if (target_.file.declared_checksum) own.push_back(target_.file.declared_checksum->algorithm);
      archive_ = std::make_unique<ArchiveIntake>(context_, *target_.storage, target_.files_max, expected, own);
      return {};
    }
    auto begun = BlobIntake::begin(context_, *target_.storage, expected, std::move(algorithms));
    if (!begun) return give_up(begun.error());
    plain_ = *std::move(begun);
    return {};
  }

  Result<void> append(std::span<const std::byte> bytes) override {
    if (progress_->stopped) return why_stopped();
    received_ += static_cast<std::int64_t>(bytes.size());
    const auto& declared = target_.file.declared_size;
    if (declared && received_ > *declared) return fail(size_differs(target_.file.name, *declared, received_));
    if (is_metadata()) {
      if (received_ > context_.limits.metadata_file_bytes_max) return fail(metadata_too_large());
      metadata_.insert(metadata_.end(), bytes.begin(), bytes.end());
    }
    if (auto taken = archive_ ? archive_->append(bytes) : plain_->append(bytes); !taken) return give_up(taken.error());
    progress_->bytes = received_;
    return touch_when_due();
  }

  Result<void> finish(BodyEnd end) override {
    if (progress_->stopped) return why_stopped();
    if (end == BodyEnd::broken) return leave_unfinished();
    const auto& declared = target_.file.declared_size;
    if (declared && received_ != *declared) return fail(size_differs(target_.file.name, *declared, received_));
    return archive_ ? finish_archive() : finish_plain();
  }

 private:
  content::PackageFile kind() const { return content::package_file(target_.item_type, target_.file.name); }
  bool is_metadata() const {
    const auto file_kind = kind();
    return file_kind == content::PackageFile::descriptor || file_kind == content::PackageFile::manifest ||
           file_kind == content::PackageFile::certificate;
  }
  Message metadata_too_large() const {
    return base::make_message("quire.package.metadata_too_large",
                              "File {name} of the package has more than the {limit} bytes that are allowed.",
                              {{"name", target_.file.name}, {"limit", context_.limits.metadata_file_bytes_max}});
  }

  /// Runs `change` on the entry if this upload is still the one that fills it. The Error says why it is not.
  template <class F>
  Result<void> change_own(F change) {
    Aftermath aftermath;
    auto changed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
      aftermath.clear();
      bool gone = false;
      auto at = locate(writer, target_.file.upload_token, context_.leases.now(), gone);
      if (!at) return gone || at.error().kind() == ErrorKind::not_found ? session_ended() : at.error();
      if (at->file.attempt != target_.file.attempt || progress_->stopped) return superseded(target_.file.name);
      return change(writer, *at, aftermath);
    });
    // This transfer answers for itself; only the others are to be stopped.
    std::erase(aftermath.transfers, target_.file.upload_token);
    if (changed) settle(context_, aftermath);
    // The transaction may have seen the state before the stop; one that begins now sees what stopped it.
    if (!changed && changed.error().kind() == ErrorKind::concurrent_change && progress_->stopped) return why_stopped();
    return changed;
  }

  Result<void> why_stopped() {
    return context_.catalog.read([&](CatalogReader& reader) -> Result<void> {
      bool gone = false;
      const auto at = locate(reader, target_.file.upload_token, context_.leases.now(), gone);
      if (at) return superseded(target_.file.name);
      return gone || at.error().kind() == ErrorKind::not_found ? session_ended() : at.error();
    });
  }

  /// A promise was broken: the file and the session end in ERROR (§28.1).
  Result<void> fail(const Message& reason) {
    plain_.reset();
    archive_.reset();
    auto failed = change_own([&](CatalogWriter& writer, const Located& at, Aftermath& aftermath) -> Result<void> {
      fail_file(writer, at, reason, context_.leases.now(), aftermath);
      return {};
    });
    if (!failed) return failed;
    return Error(ErrorKind::invalid_argument, reason);
  }

  /// The bytes could not be taken: the client's fault ends the session, the storage's lets the file wait again.
  Result<void> give_up(const Error& error) {
    if (error.kind() == ErrorKind::invalid_argument) return fail(error.messages().front());
    plain_.reset();
    archive_.reset();
    const auto waiting =
        change_own([&](CatalogWriter& writer, const Located& at, Aftermath& aftermath) -> Result<void> {
          SessionFile file = at.file;
          file.status = TransferStatus::WAITING_FOR_TRANSFER;
          release_file(writer, context_, at.session.id, file, aftermath);
          return {};
        });
    if (!waiting)
      spdlog::warn("File {} could not be set back after a storage failure: {}", target_.file.name,
                   waiting.error().text());
    return error;
  }

  Result<void> leave_unfinished() {
    return change_own([&](CatalogWriter& writer, const Located& at, Aftermath&) -> Result<void> {
      SessionFile file = at.file;
      file.status = TransferStatus::TRANSFERRING;
      file.bytes_transferred = received_;
      writer.put_session_file(at.session.id, file);
      return {};
    });
  }

  /// Received bytes are activity of the session and of the login that carries it (§1.7), written now and then.
  Result<void> touch_when_due() {
    const auto interval = expiration_slack(context_.settings.update_session_timeout) / 2;
    const auto uptime = context_.clock.uptime();
    if (uptime - last_touch_ < interval) return {};
    last_touch_ = uptime;
    auto touched = change_own([&](CatalogWriter& writer, const Located& at, Aftermath&) -> Result<void> {
      const auto now = context_.leases.now();
      UpdateSession session = at.session;
      session.expires_at = extended(session.expires_at, now, context_.settings.update_session_timeout);
      session.changed = now;
      writer.update_update_session(session);
      SessionFile file = at.file;
      file.status = TransferStatus::TRANSFERRING;
      file.bytes_transferred = received_;
      writer.put_session_file(session.id, file);
      writer.touch_login(session.login, now);
      return {};
    });
    // A full catalog disk must not end the upload; the next touch may find room.
    if (!touched && touched.error().kind() == ErrorKind::unable_to_allocate_resource) return {};
    return touched;
  }

  std::optional<Message> checksum_problem(const std::vector<Checksum>& digests) const {
    const auto& declared = target_.file.declared_checksum;
    if (!declared) return std::nullopt;
    const auto actual = std::find_if(digests.begin(), digests.end(),
                                     [&](const auto& digest) { return digest.algorithm == declared->algorithm; });
    if (actual == digests.end() || actual->hex == declared->hex) return std::nullopt;
    return checksum_differs(target_.file.name, *declared, *actual);
  }

  /// Inside the transaction: names the received bytes, or those that are there already.
  static content::BlobId adopt(CatalogWriter& writer, const content::Blob& received, Aftermath& aftermath) {
    if (const auto same = writer.blob_with(received.storage, received.sha256, received.size)) {
      aftermath.bytes.push_back(received);
      return same->id;
    }
    writer.insert_blob(received);
    return received.id;
  }

  /// The entry with what has arrived. Another transfer may have filled it since this one began (both found it waiting,
  /// in two servers even): what that one brought goes.
  SessionFile ready(CatalogWriter& writer, const Located& at, std::int64_t size, const std::vector<Checksum>& digests,
                    Aftermath& aftermath) const {
    SessionFile file = at.file;
    if (file.status == TransferStatus::READY) release_file(writer, context_, at.session.id, file, aftermath);
    file.status = TransferStatus::READY;
    file.size = size;
    file.bytes_transferred = size;
    file.digests = digests;
    file.error_message.reset();
    return file;
  }

  /// Before the session's files are written: whatever ends the session takes the rows in the same order.
  void record_activity(CatalogWriter& writer, const UpdateSession& before) const {
    const auto now = context_.leases.now();
    UpdateSession session = before;
    session.changed = now;
    session.expires_at = extended(session.expires_at, now, context_.settings.update_session_timeout);
    writer.update_update_session(session);
    writer.touch_login(session.login, now);
  }

  Result<void> finish_plain() {
    const auto digests = plain_->digests();
    if (const auto problem = checksum_problem(digests)) return fail(*problem);
    const auto blob = plain_->commit();
    if (!blob) return give_up(blob.error());
    const auto size = plain_->size();
    plain_.reset();

    std::optional<Message> mismatch;
    auto done = change_own([&](CatalogWriter& writer, const Located& at, Aftermath& aftermath) -> Result<void> {
      mismatch.reset();
      record_activity(writer, at.session);
      SessionFile file = ready(writer, at, size, digests, aftermath);
      file.blob = adopt(writer, *blob, aftermath);
      const auto others = writer.session_files(at.session.id);
      read_metadata(writer, at.session.id, file, others);
      writer.put_session_file(at.session.id, file);
      pull_references(writer, at.session.id, file, others);
      // A digest that contradicts the manifest ends the session at once, whichever of the two came later.
      mismatch = manifest_mismatch(writer.session_files(at.session.id));
      if (mismatch)
        fail_file(writer, {*writer.update_session(at.session.id), file}, *mismatch, context_.leases.now(), aftermath);
      return {};
    });
    if (!done) {
      remove_bytes_after_failure(context_, done.error(), {*blob});
      return done;
    }
    if (mismatch) return Error(ErrorKind::invalid_argument, *mismatch);
    return {};
  }

  Result<void> finish_archive() {
    // The members' digests and the archive's own are taken; nothing is read again.
    if (auto whole = archive_->finish(context_.clock.now()); !whole) return give_up(whole.error());
    if (const auto problem = checksum_problem(archive_->digests())) return fail(*problem);
    auto done = change_own([&](CatalogWriter& writer, const Located& at, Aftermath& aftermath) -> Result<void> {
      record_activity(writer, at.session);
      writer.put_session_file(at.session.id, ready(writer, at, archive_->size(), archive_->digests(), aftermath));
      for (const auto& member : archive_->members()) {
        SessionFile file = member.file;
        if (const auto present = writer.session_file(at.session.id, file.name);
            present && (present->source_type != SourceType::NONE || !present->archive.empty()))
          return Error(ErrorKind::invalid_argument, "quire.ova.file_added_twice",
                       "The archive {archive} holds a file {name}, which the session has got otherwise as well.",
                       {{"archive", at.file.name}, {"name", file.name}});
        file.archive = at.file.name;
        file.blob = adopt(writer, member.blob, aftermath);
        writer.put_session_file(at.session.id, file);
      }
      return {};
    });
    if (!done && done.error().kind() == ErrorKind::invalid_argument) return fail(done.error().messages().front());
    std::vector<content::Blob> received;
    for (const auto& member : archive_->members()) received.push_back(member.blob);
    archive_->keep_members();
    if (!done) remove_bytes_after_failure(context_, done.error(), received);
    return done;
  }

  static std::optional<Message> manifest_mismatch(const std::vector<SessionFile>& files) {
    for (const auto& problem : content::judge_package("ovf", files).invalid)
      if (problem.message.id == "quire.package.manifest_mismatch") return problem.message;
    return std::nullopt;
  }

  /// A descriptor that was pulled brings what it references, from the same place (§15.3).
  void pull_references(CatalogWriter& writer, const UpdateSessionId& session, const SessionFile& descriptor,
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
      writer.put_session_file(session, file);
    }
  }

  /// Sets the facts of a metadata file, and those of the certificate once certificate and manifest are both there.
  void read_metadata(CatalogWriter& writer, const UpdateSessionId& session, SessionFile& file,
                     const std::vector<SessionFile>& others) {
    switch (kind()) {
      case content::PackageFile::descriptor:
        file.facts = descriptor_facts(metadata_);
        return;
      case content::PackageFile::manifest: {
        file.facts = manifest_facts(metadata_);
        for (auto other : others) {
          if (content::package_file(target_.item_type, other.name) != content::PackageFile::certificate ||
              other.blob.empty())
            continue;
          other.facts = signature_facts(stored_bytes(context_, writer, other.blob), file.name, metadata_,
                                        context_.settings.trusted_certificates, context_.clock.now());
          writer.put_session_file(session, other);
        }
        return;
      }
      case content::PackageFile::certificate:
        for (const auto& other : others) {
          if (content::package_file(target_.item_type, other.name) != content::PackageFile::manifest ||
              other.blob.empty())
            continue;
          file.facts = signature_facts(metadata_, other.name, stored_bytes(context_, writer, other.blob),
                                       context_.settings.trusted_certificates, context_.clock.now());
        }
        return;
      case content::PackageFile::archive:
      case content::PackageFile::other:
        return;
    }
  }

  Context& context_;
  UploadTarget target_;
  std::shared_ptr<TransferProgress> progress_;
  std::unique_ptr<BlobIntake> plain_;  ///< exactly one of these two while bytes are taken
  std::unique_ptr<ArchiveIntake> archive_;
  std::vector<std::byte> metadata_;
  std::int64_t received_ = 0;
  base::Duration last_touch_;
};

}  // namespace

Uploads::Begun Uploads::begin(const TransferToken& token, std::optional<std::int64_t> content_length,
                              std::function<void()> on_stop) {
  const auto now = context_.leases.now();
  bool gone = false;
  Aftermath aftermath;
  std::optional<Message> broken_promise;

  const auto look = [&](CatalogReader& reader) -> Result<UploadTarget> {
    auto at = locate(reader, token, now, gone);
    if (!at) return at.error();
    const auto item = reader.item(at->session.item_id);
    const auto library = item ? reader.library(item->library_id) : std::nullopt;
    const auto* storage = library ? context_.storages.find(library->storage) : nullptr;
    if (storage == nullptr)
      return base::internal_error("update session " + at->session.id.text() + " is on no configured storage");
    const auto files = reader.session_files(at->session.id);
    const auto count = std::min(files.size(), context_.limits.files_per_item_max);
    return UploadTarget{at->session.id,
                        at->file,
                        item->type,
                        storage,
                        manifest_algorithms(item->type, files),
                        context_.limits.files_per_item_max - count};
  };
  auto target = context_.catalog.read(look);
  if (!target) return {nullptr, UploadRefusal{target.error(), gone}};

  const auto contradicts = [&](const SessionFile& file) {
    return content_length && file.declared_size && *content_length != *file.declared_size;
  };
  // A file that waits is taken as it is; anything else is started over, so that it is not READY until it is whole
  // again.
  if (target->file.status != TransferStatus::WAITING_FOR_TRANSFER || contradicts(target->file)) {
    target = context_.catalog.write([&](CatalogWriter& writer) -> Result<UploadTarget> {
      aftermath.clear();
      broken_promise.reset();
      auto at = locate(writer, token, now, gone);
      if (!at) return at.error();
      ++at->file.attempt;
      at->file.status = TransferStatus::TRANSFERRING;
      at->file.error_message.reset();
      release_file(writer, context_, at->session.id, at->file, aftermath);
      if (contradicts(at->file)) {
        broken_promise = size_differs(at->file.name, *at->file.declared_size, *content_length);
        fail_file(writer, *at, *broken_promise, now, aftermath);
        return *target;
      }
      return look(writer);
    });
    if (!target) return {nullptr, UploadRefusal{target.error(), gone}};
    settle(context_, aftermath);
    if (broken_promise) return {nullptr, UploadRefusal{Error(ErrorKind::invalid_argument, *broken_promise), false}};
  }

  auto progress = std::make_shared<TransferProgress>();
  progress->on_stop = std::move(on_stop);
  context_.transfers.start(token, progress);
  auto upload = std::make_unique<SessionUpload>(context_, *std::move(target), std::move(progress));
  if (const auto started = upload->start(content_length); !started)
    return {nullptr, UploadRefusal{started.error(), false}};
  return {std::move(upload), std::nullopt};
}

Result<void> Uploads::fail(const TransferToken& token, const Message& reason) {
  Aftermath aftermath;
  const auto failed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    bool gone = false;
    const auto now = context_.leases.now();
    const auto at = locate(writer, token, now, gone);
    if (!at) return at.error();
    fail_file(writer, *at, reason, now, aftermath);
    return {};
  });
  if (failed) settle(context_, aftermath);
  return failed;
}

Result<void> Uploads::touch(const TransferToken& token) {
  return context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    bool gone = false;
    const auto now = context_.leases.now();
    auto at = locate(writer, token, now, gone);
    if (!at) return at.error();
    at->session.expires_at = extended(at->session.expires_at, now, context_.settings.update_session_timeout);
    writer.update_update_session(at->session);
    writer.touch_login(at->session.login, now);
    return {};
  });
}

Result<bool> Uploads::is_upload_endpoint(const TransferToken& token) {
  return context_.catalog.read(
      [&](CatalogReader& reader) -> Result<bool> { return reader.session_file_of(token).has_value(); });
}

}  // namespace quire::service
