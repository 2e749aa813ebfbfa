#include "service/upload/uploads.h"

#include <algorithm>

#include "base/log.h"
#include "service/update_session/package_intake.h"
#include "service/upload/file_upload.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;
using content::CatalogReader;
using content::SessionFile;
using content::TransferStatus;
using content::TransferToken;
using Place = UploadRequest::Place;

/// Compares a part of a file that is complete already: an answer that was lost is asked for again.
class RepeatedPart final : public Upload {
 public:
  RepeatedPart(std::unique_ptr<content::BlobReader> reader, UploadState state, std::int64_t offset, std::string name)
      : reader_(std::move(reader)), state_(std::move(state)), position_(offset), name_(std::move(name)) {}

  using Upload::append;
  Result<void> append(std::span<const std::byte> bytes, std::shared_ptr<const void>) override {
    while (!bytes.empty()) {
      std::vector<std::byte> stored(std::min<std::size_t>(bytes.size(), 64 * 1024));
      QUIRE_ASSIGN_OR_RETURN(const auto got, reader_->read(position_, stored));
      if (got != stored.size() || !std::ranges::equal(stored, bytes.first(stored.size())))
        return Error(ErrorKind::concurrent_change, "quire.upload.differs_from_complete",
                     "File {name} is complete and has other bytes than these. Send it again as a whole.",
                     {{"name", name_}});
      position_ += static_cast<std::int64_t>(stored.size());
      bytes = bytes.subspan(stored.size());
    }
    return {};
  }
  Result<UploadState> finish(BodyEnd) override { return state_; }

 private:
  std::unique_ptr<content::BlobReader> reader_;
  UploadState state_;
  std::int64_t position_;
  std::string name_;
};

Error wrong_offset(const SessionFile& file, std::int64_t offset, std::int64_t expected) {
  return {ErrorKind::concurrent_change,
          "quire.upload.wrong_offset",
          "The upload of {name} goes on at byte {expected}, not at {offset}.",
          {{"name", file.name}, {"expected", expected}, {"offset", offset}}};
}

Error is_complete(const SessionFile& file) {
  return {ErrorKind::concurrent_change,
          "quire.upload.is_complete",
          "File {name} is complete; to replace it, send it again as a whole.",
          {{"name", file.name}}};
}

Error wrong_length(const SessionFile& file, std::int64_t length, std::int64_t known) {
  return {ErrorKind::invalid_argument,
          "quire.upload.wrong_length",
          "The request says that {name} has {length} bytes; {known} were announced before.",
          {{"name", file.name}, {"length", length}, {"known", known}}};
}

Result<content::Blob> blob_of(CatalogReader& reader, const SessionFile& file) {
  if (auto blob = reader.find<content::Blob>(file.blob)) return *std::move(blob);
  return base::internal_error("file " + file.name + " names no blob that is there");
}

/// Why a request that does not start over cannot be taken, by what is known before its body comes.
std::optional<Error> misfit(const SessionFile& file, const UploadRequest& request, const ArrivingContent* content) {
  const auto state = upload_state(file);
  if (request.place == Place::append) {
    if (state.complete) return is_complete(file);
    // Whoever asked for the offset may use it, although an upload that ran then has got further.
    const bool advertised =
        content != nullptr && content->is_advertised(request.offset) && request.offset < state.offset;
    if (request.offset != state.offset && !advertised) return wrong_offset(file, request.offset, state.offset);
  }
  const auto known = request.place == Place::start_over ? file.declared_size : state.length;
  auto length = request.file_length;
  if (request.place == Place::append && request.ends_file && request.body_length)
    length = request.offset + *request.body_length;
  if (length && known && *length != *known) return wrong_length(file, *length, *known);
  const auto part = request.part_length ? request.part_length : request.body_length;
  if (part && known && request.offset + *part > *known) return wrong_length(file, request.offset + *part, *known);
  return std::nullopt;
}

/// A whole file of another length than was declared.
std::optional<Message> contradiction(const SessionFile& file, const UploadRequest& request) {
  if (request.place != Place::start_over || !request.ends_file || !request.body_length || !file.declared_size ||
      *request.body_length == *file.declared_size)
    return std::nullopt;
  return size_differs(file.name, *file.declared_size, *request.body_length);
}

