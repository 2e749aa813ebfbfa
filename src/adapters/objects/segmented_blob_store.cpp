#include "adapters/objects/segmented_blob_store.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "adapters/objects/stored_blobs.h"
#include "base/check.h"
#include "base/log.h"
#include "content/blob_name.h"

namespace quire::adapters::objects {
namespace {

using base::Result;
using content::BlobId;
using content::is_blob_name;

class SegmentedBlobWriter final : public content::BlobWriter {
 public:
  /// `owns`: the blob goes with the writer.
  SegmentedBlobWriter(std::shared_ptr<StoredBlobs> blobs, std::shared_ptr<UnfinishedBlob> blob, std::int64_t position,
                      bool owns)
      : blobs_(std::move(blobs)), blob_(std::move(blob)), stream_(blobs_->stream(blob_, position)), owns_(owns) {}

  ~SegmentedBlobWriter() override {
    stream_->abandon();
    if (!owns_) return;
    if (const auto removed = blobs_->remove(blob_); !removed)
      spdlog::warn("Unfinished blob {} of storage {} cannot be removed now; the next start removes it: {} {}",
                   blob_->id().text(), blobs_->options().storage_name, removed.error().text(), removed.error().cause());
  }

  Result<void> append(std::span<const std::byte> bytes) override {
    QUIRE_CHECK(state_ == State::open);
    return noted(stream_->append(bytes), State::open);
  }

  Result<std::int64_t> sync() override {
    QUIRE_CHECK(state_ == State::open);
    auto done = stream_->stored_up_to();
    if (!done) state_ = State::failed;
    return done;
  }

  Result<void> flush() override {
    QUIRE_CHECK(state_ == State::open);
    auto done = stream_->drain();
    if (done && blob_->stored().empty()) done = stream_->put_empty_segment();
    return noted(std::move(done), State::ended);
  }

  void detach() override { owns_ = false; }

  Result<void> commit() override {
    QUIRE_CHECK(state_ == State::open);
    QUIRE_RETURN_IF_ERROR(noted(stream_->drain(), State::open));
    auto committed = blobs_->commit(blob_, stream_->position());
    if (committed.result || committed.unknown) owns_ = false;
    return noted(std::move(committed.result), State::ended);
  }

 private:
  enum class State { open, failed, ended };

  Result<void> noted(Result<void> result, State after) {
    state_ = result ? after : State::failed;
    return result;
  }

  const std::shared_ptr<StoredBlobs> blobs_;
  const std::shared_ptr<UnfinishedBlob> blob_;
  const std::shared_ptr<SegmentStream> stream_;
  std::atomic<bool> owns_;  ///< the blob goes with the writer
  State state_ = State::open;
};

class SegmentedBlobReader final : public content::BlobReader {
 public:
  SegmentedBlobReader(std::shared_ptr<StoredBlobs> blobs, std::shared_ptr<const OpenBlob> blob)
      : blobs_(std::move(blobs)), blob_(std::move(blob)) {}

  ~SegmentedBlobReader() override {
    const auto at = last_read_.load();
    if (at == nothing_read) return;
    const auto end = std::min(at + segments_ahead + 1, extents().size());
    for (auto i = at; i < end; ++i) blobs_->cache().spend(blob_->id, extents()[i].segment);
  }

  std::int64_t size() const override { return blob_->index.size; }

  Result<std::size_t> read(std::int64_t offset, std::span<std::byte> buffer) override {
    QUIRE_CHECK(offset >= 0);
    if (offset >= size()) return std::size_t{0};
    const auto wanted = buffer.first(static_cast<std::size_t>(
        std::min(size() - offset, static_cast<std::int64_t>(std::min<std::size_t>(buffer.size(), size_max)))));
    const bool in_order = next_.exchange(offset + static_cast<std::int64_t>(wanted.size())) == offset;
    for (auto rest = wanted; !rest.empty();) {
      const auto position = offset + static_cast<std::int64_t>(wanted.size() - rest.size());
      QUIRE_ASSIGN_OR_RETURN(const auto done, read_some(position, rest, in_order || position != offset));
      rest = rest.subspan(done);
    }
    return wanted.size();
  }

  std::optional<int> file_descriptor() const override { return std::nullopt; }

  bool sealed() const override { return true; }
  Result<void> seal() override { return {}; }

 private:
  static constexpr std::size_t segments_ahead = 2;
  static constexpr std::size_t nothing_read = static_cast<std::size_t>(-1);
  static constexpr std::size_t size_max = std::size_t{1} << 62U;

  const std::vector<Extent>& extents() const { return blob_->index.extents; }

