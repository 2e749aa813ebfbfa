#include "adapters/objects/stored_blobs.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/log.h"

namespace quire::adapters::objects {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::BlobId;

constexpr std::size_t short_segment_bytes = std::size_t{256} << 10U;
constexpr std::size_t segments_at_once = 3;

/// Where the first byte is missing, or the end.
std::int64_t whole_up_to(const std::vector<Extent>& extents) {
  std::int64_t end = 0;
  for (const auto& extent : extents) {
    if (extent.first() != end) break;
    end = extent.end();
  }
  return end;
}

}  // namespace

StoredBlobs::StoredBlobs(std::unique_ptr<content::ObjectStore> objects, SegmentedBlobStoreOptions options)
    : options_(std::move(options)),
      files_(options_.cache_bytes_max > 0
                 ? std::make_unique<SegmentFiles>(options_.cache_folder, options_.cache_bytes_max)
                 : nullptr),
      objects_(std::move(objects), options_.storage_name, files_.get()),
      memory_(options_.memory_bytes_max),
      cache_(objects_, memory_, pool_),
      works_{objects_,
             memory_,
             cache_,
             pool_,
             options_.segment_bytes,
             std::min(short_segment_bytes, options_.segment_bytes),
             segments_at_once},
      pool_(options_.threads) {
  constexpr std::size_t page = 4096;
  QUIRE_CHECK(options_.segment_bytes > 0 && options_.segment_bytes % page == 0);
  QUIRE_CHECK(options_.memory_bytes_max >= 2 * options_.segment_bytes && options_.threads > 0);
  memory_.set_relieve([this] { relieve(); });
}

Result<std::shared_ptr<UnfinishedBlob>> StoredBlobs::begin(const BlobId& id) {
  const IdLocks::Lock id_lock(id_locks_, id);
  bool there = find_unfinished(id) != nullptr;
  if (!there) {
    QUIRE_ASSIGN_OR_RETURN(there, objects_.has_index(id));
  }
  if (there)
    return base::internal_error("blob " + id.text() + " of storage " + options_.storage_name + " is there already");
  auto blob = std::make_shared<UnfinishedBlob>(id, std::vector<Segment>());
  const std::lock_guard lock(mutex_);
  unfinished_[id] = blob;
  return blob;
}

std::shared_ptr<UnfinishedBlob> StoredBlobs::find_unfinished(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = unfinished_.find(id);
  return found == unfinished_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<UnfinishedBlob>> StoredBlobs::unfinished(const BlobId& id) {
  const IdLocks::Lock id_lock(id_locks_, id);
  if (auto known = find_unfinished(id)) return known;
  QUIRE_ASSIGN_OR_RETURN(auto found, objects_.list(id));
  if (found.committed || found.segments.empty()) return no_unfinished(id);
  auto blob = std::make_shared<UnfinishedBlob>(id, std::move(found.segments));
  const std::lock_guard lock(mutex_);
  unfinished_[id] = blob;
  return blob;
}

std::shared_ptr<SegmentStream> StoredBlobs::stream(const std::shared_ptr<UnfinishedBlob>& blob, std::int64_t position) {
  auto stream = std::make_shared<SegmentStream>(works_, blob, position);
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [](const auto& other) { return other.expired(); });
  streams_.push_back(stream);
  return stream;
}

StoredBlobs::Committed StoredBlobs::commit(const std::shared_ptr<UnfinishedBlob>& blob, std::int64_t size) {
  const auto& id = blob->id();
  std::vector<Segment> unneeded;
  {
    const IdLocks::Lock id_lock(id_locks_, id);
    if (find_unfinished(id) != blob) return {no_unfinished(id)};
    blob->wait_for_puts();
    const BlobIndex index{size, compose(blob->stored(), size)};
    if (const auto whole = whole_up_to(index.extents); whole != size)
      return {base::internal_error("blob " + id.text() + " lacks its byte " + std::to_string(whole))};
    const auto put = objects_.put_index(id, index);
    if (put.stored == BlobObjects::Stored::no) return {put.result};
    {
      // When it is unknown, whoever asks next finds out.
      const std::lock_guard lock(mutex_);
      unfinished_.erase(id);
    }
    if (put.stored == BlobObjects::Stored::unknown) return {put.result, true};
    unneeded = blob->not_among(index.extents);
  }
  discard(id, std::move(unneeded));
  remove_strays();
  return {};
}