Result<UploadTarget> target_at(Context& context, CatalogReader& reader, UploadPlace at) {
  const auto item = reader.find<content::Item>(at.session.item_id);
  const auto library = item ? reader.find<content::Library>(item->library_id) : std::nullopt;
  // What has begun to arrive goes on where it lies.
  const auto* storage =
      library ? context.storages.find(at.file.unfinished ? at.file.unfinished->storage : library->receiving_storage())
              : nullptr;
  if (storage == nullptr)
    return base::internal_error("update session " + at.session.id.text() + " is on no configured storage");
  const auto files = reader.list<SessionFile>(at.session.id);
  const auto count = std::min(files.size(), context.limits.files_per_item_max);
  return UploadTarget{at.session.id,
                      std::move(at.file),
                      {at.session.creator, at.session.login},
                      item->type,
                      storage,
                      manifest_algorithms(item->type, files),
                      context.limits.files_per_item_max - count};
}

Result<UploadTarget> find_target(Context& context, const TransferToken& token) {
  return context.catalog.read([&](CatalogReader& reader) -> Result<UploadTarget> {
    QUIRE_ASSIGN_OR_RETURN(auto at, locate_upload(reader, token, context.leases.now()));
    return target_at(context, reader, std::move(at));
  });
}

/// The file begins anew: what it had goes, and it is not READY until it is whole again. nullopt: `request` contradicts
/// what was declared, so the file and its session have ended in ERROR.
Result<std::optional<UploadTarget>> start_over(Context& context, const UploadTarget& target,
                                               const UploadRequest& request) {
  return write(context, target.caller, [&](Transaction& t) -> Result<std::optional<UploadTarget>> {
    QUIRE_ASSIGN_OR_RETURN(auto at, locate_upload(t.catalog(), target.file.upload_token, t.now()));
    ++at.file.attempt;
    at.file.status = TransferStatus::TRANSFERRING;
    at.file.error_message.reset();
    release_file(t, at.session.id, at.file);
    if (const auto reason = contradiction(at.file, request)) {
      fail_file(t, at, *reason);
      return std::optional<UploadTarget>();
    }
    QUIRE_ASSIGN_OR_RETURN(auto begun, target_at(context, t.catalog(), std::move(at)));
    return std::optional(std::move(begun));
  });
}

/// A file that the catalog will hold goes past the storage, which would have refused it.
Result<void> check_room(const Context& context, const UploadTarget& target, const UploadRequest& request) {
  QUIRE_RETURN_IF_ERROR(check_room_to_grow(context));
  if (!request.body_length || *request.body_length > context.limits.catalog_blob_bytes_max) return {};
  QUIRE_ASSIGN_OR_RETURN(const auto space, target.storage->blobs->space());
  if (space.capacity_bytes == 0 || space.free_bytes >= *request.body_length) return {};
  return content::storage_full(target.storage->name);
}

UploadRefusal refusal_of(Error error) {
  const bool gone = has_ended(error);
  return {std::move(error), gone};
}

/// Whoever sends a part of a file that is complete has not got the answer.
Uploads::Begun begin_repeated(Context& context, const UploadTarget& target, const UploadRequest& request) {
  const auto& file = target.file;
  if (file.blob.empty())  // an archive that has been unpacked
    return {nullptr, UploadRefusal{is_complete(file), false, upload_state(file)}};
  const auto look = [&](CatalogReader& in) -> Result<content::Blob> {
    QUIRE_ASSIGN_OR_RETURN(const auto at, locate_upload(in, file.upload_token, context.leases.now()));
    return blob_of(in, at.file);
  };
  auto reader = open_found([&] { return context.catalog.read(look); },
                           [&](const content::Blob& blob) { return open_blob(context, blob); });
  if (!reader) return {nullptr, refusal_of(reader.error())};
  return {std::make_shared<RepeatedPart>(*std::move(reader), upload_state(file), request.offset, file.name),
          std::nullopt};
}

/// Puts the transfer on the registry. What it fills; nullptr for an archive that is unpacked while it comes.
std::shared_ptr<ArrivingContent> register_transfer(Context& context, const UploadTarget& target,
                                                   const UploadRequest& request,
                                                   const std::shared_ptr<TransferProgress>& progress) {
  const auto& token = target.file.upload_token;
  const bool is_archive = target.kind() == content::PackageFile::archive;
  const auto make = [&] {
    // An archive that comes in parts is hashed when it is unpacked.
    const auto& recorded = target.file.unfinished;
    return std::make_shared<ArrivingContent>(
        recorded ? recorded->blob : content::BlobId(context.identities.uuid()), *target.storage,
        is_archive ? std::vector<base::DigestAlgorithm>() : target.algorithms(), target.file.attempt, recorded);
  };
  if (request.place == Place::start_over) {
    auto content = is_archive && request.ends_file ? nullptr : make();
    context.transfers.start(token, progress, content);
    return content;
  }
  const auto fits = [&](const ArrivingContent& content) {
    return content.attempt() == target.file.attempt &&
           (!target.file.unfinished || target.file.unfinished->blob == content.blob());
  };
  return context.transfers.join(token, progress, fits, make);
}

}  // namespace

