#include <atomic>
#include <optional>
#include <set>

#include "adapters/objects/segmented_blob_store_fixture.h"
#include "base/error.h"
#include "content/object_store.h"

namespace quire::adapters::objects {
namespace {

using base::ErrorKind;
using content::BlobId;
using test_support::FailingObjectStore;
using test_support::FaultPoint;
using test_support::Faults;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Afterwards = FailingObjectStore::Afterwards;

class SegmentedBlobStoreFaults : public SegmentedBlobStoreTest {
 protected:
  /// What a client was told of one blob.
  struct Acknowledged {
    std::size_t bytes = 0;  ///< durable, from the first one on
    bool kept = false;      ///< a row names it: it must survive
    bool committed = false;
  };

  /// One upload in two parts with a replacement, a reopening and a second commit, then the removal of another blob.
  /// Ends at the first failure, as the services do; and their writers then go.
  void act(SegmentedBlobStore& store, Acknowledged& blob, Acknowledged& other) {
    if (upload(store, other_id_, other)) {
      other = {};  // its row has gone before
      if (!store.remove(other_id_)) return;
    }
    if (!upload(store, id_, blob)) return;
    blob.committed = false;  // its row says so before
    if (!store.reopen(id_)) return;
    auto last = store.resume(id_, static_cast<std::int64_t>(bytes_.size()));
    if (last && (*last)->commit()) blob.committed = true;
  }

  bool upload(SegmentedBlobStore& store, const BlobId& id, Acknowledged& blob) {
    const auto all = std::span<const std::byte>(bytes_);
    {
      auto writer = store.create(id, std::nullopt);
      if (!writer) return false;
      if (!(*writer)->append(all.first(first_part - 100)) || !(*writer)->append(others_)) return false;
      const auto synced = (*writer)->sync();
      if (!synced) return false;
      EXPECT_LE(*synced, static_cast<std::int64_t>(first_part));
      // What has been synced is named from here on, but not the bytes that are others than they should be.
      (*writer)->detach();
      blob.kept = *synced > 0;
      blob.bytes = std::min(static_cast<std::size_t>(*synced), first_part - 100);
      if (!blob.kept) {  // nothing can be kept by name yet
        const bool flushed = static_cast<bool>((*writer)->flush());
        blob.kept = flushed;
        blob.bytes = flushed ? first_part - 100 : 0;
        if (!flushed) return false;
      } else if (!(*writer)->flush()) {
        return false;
      }
      blob.bytes = first_part - 100;
    }
    auto writer = store.resume(id, first_part - 100);
    if (!writer || !(*writer)->append(all.subspan(first_part - 100)) || !(*writer)->flush()) return false;
    blob.bytes = all.size();
    writer->reset();
    auto last = store.resume(id, static_cast<std::int64_t>(all.size()));
    if (!last || !(*last)->commit()) return false;
    blob.committed = true;
    return true;
  }

  /// After a restart that does what the sweep of orphans does.
  void check(const Acknowledged& blob, const Acknowledged& other) {
    auto store = open_store();
    const auto keeps = [&](const BlobId& id) { return (id == id_ && blob.kept) || (id == other_id_ && other.kept); };
    for (const auto& id : listed(*store)) expect_content(*store, BlobId(id), bytes_);  // a committed blob is whole
    ASSERT_TRUE(store->remove_unfinished(keeps));
    for (const auto& id : listed(*store))
      if (!keeps(BlobId(id))) {
        EXPECT_TRUE(store->remove(BlobId(id)));
      }
    check(*store, id_, blob);
    check(*store, other_id_, other);
    for (const auto& key : keys()) EXPECT_TRUE(keeps(BlobId(key.substr(0, key.find('/'))))) << key << " has leaked";
    ASSERT_TRUE(store->remove(id_));
    ASSERT_TRUE(store->remove(other_id_));
    store.reset();
    EXPECT_THAT(keys(), IsEmpty());
  }

