#include "service/blob/blob_bytes.h"

#include <algorithm>
#include <optional>

#include "service/blob/blob_sink.h"

namespace quire::service {
namespace {

using base::Error;
using base::Result;
using content::Blob;

constexpr std::size_t read_bytes = 1 << 20;

/// A blob that the catalog held, in memory.
class BytesReader final : public content::BlobReader {
 public:
  explicit BytesReader(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
  Result<std::size_t> read(std::int64_t offset, std::span<std::byte> buffer) override {
    const auto left = std::span(bytes_).subspan(static_cast<std::size_t>(std::min(offset, size())));
    const auto count = std::min(left.size(), buffer.size());
    std::copy_n(left.begin(), count, buffer.begin());
    return count;
  }
  std::optional<int> file_descriptor() const override { return std::nullopt; }
  /// The catalog does not tell whether somebody has changed the bytes; so few are soon checked.
  bool sealed() const override { return false; }
  Result<void> seal() override { return {}; }

 private:
  const std::vector<std::byte> bytes_;
};

Error not_found(const Blob& blob) {
  return {base::ErrorKind::not_found, "quire.blob.not_found", "There is no blob {blob}.", {{"blob", blob.id.text()}}};
}

Result<std::unique_ptr<content::BlobReader>> open_in_storage(const Context& context, const Blob& blob) {
  QUIRE_ASSIGN_OR_RETURN(const auto* storage, context.storages.get(blob.storage));
  return storage->blobs->open(blob.id);
}

Result<std::optional<std::vector<std::byte>>> bytes_in_catalog(Context& context, const Blob& blob) {
  return context.catalog.read([&](content::CatalogReader& reader) -> Result<std::optional<std::vector<std::byte>>> {
    if (!reader.find<Blob>(blob.id)) return not_found(blob);
    return reader.blob_bytes(blob.id);
  });
}

/// True when a file of the storage is to stay: the catalog names it.
Result<bool> record_move(Context& context, const content::BlobId& blob) {
  return write(context, system_caller("storage"), [&](Transaction& t) -> Result<bool> {
    const bool named = t->find<Blob>(blob).has_value();
    if (named) t->move_blob_to_storage(blob);
    return named;
  });
}

Result<void> move_one(Context& context, const Blob& blob) {
  const std::lock_guard one_at_a_time(*context.moving_blobs);
  auto bytes = bytes_in_catalog(context, blob);
  if (!bytes && bytes.error().kind() == base::ErrorKind::not_found) return {};
  if (!bytes) return bytes.error();
  if (!*bytes) return {};  // moved already
  QUIRE_ASSIGN_OR_RETURN(const auto* storage, context.storages.get(blob.storage));
  // What a move that failed has left there.
  QUIRE_RETURN_IF_ERROR(storage->blobs->remove(blob.id));
  BytesReader reader(**std::move(bytes));
  QUIRE_RETURN_IF_ERROR(copy_blob(reader, blob.id, *storage));
  auto named = record_move(context, blob.id);
  // A failure may hide a commit, after which the file must stay. When this fails too, the file is left to the next move
  // or start.
  if (!named) named = record_move(context, blob.id);
  if (!named) return named.error();
  return *named ? Result<void>() : storage->blobs->remove(blob.id);
}

}  // namespace

content::BlobId adopt(Transaction& t, const ArrivedBlob& arrived) {
  const auto& blob = arrived.blob;
  if (const auto same = t->blob_with(blob.storage, blob.sha256, blob.size)) {
    t.remove_bytes_after_commit(blob);
    return same->id;
  }
  t->insert_blob(blob, arrived.bytes);
  return blob.id;
}

Result<std::unique_ptr<content::BlobReader>> open_blob(Context& context, const Blob& blob) {
  if (!blob.in_catalog) return open_in_storage(context, blob);
  QUIRE_ASSIGN_OR_RETURN(auto bytes, bytes_in_catalog(context, blob));
  if (!bytes) return open_in_storage(context, blob);  // moved since its row was read
  return std::unique_ptr<content::BlobReader>(std::make_unique<BytesReader>(*std::move(bytes)));
}

Result<void> move_to_storage(Context& context, const std::vector<Blob>& blobs) {
  for (const auto& blob : blobs)
    if (blob.in_catalog) QUIRE_RETURN_IF_ERROR(move_one(context, blob));
  return {};
}

Result<Blob> copy_blob(content::BlobReader& from, content::BlobId id, const content::Storage& storage,
                       const CopyProgress& on_progress) {
  const auto size = from.size();
  QUIRE_ASSIGN_OR_RETURN(const auto sink, BlobSink::begin(std::move(id), storage, size, {}));
  const auto take = [&](std::span<const std::byte> bytes, const auto& owner) -> Result<void> {
    QUIRE_RETURN_IF_ERROR(sink->append(bytes, owner));
    return on_progress ? on_progress(sink->position()) : Result<void>();
  };
  QUIRE_RETURN_IF_ERROR(read_through(from, {0, size}, take));
  QUIRE_ASSIGN_OR_RETURN(const auto digests, sink->digests(size));
  return sink->commit(size, digests);
}

Result<std::vector<std::byte>> read_all(content::BlobReader& reader, std::int64_t size) {
  std::vector<std::byte> all;
  all.reserve(static_cast<std::size_t>(size));
  QUIRE_RETURN_IF_ERROR(read_through(reader, {0, size}, [&](std::span<const std::byte> bytes, const auto&) {
    all.insert(all.end(), bytes.begin(), bytes.end());
    return Result<void>();
  }));
  return all;
}

Result<void> read_through(
    content::BlobReader& reader, content::ByteRange range,
    const std::function<Result<void>(std::span<const std::byte>, std::shared_ptr<const void>)>& take) {
  while (range.size() > 0) {
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(range.size(), read_bytes));
    const auto piece = std::make_shared<std::vector<std::byte>>(count);
    QUIRE_ASSIGN_OR_RETURN(const auto got, reader.read(range.first, *piece));
    if (got == 0) return base::internal_error("a blob is shorter than the catalog says");
    QUIRE_RETURN_IF_ERROR(take(std::span(*piece).first(got), piece));
    range.first += static_cast<std::int64_t>(got);
  }
  return {};
}

}  // namespace quire::service
