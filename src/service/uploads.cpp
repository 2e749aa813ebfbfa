#include "service/uploads.h"

#include <algorithm>

#include "base/log.h"
#include "service/archive_upload.h"
#include "service/blob_bytes.h"
#include "service/content_upload.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;
using content::CatalogReader;
using content::CatalogWriter;
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
      const auto got = reader_->read(position_, stored);
      if (!got) return got.error();
      if (*got != stored.size() || !std::ranges::equal(stored, bytes.first(stored.size())))
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
    const bool told = content != nullptr && content->was_told(request.offset) && request.offset < state.offset;
    if (request.offset != state.offset && !told) return wrong_offset(file, request.offset, state.offset);
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

/// A file that the catalog will hold goes past the storage, which would have refused it.
Result<void> check_room(const Context& context, const UploadTarget& target, const UploadRequest& request) {
  QUIRE_RETURN_IF_ERROR(check_room_to_grow(context));
  if (!request.body_length || *request.body_length > context.limits.catalog_blob_bytes_max) return {};
  QUIRE_ASSIGN_OR_RETURN(const auto space, target.storage->blobs->space());
  if (space.capacity_bytes == 0 || space.free_bytes >= *request.body_length) return {};
  return Error(ErrorKind::unable_to_allocate_resource, "quire.storage.full",
               "Storage {storage} is full. Delete content that is not needed there or make it larger, then try again.",
               {{"storage", target.storage->name}});
}

}  // namespace