  void check(SegmentedBlobStore& store, const BlobId& id, const Acknowledged& blob) {
    if (blob.committed) return expect_content(store, id, bytes_);
    if (!blob.kept) return;
    auto reader = store.open_unfinished(id);
    if (!reader) reader = store.open(id);  // it was committed, but nobody learnt it
    ASSERT_TRUE(reader) << "acknowledged bytes are lost";
    const auto all = read_all(**reader);
    ASSERT_GE(all.size(), blob.bytes);
    EXPECT_TRUE(std::ranges::equal(std::span(all).first(blob.bytes), std::span(bytes_).first(blob.bytes)));
    reader->reset();
    if (blob.bytes < bytes_.size() && !store.open_unfinished(id)) return;
    // And it can go on.
    if (auto writer = store.resume(id, static_cast<std::int64_t>(blob.bytes))) {
      ASSERT_TRUE((*writer)->append(std::span(bytes_).subspan(blob.bytes)));
      ASSERT_TRUE((*writer)->commit());
    }
    expect_content(store, id, bytes_);
  }

  void strike_each_call(Afterwards afterwards, const std::set<FaultPoint>& points) {
    std::size_t k = 1;
    for (;; ++k) {
      Faults faults(Faults::Kind::error, k, points);
      Acknowledged blob;
      Acknowledged other;
      {
        const auto store = open_store(faults, afterwards);
        act(*store, blob, other);
      }
      SCOPED_TRACE(faults.where());
      check(blob, other);
      if (HasFailure() || !faults.struck()) break;
    }
    EXPECT_GT(k, 15U) << "there are more calls than that";
  }

  static constexpr std::size_t first_part = 2 * segment_bytes + 500;
  const Bytes bytes_ = some_bytes(4 * segment_bytes + 3, 1);
  const Bytes others_ = some_bytes(100, 2);
};

TEST_F(SegmentedBlobStoreFaults, ACallThatFails) {
  strike_each_call(Afterwards::works, {FaultPoint::before_object_call});
}

TEST_F(SegmentedBlobStoreFaults, ACallWhoseAnswerIsLost) {
  strike_each_call(Afterwards::works, {FaultPoint::after_object_call});
}

TEST_F(SegmentedBlobStoreFaults, TheProcessDiesBeforeACall) {
  strike_each_call(Afterwards::is_gone, {FaultPoint::before_object_call});
}

TEST_F(SegmentedBlobStoreFaults, TheProcessDiesAfterACall) {
  strike_each_call(Afterwards::is_gone, {FaultPoint::after_object_call});
}

/// An object store with which single calls can be made to fail.
class TrickyObjects final : public content::ObjectStore {
 public:
  explicit TrickyObjects(content::ObjectStore& inner) : inner_(inner) {}

  base::Result<void> put(std::string_view key, std::span<const std::byte> bytes, std::string_view sha256) override {
    const bool is_index = key.ends_with("/index");
    if (is_index && index_is_refused) return unavailable();
    if (!is_index && segments_are_full)
      return base::Error(ErrorKind::unable_to_allocate_resource, "test.full", "Full.");
    auto done = inner_.put(key, bytes, sha256);
    if (!is_index && segment_answers_are_lost) return unavailable();
    return is_index && index_answer_is_lost ? base::Result<void>(unavailable()) : done;
  }
  base::Result<std::size_t> get(std::string_view key, std::int64_t offset, std::span<std::byte> buffer) override {
    if (gets_fail) return unavailable();
    return inner_.get(key, offset, buffer);
  }
  base::Result<void> remove(std::span<const std::string> keys) override {
    if (removals_fail) return unavailable();
    return inner_.remove(keys);
  }
  base::Result<Page> list(std::string_view prefix, std::string_view next) override {
    if (second_pages_fail && !next.empty()) return unavailable();
    return inner_.list(prefix, next);
  }

