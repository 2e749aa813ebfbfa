#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/objects/blob_index.h"
#include "adapters/objects/segment.h"
#include "adapters/objects/segment_files.h"
#include "base/result.h"
#include "content/object_store.h"

namespace quire::adapters::objects {

/// The objects of blobs in an object store, and how many bytes they have. All threads may call it. Errors are the
/// object store's where nothing else is said.
class BlobObjects {
 public:
  /// `files` keeps copies of what was read, and outlives this; nullptr: nothing does.
  BlobObjects(std::unique_ptr<content::ObjectStore> objects, std::string storage_name, SegmentFiles* files)
      : objects_(std::move(objects)), storage_name_(std::move(storage_name)), files_(files) {}

  /// Numbers for new segments: each is larger than all before, and than all that a listing has shown.
  std::uint64_t next_order();

  /// Success also when the object was there: a segment's name tells its bytes.
  base::Result<void> put_segment(const content::BlobId& blob, const Segment& segment, std::span<const std::byte> bytes);
  /// All bytes of a segment, compared with its digest; what is wrong is fetched once more. `bytes` has its size.
  /// InternalServerError when what the store has is damaged or missing.
  base::Result<void> get_segment(const content::BlobId& blob, const Segment& segment, std::span<std::byte> bytes);

  enum class Stored {
    yes,
    no,
    unknown,  ///< the store gave no answer, neither to the put nor when asked afterwards
  };
  struct PutIndex {
    Stored stored;
    base::Result<void> result;  ///< a value exactly when `stored` is yes
  };
  /// Writes the index of a blob that has none. One that an earlier try has left is replaced.
  PutIndex put_index(const content::BlobId& blob, const BlobIndex& index);
  base::Result<bool> has_index(const content::BlobId& blob);
  /// nullopt when there is none; InternalServerError when it is damaged.
  base::Result<std::optional<BlobIndex>> get_index(const content::BlobId& blob);
  base::Result<void> remove_index(const content::BlobId& blob);

  struct OfBlob {
    bool committed = false;  ///< it has an index
    std::vector<Segment> segments;
  };
  base::Result<OfBlob> list(const content::BlobId& blob);
  base::Result<void> remove(const content::BlobId& blob, std::span<const Segment> segments);

  /// Every object of every blob; `visit` may have seen some when a page fails. Counts the bytes anew.
  base::Result<void> list_all(const std::function<void(const ObjectPlace&, std::int64_t size)>& visit);

  /// What all objects have together: counted by a listing unless one has been made before, kept up to date since.
  base::Result<std::int64_t> used_bytes();

 private:
  base::Result<void> visit_pages(std::string_view prefix,
                                 const std::function<void(const ObjectPlace&, std::int64_t size)>& visit);
  base::Result<std::optional<std::string>> get_text(const std::string& key);
  base::Error damaged(const content::BlobId& blob, const std::string& key, const std::string& how) const;
  void has_seen(std::uint64_t order);
  void count(std::int64_t bytes);

  const std::unique_ptr<content::ObjectStore> objects_;
  const std::string storage_name_;
  SegmentFiles* const files_;
  std::mutex mutex_;
  std::uint64_t order_ = 0;  ///< the last one given away
  std::optional<std::int64_t> used_bytes_;
};

}  // namespace quire::adapters::objects