Uploads::Begun Uploads::begin(const TransferToken& token, const UploadRequest& request, std::function<void()> on_stop) {
  const auto now = context_.leases.now();
  bool gone = false;
  Aftermath aftermath;
  std::optional<Message> broken_promise;
  const bool starts_over = request.place == Place::start_over;

  const auto look = [&](CatalogReader& reader) -> Result<UploadTarget> {
    auto at = locate_upload(reader, token, now, gone);
    if (!at) return at.error();
    const auto item = reader.find<content::Item>(at->session.item_id);
    const auto library = item ? reader.find<content::Library>(item->library_id) : std::nullopt;
    const auto* storage = library ? context_.storages.find(library->storage) : nullptr;
    if (storage == nullptr)
      return base::internal_error("update session " + at->session.id.text() + " is on no configured storage");
    const auto files = reader.list<SessionFile>(at->session.id);
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
  if (const auto room = check_room(context_, *target, request); !room) return {nullptr, UploadRefusal{room.error()}};

  const auto contradicts = [&](const SessionFile& file) {
    return request.ends_file && request.body_length && file.declared_size &&
           *request.body_length != *file.declared_size;
  };
  if (!starts_over || !request.ends_file) {
    const auto content = context_.transfers.content(token);
    if (const auto problem = misfit(target->file, request, content.get()); problem)
      return {nullptr, UploadRefusal{*problem, false, upload_state(target->file)}};
  }
  // A file that waits is taken as it is; anything else is started over, so that it is not READY until it is whole
  // again.
  if (starts_over && (target->file.status != TransferStatus::WAITING_FOR_TRANSFER || contradicts(target->file))) {
    target = context_.catalog.write([&](CatalogWriter& writer) -> Result<UploadTarget> {
      aftermath.clear();
      broken_promise.reset();
      auto at = locate_upload(writer, token, now, gone);
      if (!at) return at.error();
      ++at->file.attempt;
      at->file.status = TransferStatus::TRANSFERRING;
      at->file.error_message.reset();
      release_file(writer, context_, at->session.id, at->file, aftermath);
      if (contradicts(at->file)) {
        broken_promise = size_differs(at->file.name, *at->file.declared_size, *request.body_length);
        fail_file(writer, *at, *broken_promise, now, aftermath);
        return *target;
      }
      return look(writer);
    });
    if (!target) return {nullptr, UploadRefusal{target.error(), gone}};
    settle(context_, aftermath);
    if (broken_promise) return {nullptr, UploadRefusal{Error(ErrorKind::invalid_argument, *broken_promise), false}};
  }

  const bool complete = target->file.status == TransferStatus::READY;
  if (complete && target->file.blob.empty())  // an archive that has been unpacked
    return {nullptr, UploadRefusal{is_complete(target->file), false, upload_state(target->file)}};
  if (complete) {
    const auto blob = context_.catalog.read([&](CatalogReader& in) { return blob_of(in, target->file); });
    if (!blob) return {nullptr, UploadRefusal{blob.error(), false}};
    auto reader = open_blob(context_, *blob);
    if (!reader) return {nullptr, UploadRefusal{reader.error(), false}};
    return {std::make_shared<RepeatedPart>(*std::move(reader), upload_state(target->file), request.offset,
                                           target->file.name),
            std::nullopt};
  }

  auto progress = std::make_shared<TransferProgress>();
  progress->on_stop = std::move(on_stop);
  if (target->kind() == content::PackageFile::archive && starts_over && request.ends_file) {
    context_.transfers.start(token, progress, nullptr);
    return {std::make_shared<ArchiveUpload>(context_, *std::move(target), request.body_length, std::move(progress)),
            std::nullopt};
  }
  const auto make = [&] {
    // An archive is hashed when it is unpacked.
    const bool archive = target->kind() == content::PackageFile::archive;
    return std::make_shared<ArrivingContent>(context_, *target->storage, target->file.attempt,
                                             archive ? std::vector<base::DigestAlgorithm>() : target->algorithms(),
                                             target->file.unfinished);
  };
  const auto fits = [&](const ArrivingContent& content) {
    return content.attempt() == target->file.attempt &&
           (!target->file.unfinished || target->file.unfinished->blob == content.blob());
  };
  auto upload = std::make_shared<ContentUpload>(context_, *target, request, progress);
  progress->on_checkpoint = [weak = std::weak_ptr(upload)] {
    if (const auto running = weak.lock()) running->checkpoint();
  };
  std::shared_ptr<ArrivingContent> content;
  if (starts_over) {
    content = make();
    context_.transfers.start(token, progress, content);
  } else {
    content = context_.transfers.join(token, progress, fits, make);
  }
  auto started = upload->start(content);
  if (started) return {std::move(upload), std::nullopt};
  if (started.error().kind() == ErrorKind::not_found) {
    // Either the file has become whole since it was looked up, or the storage has lost what the catalog says it has.
    upload.reset();
    if (auto refusal = discard(token, content->blob())) return {nullptr, refusal};
    const auto asked = ask(token);
    if (asked.refusal) return {nullptr, asked.refusal};
    return {nullptr,
            UploadRefusal{wrong_offset(target->file, request.offset, asked.state->offset), false, asked.state}};
  }
  return {nullptr, UploadRefusal{started.error(), false, upload_state(target->file)}};
}

Uploads::Asked Uploads::ask(const TransferToken& token) {
  context_.transfers.checkpoint(token);
  bool gone = false;
  const auto state = context_.catalog.read([&](CatalogReader& reader) -> Result<UploadState> {
    const auto at = locate_upload(reader, token, context_.leases.now(), gone);
    if (!at) return at.error();
    return upload_state(at->file);
  });
  if (!state) return {std::nullopt, UploadRefusal{state.error(), gone}};
  if (const auto content = context_.transfers.content(token)) content->tell(state->offset);
  return {*state, std::nullopt};
}

std::optional<UploadRefusal> Uploads::discard(const TransferToken& token) { return discard(token, std::nullopt); }

std::optional<UploadRefusal> Uploads::discard(const TransferToken& token, const std::optional<content::BlobId>& lost) {
  Aftermath aftermath;
  bool gone = false;
  bool lost_indeed = false;
  const auto discarded = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    auto at = locate_upload(writer, token, context_.leases.now(), gone);
    if (!at) return at.error();
    lost_indeed = lost && at->file.unfinished && at->file.unfinished->blob == *lost;
    if (lost && !lost_indeed) return {};
    ++at->file.attempt;
    at->file.status = TransferStatus::WAITING_FOR_TRANSFER;
    release_file(writer, context_, at->session.id, at->file, aftermath);
    aftermath.transfers.push_back(token);
    return {};
  });
  if (!discarded) return UploadRefusal{discarded.error(), gone};
  if (lost_indeed) spdlog::error("Blob {}, which had arrived in part, is not in its storage any more", lost->text());
  settle(context_, aftermath);
  return std::nullopt;
}

Result<void> Uploads::fail(const TransferToken& token, const Message& reason) {
  Aftermath aftermath;
  const auto failed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    bool gone = false;
    const auto now = context_.leases.now();
    const auto at = locate_upload(writer, token, now, gone);
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
    auto at = locate_upload(writer, token, now, gone);
    if (!at) return at.error();
    at->session.expires_at = extended(at->session.expires_at, now, context_.settings.update_session_timeout);
    writer.update(at->session);
    writer.touch_login(at->session.login, now);
    return {};
  });
}

Result<bool> Uploads::is_upload_endpoint(const TransferToken& token) {
  return context_.catalog.read(
      [&](CatalogReader& reader) -> Result<bool> { return reader.session_file_of(token).has_value(); });
}

}  // namespace quire::service
