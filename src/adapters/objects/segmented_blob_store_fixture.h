#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adapters/objects/segmented_blob_store.h"
#include "support/failing_object_store.h"
#include "support/folder_object_store.h"
#include "support/temporary_folder.h"

namespace quire::adapters::objects {

using Bytes = std::vector<std::byte>;

inline Bytes some_bytes(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  std::mt19937_64 random(seed);
  std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
  return bytes;
}

inline bool nobody(const content::BlobId&) { return false; }

/// Stores of 64 KiB segments on one folder of objects.
class SegmentedBlobStoreTest : public testing::Test {
 protected:
  static constexpr std::size_t kib = 1024;
  static constexpr std::size_t segment_bytes = 64 * kib;

  static SegmentedBlobStoreOptions small_segments() {
    return {.storage_name = "ObjectDS_0",
            .base_uri = "s3://bucket/prefix",
            .segment_bytes = segment_bytes,
            .memory_bytes_max = 16 * segment_bytes,
            .threads = 2};
  }

  /// A fresh store, as after a restart; `faults` must outlive it.
  std::unique_ptr<SegmentedBlobStore> open_store(
      test_support::Faults& faults,
      test_support::FailingObjectStore::Afterwards afterwards = test_support::FailingObjectStore::Afterwards::works,
      const SegmentedBlobStoreOptions& options = small_segments()) {
    auto failing = std::make_unique<test_support::FailingObjectStore>(folder_objects_, faults, afterwards);
    objects_ = failing.get();
    return std::make_unique<SegmentedBlobStore>(std::move(failing), options);
  }
  std::unique_ptr<SegmentedBlobStore> open_store(const SegmentedBlobStoreOptions& options = small_segments()) {
    return open_store(no_faults_, test_support::FailingObjectStore::Afterwards::works, options);
  }

  static void put(content::BlobStore& store, const content::BlobId& id, std::span<const std::byte> bytes) {
    auto writer = store.create(id, std::nullopt);
    ASSERT_TRUE(writer) << writer.error().text();
    ASSERT_TRUE((*writer)->append(bytes));
    ASSERT_TRUE((*writer)->commit());
  }

  static Bytes read_all(content::BlobReader& reader, std::size_t piece_bytes = 10'000) {
    Bytes all;
    Bytes piece(piece_bytes);
    while (true) {
      const auto got = reader.read(static_cast<std::int64_t>(all.size()), piece);
      EXPECT_TRUE(got) << got.error().text() << got.error().cause();
      if (!got || *got == 0) return all;
      all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*got));
    }
  }

  static void expect_content(content::BlobStore& store, const content::BlobId& id, const Bytes& bytes) {
    auto reader = store.open(id);
    ASSERT_TRUE(reader) << reader.error().text() << reader.error().cause();
    EXPECT_TRUE(read_all(**reader) == bytes) << "the bytes differ";
  }

  static std::vector<std::string> listed(content::BlobStore& store) {
    std::vector<std::string> ids;
    EXPECT_TRUE(store.list([&](const content::BlobId& id) { ids.push_back(id.text()); }));
    return ids;
  }

  std::vector<std::string> keys() const { return folder_objects_.keys(); }
  std::string key_of_segment(std::size_t number) const { return keys().at(number); }

  const content::BlobId id_{"ab000000-0000-4000-8000-000000000001"};
  const content::BlobId other_id_{"ab000000-0000-4000-8000-000000000002"};
  const test_support::TemporaryFolder folder_;
  test_support::FolderObjectStore folder_objects_{folder_.path()};
  test_support::Faults no_faults_{test_support::Faults::Kind::error, static_cast<std::size_t>(-1)};
  test_support::FailingObjectStore* objects_ = nullptr;  ///< of the store that was opened last
};

}  // namespace quire::adapters::objects
