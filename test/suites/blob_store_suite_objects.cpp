#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/objects/segmented_blob_store.h"
#include "suites/blob_store_suite.h"
#include "support/folder_object_store.h"
#include "support/temporary_folder.h"

namespace quire::test_suites {
namespace {

constexpr std::size_t segment_bytes = std::size_t{64} << 10U;  // so that blobs of a few MiB have many

class ObjectsPlace final : public BlobStorePlace {
 public:
  std::unique_ptr<content::BlobStore> open() override {
    return std::make_unique<adapters::objects::SegmentedBlobStore>(
        std::make_unique<test_support::FolderObjectStore>(folder_.path()),
        adapters::objects::SegmentedBlobStoreOptions{.storage_name = "ObjectDS_0",
                                                     .base_uri = "s3://bucket/prefix",
                                                     .segment_bytes = segment_bytes,
                                                     .memory_bytes_max = 16 * segment_bytes,
                                                     .threads = 2,
                                                     .capacity_bytes = std::int64_t{1} << 30U});
  }

  /// A blob once, however many objects it has.
  std::vector<std::string> stored() override {
    std::set<std::string> blobs;
    for (const auto& key : test_support::FolderObjectStore(folder_.path()).keys())
      blobs.insert(key.substr(0, key.find('/')));
    return {blobs.begin(), blobs.end()};
  }

 private:
  const test_support::TemporaryFolder folder_;
};

/// Three segments are on their way at once, and one is being filled.
INSTANTIATE_TEST_SUITE_P(Objects, BlobStoreSuite,
                         testing::Values(BlobStoreAdapter{"Segments",
                                                          [](std::string&) { return std::make_unique<ObjectsPlace>(); },
                                                          4 * std::int64_t{segment_bytes}}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace quire::test_suites
