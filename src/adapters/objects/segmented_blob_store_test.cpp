#include "adapters/objects/segmented_blob_store.h"

#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "adapters/objects/segment.h"
#include "adapters/objects/segmented_blob_store_fixture.h"
#include "base/error.h"
#include "support/seed.h"

namespace quire::adapters::objects {
namespace {

using base::ErrorKind;
using content::BlobId;
using test_support::FailingObjectStore;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

TEST_F(SegmentedBlobStoreTest, KeepsSegmentsThatEndOnMultiplesAndAnIndex) {
  const auto store = open_store();
  put(*store, id_, some_bytes(2 * segment_bytes + 5, 1));
  EXPECT_THAT(keys(),
              ElementsAre(StartsWith(id_.text() + "/0000000000000000-"), StartsWith(id_.text() + "/0000000000010000-"),
                          StartsWith(id_.text() + "/0000000000020000-"), id_.text() + "/index"));
}

TEST_F(SegmentedBlobStoreTest, AWriterThatBeginsElsewhereMeetsTheNextMultiple) {
  const auto bytes = some_bytes(3 * segment_bytes, 2);
  const auto store = open_store();
  auto writer = store->create(id_, std::nullopt);
  ASSERT_TRUE(writer);
  auto second = store->resume(id_, 70'000);
  ASSERT_TRUE(second);
  ASSERT_TRUE((*second)->append(std::span(bytes).subspan(70'000)));
  ASSERT_TRUE((*second)->flush());
  EXPECT_THAT(keys(), ElementsAre(HasSubstr("/0000000000011170-"), HasSubstr("/0000000000020000-")));
  ASSERT_TRUE((*writer)->append(std::span(bytes).first(70'000)));
  ASSERT_TRUE((*writer)->flush());
  auto last = store->resume(id_, 3 * segment_bytes);
  ASSERT_TRUE(last);
  ASSERT_TRUE((*last)->commit());
  expect_content(*store, id_, bytes);
}

/// One fetch for all who ask, also after a restart; a copy that is damaged is fetched again, not handed out.
TEST_F(SegmentedBlobStoreTest, ReadsEachSegmentFromTheStoreOnce) {
  const auto bytes = some_bytes(5 * segment_bytes + 5, 3);
  put(*open_store(), id_, bytes);
  const test_support::TemporaryFolder place;
  auto options = small_segments();
  options.cache_folder = place.path() / "cache";
  options.cache_bytes_max = 10 * segment_bytes;
  options.memory_bytes_max = 2 * segment_bytes;  // so that memory keeps hardly any
  const auto segments_fetched = [&](const std::function<void(SegmentedBlobStore&)>& use) {
    const auto store = open_store(options);
    use(*store);
    return std::ranges::count_if(objects_->gets(), [](const auto& key) { return !key.ends_with("/index"); });
  };
  EXPECT_EQ(segments_fetched([&](auto& store) {
              for (int i = 0; i < 3; ++i) expect_content(store, id_, bytes);
            }),
            6);
  EXPECT_EQ(segments_fetched([&](auto& store) { expect_content(store, id_, bytes); }), 0) << "after a restart";
  const auto copy = *std::filesystem::directory_iterator(options.cache_folder);
  std::filesystem::resize_file(copy.path(), 3);
  EXPECT_EQ(segments_fetched([&](auto& store) { expect_content(store, id_, bytes); }), 1);
  EXPECT_EQ(segments_fetched([&](auto& store) { ASSERT_TRUE(store.remove(id_)); }), 0);
  EXPECT_TRUE(std::filesystem::is_empty(options.cache_folder)) << "what is deleted does not stay there";
}

TEST_F(SegmentedBlobStoreTest, NamesTheBlobByTheOperatorsUri) {
  EXPECT_EQ(open_store()->uri(id_), "s3://bucket/prefix/" + id_.text());
}

TEST_F(SegmentedBlobStoreTest, LeavesOtherObjectsAlone) {
  const Bytes nothing;
  constexpr auto sha256_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  ASSERT_TRUE(folder_objects_.put("quire.json", nothing, sha256_of_nothing));
  ASSERT_TRUE(folder_objects_.put("ab-0/other", nothing, sha256_of_nothing));
  const auto store = open_store();
  EXPECT_THAT(listed(*store), IsEmpty());
  ASSERT_TRUE(store->remove_unfinished(nobody));
  EXPECT_THAT(keys(), SizeIs(2));
}

TEST_F(SegmentedBlobStoreTest, ABlobWithBytesMissingIsNotCommitted) {
  const auto store = open_store();
  auto writer = store->create(id_, std::nullopt);
  ASSERT_TRUE(writer);
  auto behind = store->resume(id_, 100);
  ASSERT_TRUE(behind);
  ASSERT_TRUE((*behind)->append(some_bytes(10, 1)));
  const auto committed = (*behind)->commit();
  ASSERT_FALSE(committed);
  EXPECT_THAT(committed.error().cause(), HasSubstr("lacks its byte 0"));
  EXPECT_THAT(listed(*store), IsEmpty());
  const auto reader = store->open_unfinished(id_);
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->size(), 110);
  EXPECT_EQ(read_all(**reader)[99], std::byte{0});
}

TEST_F(SegmentedBlobStoreTest, AFlushedBlobWithoutBytesSurvivesARestart) {
  auto store = open_store();
  auto writer = store->create(id_, std::nullopt);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->flush());
  (*writer)->detach();
  writer->reset();
  store = open_store();
  ASSERT_TRUE(store->remove_unfinished([&](const BlobId& id) { return id == id_; }));
  auto resumed = store->resume(id_, 0);
  ASSERT_TRUE(resumed);
  ASSERT_TRUE((*resumed)->commit());
  expect_content(*store, id_, {});
  EXPECT_THAT(keys(), ElementsAre(EndsWith("index")));
}

TEST_F(SegmentedBlobStoreTest, WritersOfARemovedBlobLearnIt) {
  const auto store = open_store();
  auto writer = store->create(id_, std::nullopt);
  ASSERT_TRUE(writer);
  auto other = store->resume(id_, 0);
  ASSERT_TRUE(other);
  ASSERT_TRUE((*other)->append(some_bytes(100, 1)));
  ASSERT_TRUE(store->remove(id_));
  const auto flushed = (*other)->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().kind(), ErrorKind::not_found);
  EXPECT_THAT(keys(), IsEmpty());
}

/// What an upload does that finds other bytes than had arrived, with restarts in between.
TEST_F(SegmentedBlobStoreTest, WhatWasWrittenLastHolds) {
  std::mt19937_64 random(test_support::test_seed());
  for (int round = 0; round < 10; ++round) {
    constexpr std::size_t size = 5 * segment_bytes + 77;
    auto bytes = some_bytes(size, random());
    auto store = open_store();
    {
      auto writer = store->create(id_, std::nullopt);
      ASSERT_TRUE(writer);
      ASSERT_TRUE((*writer)->append(bytes));
      ASSERT_TRUE((*writer)->flush());
      (*writer)->detach();
    }
    for (int change = 0; change < 6; ++change) {
      if (random() % 3 == 0) store = open_store();
      const auto first = random() % size;
      const auto piece = some_bytes(1 + random() % (size - first), random());
      std::ranges::copy(piece, bytes.begin() + static_cast<std::ptrdiff_t>(first));
      auto writer = store->resume(id_, static_cast<std::int64_t>(first));
      ASSERT_TRUE(writer);
      ASSERT_TRUE((*writer)->append(piece));
      ASSERT_TRUE((*writer)->flush());
    }
    const auto unfinished = store->open_unfinished(id_);
    ASSERT_TRUE(unfinished);
    EXPECT_TRUE(read_all(**unfinished) == bytes);
    auto last = store->resume(id_, size);
    ASSERT_TRUE(last);
    ASSERT_TRUE((*last)->commit());
    expect_content(*store, id_, bytes);
    store = open_store();
    expect_content(*store, id_, bytes);
    ASSERT_TRUE(store->remove(id_));
    EXPECT_THAT(keys(), IsEmpty());
  }
}

TEST_F(SegmentedBlobStoreTest, SegmentsThatWereReplacedGoWithTheCommit) {
  const auto store = open_store();
  auto writer = store->create(id_, std::nullopt);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->append(some_bytes(100, 1)));
  ASSERT_TRUE((*writer)->flush());
  auto again = store->resume(id_, 0);
  ASSERT_TRUE(again);
  ASSERT_TRUE((*again)->append(some_bytes(200, 2)));
  EXPECT_THAT(keys(), SizeIs(1));
  ASSERT_TRUE((*again)->commit());
  EXPECT_THAT(keys(), ElementsAre(HasSubstr("/0000000000000000-0000000000000002-"), EndsWith("/index")));
}

TEST_F(SegmentedBlobStoreTest, BytesDamagedOnTheWayAreFetchedOnceMore) {
  const auto bytes = some_bytes(segment_bytes + 10, 3);
  const auto store = open_store();
  put(*store, id_, bytes);
  objects_->damage("/0000000000000000-", 1);
  expect_content(*store, id_, bytes);
  EXPECT_THAT(objects_->gets(), SizeIs(1 + 1 + 3)) << "create and open ask for the index; two segments, one twice";
}

TEST_F(SegmentedBlobStoreTest, NoByteOfADamagedSegmentIsGivenOut) {
  const auto bytes = some_bytes(2 * segment_bytes, 4);
  auto store = open_store();
  put(*store, id_, bytes);
  for (const auto& how : {&FailingObjectStore::flip_a_bit, &FailingObjectStore::lose_a_byte}) {
    store = open_store();  // with nothing in its memory
    objects_->damage("/0000000000010000-", 2, how);
    auto reader = store->open(id_);
    ASSERT_TRUE(reader);
    Bytes piece(100);
    const auto got = (*reader)->read(segment_bytes, piece);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind(), ErrorKind::internal_server_error);
    EXPECT_EQ(got.error().messages().front().id, "quire.blob.damaged");
    EXPECT_THAT(got.error().text(), HasSubstr(id_.text()));
    EXPECT_THAT(got.error().text(), HasSubstr("ObjectDS_0"));
    EXPECT_EQ(piece, Bytes(100));
    EXPECT_TRUE((*reader)->read(segment_bytes, piece)) << "the next try reads again";
  }
}

TEST_F(SegmentedBlobStoreTest, ASegmentThatIsNotThereIsDamageToo) {
  auto store = open_store();
  put(*store, id_, some_bytes(2 * segment_bytes, 4));
  std::filesystem::remove(folder_objects_.file_of(key_of_segment(1)));
  auto reader = store->open(id_);
  ASSERT_TRUE(reader);
  Bytes piece(100);
  EXPECT_TRUE((*reader)->read(0, piece));
  const auto got = (*reader)->read(segment_bytes, piece);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind(), ErrorKind::internal_server_error);
}

TEST_F(SegmentedBlobStoreTest, ADamagedIndexIsNoMissingBlob) {
  const auto bytes = some_bytes(100, 4);
  const auto store = open_store();
  put(*store, id_, bytes);
  objects_->damage("/index", 2);
  const auto opened = store->open(id_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().messages().front().id, "quire.blob.damaged");
  objects_->damage("/index", 1);
  expect_content(*store, id_, bytes);
}

TEST_F(SegmentedBlobStoreTest, ReadsAheadInOrderAndEachSegmentOnce) {
  constexpr std::size_t segments = 12;
  const auto bytes = some_bytes(segments * segment_bytes, 5);
  auto store = open_store();
  put(*store, id_, bytes);
  store = open_store();
  expect_content(*store, id_, bytes);
  const auto gets = objects_->gets();
  EXPECT_THAT(gets, SizeIs(1 + segments));
  EXPECT_THAT(std::set(gets.begin(), gets.end()), SizeIs(1 + segments));
}

TEST_F(SegmentedBlobStoreTest, ReadsAheadTwoSegmentsButNotForOneRange) {
  auto store = open_store();
  put(*store, id_, some_bytes(12 * segment_bytes, 5));
  const auto segments_read = [&](std::vector<std::int64_t> offsets) {
    // All that is done in the background is done when the store has gone; what it read is known before.
    struct Counting final : content::ObjectStore {
      Counting(content::ObjectStore& all, std::set<std::string>& keys) : inner(all), read(keys) {}
      base::Result<void> put(std::string_view key, std::span<const std::byte> bytes, std::string_view sha) override {
        return inner.put(key, bytes, sha);
      }
      base::Result<std::size_t> get(std::string_view key, std::int64_t offset, std::span<std::byte> buffer) override {
        const std::lock_guard lock(mutex);
        if (!key.ends_with("/index")) read.insert(std::string(key.substr(key.find('/') + 1, 16)));
        return inner.get(key, offset, buffer);
      }
      base::Result<void> remove(std::span<const std::string> keys) override { return inner.remove(keys); }
      base::Result<Page> list(std::string_view prefix, std::string_view next) override {
        return inner.list(prefix, next);
      }
      std::mutex mutex;
      content::ObjectStore& inner;
      std::set<std::string>& read;
    };
    std::set<std::string> read;
    {
      SegmentedBlobStore counted(std::make_unique<Counting>(folder_objects_, read), small_segments());
      auto reader = counted.open(id_);
      EXPECT_TRUE(reader);
      Bytes piece(100);
      for (const auto offset : offsets) EXPECT_TRUE((*reader)->read(offset, piece));
    }
    return read;
  };
  EXPECT_THAT(segments_read({0}), ElementsAre("0000000000000000"));
  EXPECT_THAT(segments_read({5 * segment_bytes}), ElementsAre("0000000000050000"));
  EXPECT_THAT(segments_read({5 * segment_bytes, 0}), ElementsAre("0000000000000000", "0000000000050000"));
  EXPECT_THAT(segments_read({0, 100}), ElementsAre("0000000000000000", "0000000000010000", "0000000000020000"));
}

TEST_F(SegmentedBlobStoreTest, ManyThreadsReadOneReader) {
  const auto bytes = some_bytes(20 * segment_bytes + 9, 6);
  auto options = small_segments();
  options.memory_bytes_max = 2 * segment_bytes;  // less than what they want at once
  const auto store = open_store(options);
  put(*store, id_, bytes);
  const auto reader = store->open(id_);
  ASSERT_TRUE(reader);
  const auto seed = test_support::test_seed();
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t thread = 0; thread < 4; ++thread)
      threads.emplace_back([&, thread] {
        std::mt19937_64 random(seed + thread);
        for (int i = 0; i < 30; ++i) {
          const auto offset = random() % bytes.size();
          Bytes piece(1 + random() % (2 * segment_bytes));
          const auto got = (*reader)->read(static_cast<std::int64_t>(offset), piece);
          ASSERT_TRUE(got);
          ASSERT_EQ(*got, std::min(piece.size(), bytes.size() - offset));
          ASSERT_TRUE(std::ranges::equal(std::span(piece).first(*got), std::span(bytes).subspan(offset, *got)));
        }
      });
  }
  EXPECT_LE(store->memory().most_used_bytes, options.memory_bytes_max);
}

TEST_F(SegmentedBlobStoreTest, ReadersKeepARemovedBlobUntilTheLastOneCloses) {
  const auto bytes = some_bytes(3 * segment_bytes, 7);
  auto store = open_store();
  put(*store, id_, bytes);
  auto first = store->open(id_);
  auto second = store->open(id_);
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(store->remove(id_));
  EXPECT_THAT(keys(), SizeIs(3)) << "the index has gone";
  EXPECT_THAT(listed(*store), IsEmpty());
  // As a test may do, though no server does: the id comes back. It is another blob.
  const auto others = some_bytes(100, 8);
  put(*store, id_, others);
  first->reset();
  EXPECT_TRUE(read_all(**second) == bytes);
  second->reset();
  expect_content(*store, id_, others);
  ASSERT_TRUE(store->remove(id_));
  store.reset();
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(SegmentedBlobStoreTest, WhatReadersKeptAtACrashGoesAtTheNextStart) {
  auto store = open_store();
  put(*store, id_, some_bytes(3 * segment_bytes, 7));
  const auto reader = store->open(id_);
  ASSERT_TRUE(reader);
  ASSERT_TRUE(store->remove(id_));
  const auto next = open_store();
  ASSERT_TRUE(next->remove_unfinished(nobody));
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(SegmentedBlobStoreTest, CountsWhatItHolds) {
  auto options = small_segments();
  options.capacity_bytes = 1'000'000;
  auto store = open_store(options);
  EXPECT_EQ(store->space()->free_bytes, 1'000'000);
  put(*store, id_, some_bytes(300'000, 1));
  const auto free = store->space()->free_bytes;
  EXPECT_LE(free, 700'000);
  EXPECT_GE(free, 690'000) << "the index takes a little";
  store = open_store(options);
  EXPECT_EQ(store->space()->free_bytes, free) << "counted by a listing";
  put(*store, other_id_, some_bytes(800'000, 1));
  EXPECT_EQ(store->space()->free_bytes, 0);
  EXPECT_EQ(open_store()->space()->capacity_bytes, 0) << "not told";
}

/// One thread, so that nobody else could let go of memory: it must be had from writers that do nothing.
TEST_F(SegmentedBlobStoreTest, WritersThatDoNothingHoldUpNobody) {
  auto options = small_segments();
  options.memory_bytes_max = 4 * segment_bytes;
  const auto store = open_store(options);
  constexpr int writers = 20;
  const auto id_of = [](int i) { return BlobId("ab-" + std::to_string(i)); };
  std::vector<std::unique_ptr<content::BlobWriter>> open;
  for (int i = 0; i < writers; ++i) {
    auto writer = store->create(id_of(i), std::nullopt);
    ASSERT_TRUE(writer);
    open.push_back(*std::move(writer));
  }
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < writers; ++i)
      ASSERT_TRUE(
          open[static_cast<std::size_t>(i)]->append(some_bytes(1000, static_cast<std::uint64_t>(100 * i + round))));
  for (auto& writer : open) ASSERT_TRUE(writer->commit());
  for (int i = 0; i < writers; ++i) {
    Bytes bytes;
    for (int round = 0; round < 3; ++round) {
      const auto piece = some_bytes(1000, static_cast<std::uint64_t>(100 * i + round));
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
    expect_content(*store, id_of(i), bytes);
  }
  EXPECT_LE(store->memory().most_used_bytes, options.memory_bytes_max);
}

TEST_F(SegmentedBlobStoreTest, SegmentsAreShorterWhenMemoryIsShort) {
  auto options = small_segments();
  options.segment_bytes = 1024 * kib;
  options.memory_bytes_max = 2 * options.segment_bytes;
  const auto store = open_store(options);
  const auto bytes = some_bytes(1024 * kib, 9);
  std::vector<std::unique_ptr<content::BlobWriter>> open;
  for (int i = 0; i < 4; ++i) {
    auto writer = store->create(BlobId("ab-" + std::to_string(i)), std::nullopt);
    ASSERT_TRUE(writer);
    open.push_back(*std::move(writer));
  }
  for (std::size_t at = 0; at < bytes.size(); at += 128 * kib)
    for (auto& writer : open) ASSERT_TRUE(writer->append(std::span(bytes).subspan(at, 128 * kib)));
  for (auto& writer : open) ASSERT_TRUE(writer->flush());
  std::size_t shorter = 0;
  for (const auto& key : keys()) {
    const auto size = std::filesystem::file_size(folder_objects_.file_of(key));
    EXPECT_GE(size, 256 * kib);
    shorter += size < options.segment_bytes ? 1 : 0;
  }
  EXPECT_GT(shorter, 0U);
  EXPECT_LE(store->memory().most_used_bytes, options.memory_bytes_max);
}

TEST_F(SegmentedBlobStoreTest, WhatHasBeenReadDoesNotMakeSegmentsShorter) {
  auto options = small_segments();
  options.segment_bytes = 1024 * kib;
  options.memory_bytes_max = 2 * options.segment_bytes;
  const auto store = open_store(options);
  const auto bytes = some_bytes(6 * options.segment_bytes, 9);
  put(*store, id_, bytes);
  expect_content(*store, id_, bytes);
  ASSERT_EQ(store->memory().used_bytes, options.memory_bytes_max) << "kept in case it is read again";
  ASSERT_TRUE(store->remove(id_));
  auto one = store->create(id_, std::nullopt);
  auto other = store->create(other_id_, std::nullopt);
  ASSERT_TRUE(one && other);
  for (std::size_t at = 0; at < options.segment_bytes; at += 128 * kib)
    for (auto* writer : {&*one, &*other}) ASSERT_TRUE((*writer)->append(std::span(bytes).subspan(at, 128 * kib)));
  ASSERT_TRUE((*one)->flush());
  ASSERT_TRUE((*other)->flush());
  EXPECT_THAT(keys(), SizeIs(2)) << "a whole segment each";
}

TEST_F(SegmentedBlobStoreTest, TwoHundredWritersAndFiftyReadersStayWithinTheMemory) {
  constexpr std::size_t writers = 200;
  constexpr std::size_t readers = 50;
  constexpr std::size_t threads = 8;
  constexpr std::size_t blob_bytes = 100'000;
  auto options = small_segments();
  options.threads = 4;
  options.memory_bytes_max = 8 * segment_bytes;
  const auto store = open_store(options);
  const auto read_blob = some_bytes(3 * segment_bytes, 1);
  for (std::size_t i = 0; i < readers; ++i) put(*store, BlobId("cd-" + std::to_string(i)), read_blob);
  const auto written = some_bytes(blob_bytes, 2);
  {
    std::vector<std::jthread> running;
    for (std::size_t thread = 0; thread < threads; ++thread)
      running.emplace_back([&, thread] {
        std::vector<std::unique_ptr<content::BlobWriter>> open;
        for (std::size_t i = thread; i < writers; i += threads) {
          auto writer = store->create(BlobId("ab-" + std::to_string(i)), std::nullopt);
          ASSERT_TRUE(writer);
          open.push_back(*std::move(writer));
        }
        // All of them are open, and each waits for its client most of the time.
        for (std::size_t at = 0; at < blob_bytes; at += 20'000)
          for (auto& writer : open) ASSERT_TRUE(writer->append(std::span(written).subspan(at, 20'000)));
        for (auto& writer : open) ASSERT_TRUE(writer->commit());
      });
    for (std::size_t i = 0; i < readers; ++i)
      running.emplace_back([&, i] { expect_content(*store, BlobId("cd-" + std::to_string(i)), read_blob); });
  }
  EXPECT_LE(store->memory().most_used_bytes, options.memory_bytes_max);
  for (std::size_t i = 0; i < writers; i += 17) expect_content(*store, BlobId("ab-" + std::to_string(i)), written);
}

}  // namespace
}  // namespace quire::adapters::objects