Result<void> StoredBlobs::reopen(const BlobId& id) {
  const IdLocks::Lock id_lock(id_locks_, id);
  QUIRE_ASSIGN_OR_RETURN(const bool there, objects_.has_index(id));
  if (!there) return not_committed(id);
  QUIRE_RETURN_IF_ERROR(objects_.remove_index(id));
  const std::lock_guard lock(mutex_);
  if (const auto found = reading_.find(id); found != reading_.end()) found->second.committed.reset();
  return {};
}

Result<void> StoredBlobs::remove(const BlobId& id) {
  {
    const IdLocks::Lock id_lock(id_locks_, id);
    QUIRE_RETURN_IF_ERROR(remove_locked(id));
  }
  remove_strays();
  return {};
}

Result<void> StoredBlobs::remove(const std::shared_ptr<UnfinishedBlob>& blob) {
  const IdLocks::Lock id_lock(id_locks_, blob->id());
  return find_unfinished(blob->id()) == blob ? remove_locked(blob->id()) : Result<void>();
}

/// The index first: what is left when this fails is an unfinished blob that nobody keeps.
Result<void> StoredBlobs::remove_locked(const BlobId& id) {
  if (const auto known = find_unfinished(id)) {
    known->end();
    const std::lock_guard lock(mutex_);
    unfinished_.erase(id);
    if (known->is_empty()) return {};
  }
  QUIRE_RETURN_IF_ERROR(objects_.remove_index(id));
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = reading_.find(id); found != reading_.end()) found->second.committed.reset();
  }
  QUIRE_ASSIGN_OR_RETURN(auto found, objects_.list(id));
  return remove_when_unread(id, std::move(found.segments));
}

Result<void> StoredBlobs::remove_unfinished(const std::function<bool(const BlobId&)>& keeps) {
  std::set<BlobId> committed;
  std::map<BlobId, std::vector<Segment>> others;
  QUIRE_RETURN_IF_ERROR(objects_.list_all([&](const ObjectPlace& place, std::int64_t size) {
    if (place.name == index_name) {
      committed.insert(place.blob);
      others.erase(place.blob);
    } else if (auto segment = segment_of(place.name, size); segment && !committed.contains(place.blob)) {
      others[place.blob].push_back(*std::move(segment));
    }
  }));
  for (auto& [id, segments] : others) {
    if (keeps(id)) continue;
    const IdLocks::Lock id_lock(id_locks_, id);
    {
      const std::lock_guard lock(mutex_);
      unfinished_.erase(id);
    }
    QUIRE_RETURN_IF_ERROR(remove_when_unread(id, std::move(segments)));
  }
  return {};
}

Result<std::shared_ptr<const OpenBlob>> StoredBlobs::open(const BlobId& id) {
  const IdLocks::Lock id_lock(id_locks_, id);
  if (find_unfinished(id)) return not_committed(id);
  if (auto known = find_committed(id)) return known;
  QUIRE_ASSIGN_OR_RETURN(auto index, objects_.get_index(id));
  if (!index) return not_committed(id);
  return opened(id, *std::move(index), true);
}

Result<std::shared_ptr<const OpenBlob>> StoredBlobs::open_unfinished(const BlobId& id) {
  QUIRE_ASSIGN_OR_RETURN(const auto blob, unfinished(id));
  const IdLocks::Lock id_lock(id_locks_, id);
  if (find_unfinished(id) != blob) return no_unfinished(id);
  auto stored = blob->stored();
  const auto size = end_of(stored);
  return opened(id, BlobIndex{size, compose(std::move(stored), size)}, false);
}