Uploads::Begun Uploads::begin(const TransferToken& token, const UploadRequest& request, std::function<void()> on_stop) {
  auto target = find_target(context_, token);
  if (!target) return {nullptr, refusal_of(target.error())};
  if (const auto room = check_room(context_, *target, request); !room) return {nullptr, refusal_of(room.error())};
  const bool starts_over = request.place == Place::start_over;
  if (!starts_over || !request.ends_file) {
    const auto content = context_.transfers.content(token);
    if (const auto problem = misfit(target->file, request, content.get()); problem)
      return {nullptr, UploadRefusal{*problem, false, upload_state(target->file)}};
  }
  // A file that waits is taken as it is; anything else is started over.
  const auto contradicts = contradiction(target->file, request);
  if (starts_over && (target->file.status != TransferStatus::WAITING_FOR_TRANSFER || contradicts)) {
    auto begun = start_over(context_, *target, request);
    if (!begun) return {nullptr, refusal_of(begun.error())};
    if (!*begun) return {nullptr, refusal_of(Error(ErrorKind::invalid_argument, *contradicts))};
    target = **std::move(begun);
  }
  if (target->file.status == TransferStatus::READY) return begin_repeated(context_, *target, request);

  auto progress = std::make_shared<TransferProgress>();
  progress->on_stop = std::move(on_stop);
  auto upload = std::make_shared<FileUpload>(context_, *target, request, progress);
  progress->on_checkpoint = [weak = std::weak_ptr(upload)] {
    if (const auto running = weak.lock()) running->checkpoint();
  };
  const auto content = register_transfer(context_, *target, request, progress);
  const auto started = upload->start(content);
  if (started) return {std::move(upload), std::nullopt};
  if (started.error().kind() != ErrorKind::not_found)
    return {nullptr, UploadRefusal{started.error(), false, upload_state(target->file)}};
  // Either the file has become whole since it was looked up, or the storage has lost what the catalog says it has.
  upload.reset();
  if (auto refusal = discard(token, content->blob())) return {nullptr, refusal};
  const auto asked = ask(token);
  if (asked.refusal) return {nullptr, asked.refusal};
  return {nullptr, UploadRefusal{wrong_offset(target->file, request.offset, asked.state->offset), false, asked.state}};
}

Uploads::Asked Uploads::ask(const TransferToken& token) {
  context_.transfers.checkpoint(token);
  const auto state = context_.catalog.read([&](CatalogReader& reader) -> Result<UploadState> {
    QUIRE_ASSIGN_OR_RETURN(const auto at, locate_upload(reader, token, context_.leases.now()));
    return upload_state(at.file);
  });
  if (!state) return {std::nullopt, refusal_of(state.error())};
  if (const auto content = context_.transfers.content(token)) content->advertise_offset(state->offset);
  return {*state, std::nullopt};
}

std::optional<UploadRefusal> Uploads::discard(const TransferToken& token) { return discard(token, std::nullopt); }

std::optional<UploadRefusal> Uploads::discard(const TransferToken& token, const std::optional<content::BlobId>& lost) {
  const auto discarded = write(context_, system_caller("uploads"), [&](Transaction& t) -> Result<bool> {
    QUIRE_ASSIGN_OR_RETURN(auto at, locate_upload(t.catalog(), token, t.now()));
    if (lost && !(at.file.unfinished && at.file.unfinished->blob == *lost)) return false;
    ++at.file.attempt;
    at.file.status = TransferStatus::WAITING_FOR_TRANSFER;
    release_file(t, at.session.id, at.file);
    t.stop_transfers_after_commit(token);
    return true;
  });
  if (!discarded) return refusal_of(discarded.error());
  if (lost && *discarded)
    spdlog::error("Blob {}, which had arrived in part, is not in its storage any more", lost->text());
  return std::nullopt;
}

Result<void> Uploads::fail(const TransferToken& token, const Message& reason) {
  return write(context_, system_caller("pulls"), [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto at, locate_upload(t.catalog(), token, t.now()));
    fail_file(t, at, reason);
    return {};
  });
}

Result<void> Uploads::touch(const TransferToken& token) {
  return write(context_, system_caller("pulls"), [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto at, locate_upload(t.catalog(), token, t.now()));
    record_activity(t, at.session, Activity::transfers);
    return {};
  });
}

Result<bool> Uploads::is_upload_endpoint(const TransferToken& token) {
  return context_.catalog.read(
      [&](CatalogReader& reader) -> Result<bool> { return reader.session_file_of(token).has_value(); });
}

}  // namespace quire::service
