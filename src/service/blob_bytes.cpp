#include "service/blob_bytes.h"

#include <algorithm>
#include <optional>

namespace quire::service {
namespace {

using base::Error;
using base::Result;
using content::Blob;

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
  const auto* storage = context.storages.find(blob.storage);
  if (storage == nullptr) return base::internal_error("storage " + blob.storage.text() + " is not configured");
  return storage->blobs->open(blob.id);
}

Result<std::optional<std::vector<std::byte>>> bytes_in_catalog(Context& context, const Blob& blob) {
  return context.catalog.read([&](content::CatalogReader& reader) -> Result<std::optional<std::vector<std::byte>>> {
    if (!reader.find<Blob>(blob.id)) return not_found(blob);
    return reader.blob_bytes(blob.id);
  });
}

Result<void> write_to_storage(const content::Storage& storage, const Blob& blob, std::span<const std::byte> bytes) {
  // What a move that failed has left there.
  if (auto cleared = storage.blobs->remove(blob.id); !cleared) return cleared;
  const auto writer = storage.blobs->create(blob.id, blob.size);
  if (!writer) return writer.error();
  if (auto written = (*writer)->append(bytes); !written) return written;
  return (*writer)->commit();
}

Result<void> move_one(Context& context, const Blob& blob) {
  const std::lock_guard one_at_a_time(*context.moving_blobs);
  const auto bytes = bytes_in_catalog(context, blob);
  if (!bytes && bytes.error().kind() == base::ErrorKind::not_found) return {};
  if (!bytes) return bytes.error();
  if (!*bytes) return {};  // moved already
  const auto* storage = context.storages.find(blob.storage);
  if (storage == nullptr) return base::internal_error("storage " + blob.storage.text() + " is not configured");
  if (auto written = write_to_storage(*storage, blob, **bytes); !written) return written;
  bool named = false;
  const auto record = [&](content::CatalogWriter& writer) -> Result<void> {
    named = writer.find<Blob>(blob.id).has_value();
    if (named) writer.move_blob_to_storage(blob.id);
    return {};
  };
  auto moved = context.catalog.write(record);
  // A failure may hide a commit, after which the file must stay. When this fails too, the file is left to the next move
  // or start.
  if (!moved) moved = context.catalog.write(record);
  if (moved && !named) return storage->blobs->remove(blob.id);
  return moved;
}

}  // namespace

Result<std::unique_ptr<content::BlobReader>> open_blob(Context& context, const Blob& blob) {
  if (!blob.in_catalog) return open_in_storage(context, blob);
  auto bytes = bytes_in_catalog(context, blob);
  if (!bytes) return bytes.error();
  if (!*bytes) return open_in_storage(context, blob);  // moved since its row was read
  return std::unique_ptr<content::BlobReader>(std::make_unique<BytesReader>(**std::move(bytes)));
}

Result<void> move_to_storage(Context& context, const std::vector<Blob>& blobs) {
  for (const auto& blob : blobs)
    if (blob.in_catalog)
      if (auto moved = move_one(context, blob); !moved) return moved;
  return {};
}

}  // namespace quire::service