  std::atomic<bool> index_is_refused = false;
  std::atomic<bool> index_answer_is_lost = false;
  std::atomic<bool> segments_are_full = false;
  std::atomic<bool> segment_answers_are_lost = false;
  std::atomic<bool> gets_fail = false;
  std::atomic<bool> removals_fail = false;
  std::atomic<bool> second_pages_fail = false;

 private:
  static base::Error unavailable() { return {ErrorKind::service_unavailable, "test.unavailable", "No answer."}; }

  content::ObjectStore& inner_;
};

class SegmentedBlobStoreTricks : public SegmentedBlobStoreTest {
 protected:
  void SetUp() override {
    auto objects = std::make_unique<TrickyObjects>(folder_objects_);
    tricks_ = objects.get();
    store_ = std::make_unique<SegmentedBlobStore>(std::move(objects), small_segments());
  }

  std::unique_ptr<content::BlobWriter> writer_of(const Bytes& bytes) {
    auto writer = store_->create(id_, std::nullopt);
    EXPECT_TRUE(writer);
    EXPECT_TRUE((*writer)->append(bytes));
    return *std::move(writer);
  }

  TrickyObjects* tricks_ = nullptr;
  std::unique_ptr<SegmentedBlobStore> store_;
};

TEST_F(SegmentedBlobStoreTricks, ACommitWhoseAnswerIsLostIsReadBack) {
  const auto bytes = some_bytes(100, 1);
  auto writer = writer_of(bytes);
  tricks_->index_answer_is_lost = true;
  EXPECT_TRUE(writer->commit());
  writer.reset();
  expect_content(*store_, id_, bytes);
}

TEST_F(SegmentedBlobStoreTricks, ACommitOfWhichNothingIsKnownRemovesNothing) {
  const auto bytes = some_bytes(100, 1);
  auto writer = writer_of(bytes);
  tricks_->index_answer_is_lost = true;
  tricks_->gets_fail = true;
  EXPECT_FALSE(writer->commit());
  writer.reset();
  tricks_->gets_fail = false;
  EXPECT_THAT(keys(), SizeIs(2));
  expect_content(*store_, id_, bytes);
  const auto resumed = store_->resume(id_, 0);
  ASSERT_FALSE(resumed) << "it is committed";
}

TEST_F(SegmentedBlobStoreTricks, ACommitThatFailedCanBeRepeated) {
  const auto bytes = some_bytes(100, 1);
  auto writer = writer_of(bytes);
  writer->detach();
  tricks_->index_is_refused = true;
  EXPECT_FALSE(writer->commit());
  writer.reset();
  tricks_->index_is_refused = false;
  auto last = store_->resume(id_, 100);
  ASSERT_TRUE(last);
  EXPECT_TRUE((*last)->commit());
  expect_content(*store_, id_, bytes);
}

/// The first put of an index arrived after it had been looked for, and other bytes were written since.
TEST_F(SegmentedBlobStoreTricks, AnIndexThatComesLateGivesWay) {
  auto writer = writer_of(some_bytes(100, 1));
  ASSERT_TRUE(writer->flush());
  writer->detach();
  {
    SegmentedBlobStore late(std::make_unique<TrickyObjects>(folder_objects_), small_segments());
    auto last = late.resume(id_, 100);
    ASSERT_TRUE(last);
    ASSERT_TRUE((*last)->commit());
  }
  const auto bytes = some_bytes(200, 2);
  auto again = store_->resume(id_, 0);
  ASSERT_TRUE(again);
  ASSERT_TRUE((*again)->append(bytes));
  EXPECT_TRUE((*again)->commit());
  expect_content(*store_, id_, bytes);
}

TEST_F(SegmentedBlobStoreTricks, AFullStoreSaysSo) {
  auto writer = writer_of({});
  tricks_->segments_are_full = true;
  ASSERT_TRUE(writer->append(some_bytes(100, 1)));
  const auto flushed = writer->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().kind(), ErrorKind::unable_to_allocate_resource);
}

TEST_F(SegmentedBlobStoreTricks, AFailureInTheBackgroundIsToldByTheNextCalls) {
  auto writer = writer_of({});
  tricks_->segments_are_full = true;
  const auto bytes = some_bytes(segment_bytes, 1);
  // At most three can be on their way, so the fifth learns it.
  bool failed = false;
  for (int i = 0; i < 5 && !failed; ++i) failed = !writer->append(bytes);
  EXPECT_TRUE(failed);
  writer.reset();
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(SegmentedBlobStoreTricks, WhatCouldNotBeRemovedAfterACommitGoesLater) {
  auto writer = writer_of(some_bytes(100, 1));
  ASSERT_TRUE(writer->flush());
  auto again = store_->resume(id_, 0);
  ASSERT_TRUE(again);
  ASSERT_TRUE((*again)->append(some_bytes(200, 2)));
  tricks_->removals_fail = true;
  ASSERT_TRUE((*again)->commit());
  EXPECT_THAT(keys(), SizeIs(3));
  tricks_->removals_fail = false;
  ASSERT_TRUE(store_->remove(other_id_));
  EXPECT_THAT(keys(), SizeIs(2));
  expect_content(*store_, id_, some_bytes(200, 2));
}

TEST_F(SegmentedBlobStoreTricks, ASegmentThatMayBeThereGoesWithItsWriter) {
  tricks_->segment_answers_are_lost = true;
  auto writer = writer_of(some_bytes(100, 1));
  EXPECT_FALSE(writer->flush());
  EXPECT_THAT(keys(), SizeIs(1));
  writer.reset();
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(SegmentedBlobStoreTricks, ASegmentThatMayBeThereGoesWithTheCommit) {
  tricks_->segment_answers_are_lost = true;
  auto writer = writer_of(some_bytes(100, 1));
  EXPECT_FALSE(writer->flush());
  writer->detach();
  writer.reset();
  tricks_->segment_answers_are_lost = false;
  auto again = store_->resume(id_, 0);
  ASSERT_TRUE(again);
  const auto bytes = some_bytes(200, 2);
  ASSERT_TRUE((*again)->append(bytes));
  EXPECT_THAT(keys(), SizeIs(1)) << "what may be there is removed once it cannot be needed";
  ASSERT_TRUE((*again)->commit());
  expect_content(*store_, id_, bytes);
  EXPECT_THAT(keys(), SizeIs(2));
}

TEST_F(SegmentedBlobStoreTricks, AListingThatFailsOnALaterPageRemovesAndShowsNothing) {
  const auto bytes = some_bytes(10 * segment_bytes, 1);
  auto writer = writer_of(bytes);
  ASSERT_TRUE(writer->flush());
  writer->detach();
  put(*store_, other_id_, bytes);
  const auto before = keys();
  tricks_->second_pages_fail = true;
  EXPECT_FALSE(store_->remove_unfinished(nobody));
  bool visited = false;
  EXPECT_FALSE(store_->list([&](const BlobId&) { visited = true; }));
  EXPECT_FALSE(visited);
  EXPECT_EQ(keys(), before);
  tricks_->second_pages_fail = false;
  EXPECT_TRUE(store_->remove_unfinished(nobody));
  expect_content(*store_, other_id_, bytes);
  EXPECT_THAT(listed(*store_), ElementsAre(other_id_.text()));
  EXPECT_THAT(keys(), SizeIs(11));
}

/// Taking it for new would lose the blob that is there.
TEST_F(SegmentedBlobStoreTricks, NothingIsBegunOrMissingWhileTheStoreDoesNotAnswer) {
  put(*store_, id_, some_bytes(10, 1));
  tricks_->gets_fail = true;
  const auto created = store_->create(id_, std::nullopt);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind(), ErrorKind::service_unavailable);
  const auto opened = store_->open(id_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::service_unavailable);
}

}  // namespace
}  // namespace quire::adapters::objects