  /// At least one of the bytes that begin at `position`.
  Result<std::size_t> read_some(std::int64_t position, std::span<std::byte> bytes, bool in_order) {
    const auto next = std::ranges::upper_bound(extents(), position, {}, &Extent::first);
    const auto at = static_cast<std::size_t>(next - extents().begin()) - 1;  // wraps when there is none before
    if (next == extents().begin() || extents()[at].end() <= position) {      // a gap, followed by something
      const auto count = std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(next->first() - position));
      std::ranges::fill(bytes.first(count), std::byte{0});
      return count;
    }
    const auto& extent = extents()[at];
    const auto count = std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(extent.end() - position));
    // Before this thread waits for its own: they arrive side by side.
    if (in_order)
      for (auto i = at + 1; i < std::min(at + 1 + segments_ahead, extents().size()); ++i)
        blobs_->cache().fetch_ahead(blob_->id, extents()[i].segment);
    last_read_ = at;
    QUIRE_RETURN_IF_ERROR(
        blobs_->cache().read(blob_->id, extent.segment, position - extent.segment.first, bytes.first(count)));
    if (position + static_cast<std::int64_t>(count) == extent.end()) blobs_->cache().spend(blob_->id, extent.segment);
    return count;
  }

  const std::shared_ptr<StoredBlobs> blobs_;
  const std::shared_ptr<const OpenBlob> blob_;
  std::atomic<std::int64_t> next_{-1};                ///< behind the last read; the first one begins no sequence
  std::atomic<std::size_t> last_read_{nothing_read};  ///< extent
};

std::unique_ptr<content::BlobReader> reader_of(const std::shared_ptr<StoredBlobs>& blobs,
                                               std::shared_ptr<const OpenBlob> blob) {
  return std::make_unique<SegmentedBlobReader>(blobs, std::move(blob));
}

}  // namespace

SegmentedBlobStore::SegmentedBlobStore(std::unique_ptr<content::ObjectStore> objects, SegmentedBlobStoreOptions options)
    : blobs_(std::make_shared<StoredBlobs>(std::move(objects), std::move(options))) {}

SegmentedBlobStore::~SegmentedBlobStore() { blobs_->pool().stop(); }

Result<std::unique_ptr<content::BlobWriter>> SegmentedBlobStore::create(const BlobId& id,
                                                                        std::optional<std::int64_t> expected_bytes) {
  QUIRE_CHECK(expected_bytes.value_or(0) >= 0 && is_blob_name(id.text()));
  QUIRE_ASSIGN_OR_RETURN(auto blob, blobs_->begin(id));
  return std::unique_ptr<content::BlobWriter>(std::make_unique<SegmentedBlobWriter>(blobs_, std::move(blob), 0, true));
}

Result<std::unique_ptr<content::BlobWriter>> SegmentedBlobStore::resume(const BlobId& id, std::int64_t position) {
  QUIRE_CHECK(position >= 0 && is_blob_name(id.text()));
  QUIRE_ASSIGN_OR_RETURN(auto blob, blobs_->unfinished(id));
  return std::unique_ptr<content::BlobWriter>(
      std::make_unique<SegmentedBlobWriter>(blobs_, std::move(blob), position, false));
}

Result<std::unique_ptr<content::BlobReader>> SegmentedBlobStore::open_unfinished(const BlobId& id) {
  QUIRE_CHECK(is_blob_name(id.text()));
  QUIRE_ASSIGN_OR_RETURN(auto blob, blobs_->open_unfinished(id));
  return reader_of(blobs_, std::move(blob));
}

Result<void> SegmentedBlobStore::reopen(const BlobId& id) { return blobs_->reopen(id); }

Result<std::unique_ptr<content::BlobReader>> SegmentedBlobStore::open(const BlobId& id) {
  QUIRE_CHECK(is_blob_name(id.text()));
  QUIRE_ASSIGN_OR_RETURN(auto blob, blobs_->open(id));
  return reader_of(blobs_, std::move(blob));
}

Result<void> SegmentedBlobStore::remove(const BlobId& id) { return blobs_->remove(id); }

/// All pages before the first visit: a listing that fails says nothing, and visits may remove blobs.
Result<void> SegmentedBlobStore::list(const std::function<void(const BlobId&)>& visit) {
  std::vector<BlobId> committed;
  QUIRE_RETURN_IF_ERROR(blobs_->objects().list_all([&](const ObjectPlace& place, std::int64_t) {
    if (place.name == index_name) committed.push_back(place.blob);
  }));
  for (const auto& id : committed) visit(id);
  return {};
}

Result<void> SegmentedBlobStore::remove_unfinished(const std::function<bool(const BlobId&)>& keeps) {
  return blobs_->remove_unfinished(keeps);
}

Result<SegmentedBlobStore::Space> SegmentedBlobStore::space() {
  const auto& problem = blobs_->options().problem;
  if (auto told = problem ? problem() : std::nullopt) return *std::move(told);
  Space space;
  space.capacity_bytes = blobs_->options().capacity_bytes;
  if (space.capacity_bytes == 0) return space;
  QUIRE_ASSIGN_OR_RETURN(const auto used, blobs_->objects().used_bytes());
  space.free_bytes = std::max<std::int64_t>(space.capacity_bytes - used, 0);
  return space;
}

std::string SegmentedBlobStore::uri(const BlobId& id) const { return blobs_->options().base_uri + "/" + id.text(); }

SegmentedBlobStore::Memory SegmentedBlobStore::memory() const {
  return {blobs_->memory().used_bytes(), blobs_->memory().most_used_bytes()};
}

}  // namespace quire::adapters::objects