std::shared_ptr<const OpenBlob> StoredBlobs::find_committed(const BlobId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = reading_.find(id);
  return found == reading_.end() ? nullptr : found->second.committed.lock();
}

std::shared_ptr<const OpenBlob> StoredBlobs::opened(const BlobId& id, BlobIndex index, bool committed) {
  const std::shared_ptr<const OpenBlob> blob(new OpenBlob{id, std::move(index)},
                                             [self = shared_from_this()](const OpenBlob* gone) {
                                               self->closed(gone->id);
                                               delete gone;
                                             });
  const std::lock_guard lock(mutex_);
  auto& reading = reading_[id];
  ++reading.open;
  if (committed) reading.committed = blob;
  return blob;
}

void StoredBlobs::closed(const BlobId& id) {
  std::vector<Segment> doomed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = reading_.find(id);
    if (--found->second.open > 0) return;
    doomed = std::move(found->second.doomed);
    reading_.erase(found);
  }
  if (doomed.empty()) return;
  pool_.post([this, id, doomed = std::move(doomed)] { discard(id, doomed); });
}

Result<void> StoredBlobs::remove_when_unread(const BlobId& id, std::vector<Segment> segments) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = reading_.find(id); found != reading_.end()) {
      auto& doomed = found->second.doomed;
      doomed.insert(doomed.end(), segments.begin(), segments.end());
      return {};
    }
  }
  return objects_.remove(id, segments);
}

/// Segments that nobody needs; what cannot be removed now is tried again later.
void StoredBlobs::discard(const BlobId& id, std::vector<Segment> segments) {
  const auto removed = remove_when_unread(id, segments);
  if (removed) return;
  spdlog::warn("Blob {} of storage {}: {} objects that are not needed cannot be removed yet: {} {}", id.text(),
               options_.storage_name, segments.size(), removed.error().text(), removed.error().cause());
  const std::lock_guard lock(mutex_);
  strays_.emplace_back(id, std::move(segments));
}

void StoredBlobs::remove_strays() {
  std::vector<std::pair<BlobId, std::vector<Segment>>> strays;
  {
    const std::lock_guard lock(mutex_);
    strays.swap(strays_);
  }
  for (auto& [id, segments] : strays) discard(id, std::move(segments));
}

void StoredBlobs::relieve() {
  const std::lock_guard one_at_a_time(relieving_);
  cache_.relieve();
  if (memory_.lack().still == 0) return;
  std::vector<std::pair<std::size_t, std::shared_ptr<SegmentStream>>> idle;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& known : streams_)
      if (auto stream = known.lock()) idle.emplace_back(0, std::move(stream));
  }
  for (auto& [bytes, stream] : idle) bytes = stream->idle_bytes();
  std::ranges::sort(idle, std::ranges::greater(), [](const auto& one) { return one.first; });
  for (const auto& [bytes, stream] : idle) {
    if (bytes == 0 || memory_.lack().still == 0) return;
    stream->give_up_buffer();
  }
}

Error StoredBlobs::no_unfinished(const BlobId& id) const {
  return {ErrorKind::not_found,
          "quire.blob.not_unfinished",
          "Storage {storage} has begun no blob {blob}, or has finished it.",
          {{"storage", options_.storage_name}, {"blob", id.text()}}};
}

Error StoredBlobs::not_committed(const BlobId& id) const {
  return {ErrorKind::not_found,
          "quire.blob.not_found",
          "Storage {storage} holds no blob {blob}. Its objects were removed from outside; restore them from a backup.",
          {{"storage", options_.storage_name}, {"blob", id.text()}}};
}

}  // namespace quire::adapters::objects
