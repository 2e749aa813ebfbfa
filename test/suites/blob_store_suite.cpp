#include "suites/blob_store_suite.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <span>
#include <thread>
#include <utility>

#include "support/seed.h"

namespace quire::test_suites {
namespace {

using base::ErrorKind;
using content::BlobId;
using content::BlobReader;
using content::BlobStore;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::size_t mib = 1 << 20;
const BlobId first_id("00000000-0000-4000-8000-000000000001");
const BlobId second_id("ff000000-0000-4000-8000-000000000002");
const BlobId third_id("00000000-0000-4000-8000-000000000003");

/// Memory whose first byte stands `shift` bytes behind a multiple of 4,096.
class Bytes {
 public:
  Bytes(std::size_t size, std::size_t shift)
      : memory_(static_cast<std::byte*>(std::aligned_alloc(4096, (size + shift + 4096) / 4096 * 4096)), &std::free),
        bytes_(memory_.get() + shift, size) {}
  std::span<std::byte> all() const { return bytes_; }

 private:
  std::unique_ptr<std::byte, void (*)(void*)> memory_;
  std::span<std::byte> bytes_;
};

/// Bytes that differ wherever two blobs, or two places of one blob, could be mixed up.
Bytes some_bytes(std::size_t size, std::uint64_t seed, std::size_t shift = 0) {
  Bytes bytes(size, shift);
  std::mt19937_64 random(seed);
  std::generate(bytes.all().begin(), bytes.all().end(), [&] { return static_cast<std::byte>(random()); });
  return bytes;
}

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

void put(BlobStore& store, const BlobId& id, std::span<const std::byte> bytes,
         std::optional<std::int64_t> expected_bytes = std::nullopt) {
  auto writer = store.create(id, expected_bytes);
  ASSERT_TRUE(writer) << writer.error().cause();
  ASSERT_TRUE((*writer)->append(bytes));
  ASSERT_TRUE((*writer)->commit());
}

/// All bytes of the blob, asked for in pieces of an odd size.
std::vector<std::byte> read_all(BlobReader& reader) {
  std::vector<std::byte> all;
  std::vector<std::byte> piece(77'777);
  while (true) {
    const auto got = reader.read(static_cast<std::int64_t>(all.size()), piece);
    EXPECT_TRUE(got);
    if (!got || *got == 0) return all;
    all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*got));
  }
}

/// Not EXPECT_EQ, which would print megabytes.
void expect_content(BlobStore& store, const BlobId& id, std::span<const std::byte> bytes) {
  auto reader = store.open(id);
  ASSERT_TRUE(reader) << reader.error().cause();
  EXPECT_EQ((*reader)->size(), static_cast<std::int64_t>(bytes.size()));
  EXPECT_TRUE(std::ranges::equal(read_all(**reader), bytes)) << "the bytes differ";
}

std::vector<std::string> listed(BlobStore& store) {
  std::vector<std::string> ids;
  EXPECT_TRUE(store.list([&](const BlobId& id) { ids.push_back(id.text()); }));
  return ids;
}

/// Runs `work` in another process, which dies at its end without any cleaning up.
void in_dying_process(const std::function<bool()>& work) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(work() ? 0 : 1);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) ASSERT_EQ(errno, EINTR);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the other process could not do its work";
}

bool none(const BlobId&) { return false; }

}  // namespace

void BlobStoreSuite::SetUp() {
  std::string why;
  place_ = GetParam().make_place(why);
  if (!place_) GTEST_SKIP() << why;
  store_ = place_->open();
  ASSERT_TRUE(store_);
}

void BlobStoreSuite::TearDown() {
  if (!store_) return;
  for (const auto& id : listed(*store_)) EXPECT_TRUE(store_->remove(BlobId(id)));
  store_.reset();  // what it removes in the background is gone then
  EXPECT_THAT(place_->stored(), IsEmpty()) << "left behind";
}

TEST_P(BlobStoreSuite, GivesBackWhatWasAppended) {
  struct Chunking {
    const char* name;
    std::size_t shift;       ///< of the memory's address from a multiple of 4,096
    std::size_t piece_size;  ///< 0: as drawn by chance
    bool expected;
  };
  const std::array chunkings = {
      Chunking{"all at once", 0, 8 * mib, false},
      Chunking{"all at once, expected", 0, 8 * mib, true},
      Chunking{"all at once, unaligned", 3, 8 * mib, true},
      Chunking{"1 MiB pieces", 0, mib, true},
      Chunking{"4,096", 0, 4096, false},
      Chunking{"4,096, expected, unaligned", 1, 4096, true},
      Chunking{"4,097, so aligned and not", 0, 4097, true},
      Chunking{"by chance", 0, 0, false},
      Chunking{"by chance, expected", 0, 0, true},
  };
  const auto seed = test_support::test_seed();
  std::mt19937_64 random(seed);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4095}, std::size_t{4096},
                                 std::size_t{4097}, mib, mib + 1, 5 * mib + 3}) {
    for (const auto& chunking : chunkings) {
      SCOPED_TRACE(testing::Message() << size << " bytes, " << chunking.name);
      const auto bytes = some_bytes(size, random(), chunking.shift);
      auto writer = store_->create(first_id, chunking.expected ? std::optional<std::int64_t>(size) : std::nullopt);
      ASSERT_TRUE(writer) << writer.error().cause();
      for (std::span<const std::byte> left = bytes.all(); !left.empty();) {
        // Half of the pieces by chance are whole pages, so that both ways of writing follow each other.
        std::size_t piece = chunking.piece_size != 0 ? chunking.piece_size : 1 + random() % (mib + mib / 2);
        if (chunking.piece_size == 0 && piece > 4096 && random() % 2 == 0) piece -= piece % 4096;
        piece = std::min(piece, left.size());
        ASSERT_TRUE((*writer)->append(left.first(piece)));
        left = left.subspan(piece);
      }
      ASSERT_TRUE((*writer)->append({}));
      ASSERT_TRUE((*writer)->commit());
      writer->reset();
      expect_content(*store_, first_id, bytes.all());
      ASSERT_TRUE(store_->remove(first_id));
    }
  }
}

TEST_P(BlobStoreSuite, ReadsAnyRange) {
  const auto bytes = some_bytes(10'000, 1);
  put(*store_, first_id, bytes.all());
  auto reader = store_->open(first_id);
  ASSERT_TRUE(reader);
  std::vector<std::byte> buffer(4000);
  const auto read = [&](std::int64_t offset) {
    const auto got = (*reader)->read(offset, buffer);
    EXPECT_TRUE(got);
    return std::vector<std::byte>(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got ? *got : 0));
  };
  EXPECT_EQ(read(0), copy_of(bytes.all().subspan(0, 4000)));
  EXPECT_EQ(read(4999), copy_of(bytes.all().subspan(4999, 4000)));
  EXPECT_EQ(read(9999), copy_of(bytes.all().subspan(9999, 1)));
  EXPECT_THAT(read(10'000), IsEmpty());
  EXPECT_THAT(read(std::int64_t{1} << 40), IsEmpty());
  const auto nothing = (*reader)->read(0, {});
  ASSERT_TRUE(nothing);
  EXPECT_EQ(*nothing, 0U);
}

TEST_P(BlobStoreSuite, TheFileDescriptorGivesTheSameBytes) {
  const auto bytes = some_bytes(5000, 2);
  put(*store_, first_id, bytes.all());
  auto reader = store_->open(first_id);
  ASSERT_TRUE(reader);
  const auto descriptor = (*reader)->file_descriptor();
  if (!descriptor) GTEST_SKIP() << "this adapter has no local files";
  std::vector<std::byte> buffer(6000);
  ASSERT_EQ(::pread(*descriptor, buffer.data(), buffer.size(), 0), 5000);
  buffer.resize(5000);
  EXPECT_EQ(buffer, copy_of(bytes.all()));
}

TEST_P(BlobStoreSuite, ShowsABlobOnlyOnceItIsCommitted) {
  const auto bytes = some_bytes(2 * mib, 3);
  auto writer = store_->create(first_id, 2 * mib);
  ASSERT_TRUE(writer);
  const auto expect_invisible = [&] {
    const auto reader = store_->open(first_id);
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().kind(), ErrorKind::not_found);
    EXPECT_THAT(listed(*store_), IsEmpty());
  };
  expect_invisible();
  ASSERT_TRUE((*writer)->append(bytes.all()));
  expect_invisible();
  ASSERT_TRUE((*writer)->commit());
  EXPECT_THAT(listed(*store_), ElementsAre(first_id.text()));
  expect_content(*store_, first_id, bytes.all());
  writer->reset();
  expect_content(*store_, first_id, bytes.all());
}

TEST_P(BlobStoreSuite, AnAbandonedWriterLeavesNothing) {
  const auto bytes = some_bytes(2 * mib + 5, 4);
  for (const std::size_t appended : {std::size_t{0}, std::size_t{10}, 2 * mib + 5}) {
    auto writer = store_->create(first_id, 3 * mib);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->append(bytes.all().first(appended)));
    writer->reset();
    EXPECT_THAT(place_->stored(), IsEmpty());
  }
  // Nothing of it stands in the way of the next try.
  put(*store_, first_id, bytes.all());
  expect_content(*store_, first_id, bytes.all());
}

TEST_P(BlobStoreSuite, TheExpectedSizeIsNoPromise) {
  const auto bytes = some_bytes(3 * mib + 7, 5);
  for (const std::size_t expected : {std::size_t{0}, std::size_t{1}, mib, 3 * mib + 6, 3 * mib + 8, 16 * mib}) {
    for (const std::size_t written : {std::size_t{0}, std::size_t{1}, 3 * mib, 3 * mib + 7}) {
      SCOPED_TRACE(testing::Message() << expected << " expected, " << written << " written");
      put(*store_, first_id, bytes.all().first(written), static_cast<std::int64_t>(expected));
      expect_content(*store_, first_id, bytes.all().first(written));
      ASSERT_TRUE(store_->remove(first_id));
    }
  }
}

TEST_P(BlobStoreSuite, WritersDoNotDisturbEachOther) {
  const auto first = some_bytes(2 * mib + 1, 6);
  const auto second = some_bytes(mib + 4096, 7);
  auto first_writer = store_->create(first_id, std::nullopt);
  auto second_writer = store_->create(second_id, mib + 4096);
  ASSERT_TRUE(first_writer);
  ASSERT_TRUE(second_writer);
  for (std::size_t at = 0; at < first.all().size(); at += 4096) {
    ASSERT_TRUE((*first_writer)->append(first.all().subspan(at, std::min<std::size_t>(4096, first.all().size() - at))));
    if (at >= second.all().size()) continue;
    ASSERT_TRUE((*second_writer)->append(second.all().subspan(at, 4096)));
  }
  ASSERT_TRUE((*second_writer)->commit());
  EXPECT_THAT(listed(*store_), ElementsAre(second_id.text()));
  ASSERT_TRUE((*first_writer)->commit());
  expect_content(*store_, first_id, first.all());
  expect_content(*store_, second_id, second.all());
}

TEST_P(BlobStoreSuite, ManyThreadsMayUseIt) {
  constexpr std::size_t threads = 4;
  constexpr std::size_t blobs = 6;  // of each thread
  // The threads share the leading digits, so that they meet in whatever is made for those.
  const auto id_of = [](std::size_t thread, std::size_t blob) {
    return BlobId("a" + std::to_string(blob) + "000000-0000-4000-8000-00000000000" + std::to_string(thread));
  };
  {
    std::vector<std::jthread> running;
    running.reserve(threads);
    for (std::size_t thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread] {
        for (std::size_t blob = 0; blob < blobs; ++blob) {
          const auto bytes = some_bytes(1000 + thread, blob);
          put(*store_, id_of(thread, blob), bytes.all());
          expect_content(*store_, id_of(thread, blob), bytes.all());
        }
      });
    }
  }
  EXPECT_EQ(listed(*store_).size(), threads * blobs);
  for (std::size_t thread = 0; thread < threads; ++thread)
    for (std::size_t blob = 0; blob < blobs; ++blob)
      expect_content(*store_, id_of(thread, blob), some_bytes(1000 + thread, blob).all());
}

TEST_P(BlobStoreSuite, ACommittedBlobIsSealed) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, 2 * mib + 1}) {
    put(*store_, first_id, some_bytes(size, 3).all());
    auto reader = store_->open(first_id);
    ASSERT_TRUE(reader);
    EXPECT_TRUE((*reader)->sealed()) << size;
    EXPECT_TRUE((*reader)->seal());
    EXPECT_TRUE((*reader)->sealed()) << size;
    ASSERT_TRUE(store_->remove(first_id));
  }
}

TEST_P(BlobStoreSuite, AnOpenReaderKeepsTheBytesOfARemovedBlob) {
  const auto bytes = some_bytes(mib + 1, 8);
  put(*store_, first_id, bytes.all());
  auto reader = store_->open(first_id);
  ASSERT_TRUE(reader);
  ASSERT_TRUE(store_->remove(first_id));
  EXPECT_THAT(listed(*store_), IsEmpty());
  const auto again = store_->open(first_id);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), ErrorKind::not_found);
  EXPECT_TRUE(std::ranges::equal(read_all(**reader), bytes.all()));
}

TEST_P(BlobStoreSuite, RemovingWhatIsNotThereIsFine) {
  EXPECT_TRUE(store_->remove(first_id));
  put(*store_, first_id, some_bytes(10, 9).all());
  EXPECT_TRUE(store_->remove(first_id));
  EXPECT_TRUE(store_->remove(first_id));
}

TEST_P(BlobStoreSuite, RemovingABlobLeavesTheOthers) {
  const auto bytes = some_bytes(100, 10);
  put(*store_, first_id, bytes.all());
  put(*store_, third_id, bytes.all());
  ASSERT_TRUE(store_->remove(first_id));
  expect_content(*store_, third_id, bytes.all());
}

TEST_P(BlobStoreSuite, ListsEveryBlobOnce) {
  EXPECT_THAT(listed(*store_), IsEmpty());
  for (const auto& id : {first_id, second_id, third_id}) put(*store_, id, some_bytes(10, 11).all());
  EXPECT_THAT(listed(*store_), UnorderedElementsAre(first_id.text(), second_id.text(), third_id.text()));
}

TEST_P(BlobStoreSuite, BlobsMayBeRemovedWhileTheyAreListed) {
  for (const auto& id : {first_id, second_id, third_id}) put(*store_, id, some_bytes(10, 12).all());
  std::vector<std::string> seen;
  EXPECT_TRUE(store_->list([&](const BlobId& id) {
    seen.push_back(id.text());
    EXPECT_TRUE(store_->remove(id));
  }));
  EXPECT_THAT(seen, UnorderedElementsAre(first_id.text(), second_id.text(), third_id.text()));
  EXPECT_THAT(listed(*store_), IsEmpty());
}

TEST_P(BlobStoreSuite, AnIdIsUsedOnce) {
  const auto bytes = some_bytes(100, 13);
  put(*store_, first_id, bytes.all());
  const auto again = store_->create(first_id, std::nullopt);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), ErrorKind::internal_server_error);
  expect_content(*store_, first_id, bytes.all());
}

TEST_P(BlobStoreSuite, CommittedBlobsSurviveTheProcess) {
  const auto bytes = some_bytes(mib + 9, 14);
  store_.reset();  // the other process alone writes there, and threads do not survive a fork
  in_dying_process([&] {
    const auto store = place_->open();
    auto writer = store->create(first_id, mib + 9);
    if (!writer || !(*writer)->append(bytes.all()) || !(*writer)->commit()) return false;
    writer->release();  // NOLINT(bugprone-unused-return-value): dying without destructors is the point
    return true;
  });
  store_ = place_->open();
  ASSERT_TRUE(store_->remove_unfinished(none));
  EXPECT_THAT(listed(*store_), ElementsAre(first_id.text()));
  expect_content(*store_, first_id, bytes.all());
}

TEST_P(BlobStoreSuite, WhatCrashedWritersLeftIsRemovedAtStart) {
  const auto bytes = some_bytes(2 * mib, 15);
  put(*store_, second_id, bytes.all());
  store_.reset();  // the other process alone writes there, and threads do not survive a fork
  in_dying_process([&] {
    const auto store = place_->open();
    auto untouched = store->create(third_id, std::nullopt);
    auto writer = store->create(first_id, 4 * mib);
    if (!untouched || !writer || !(*writer)->append(bytes.all())) return false;
    ::_exit(0);
  });
  store_ = place_->open();
  const auto reader = store_->open(first_id);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().kind(), ErrorKind::not_found);
  ASSERT_TRUE(store_->remove_unfinished(none));
  EXPECT_THAT(place_->stored(), ElementsAre(second_id.text()));
  expect_content(*store_, second_id, bytes.all());
  ASSERT_TRUE(store_->remove_unfinished(none));
}

TEST_P(BlobStoreSuite, WritersOfOneBlobFillItInAnyOrder) {
  std::mt19937_64 random(test_support::test_seed());
  for (int round = 0; round < 20; ++round) {
    const std::size_t size = 1 + random() % (5 * mib);
    const auto length = static_cast<std::int64_t>(size);
    const auto bytes = some_bytes(size, random());
    std::vector<std::pair<std::size_t, std::size_t>> parts;
    for (std::size_t at = 0; at < size;) {
      auto end = std::min(size, at + 1 + random() % (2 * mib));
      if (random() % 2 == 0) end -= std::min(end - at - 1, end % 4096);
      parts.emplace_back(at, end);
      at = end;
    }
    std::shuffle(parts.begin(), parts.end(), random);
    auto first = store_->create(first_id, random() % 2 == 0 ? std::optional(length) : std::nullopt);
    ASSERT_TRUE(first) << first.error().cause();
    std::vector<std::unique_ptr<content::BlobWriter>> open;
    for (const auto& [at, end] : parts) {
      auto writer = store_->resume(first_id, static_cast<std::int64_t>(at));
      ASSERT_TRUE(writer) << writer.error().cause();
      // As an upload lays it out in memory: as far behind a page as in the file, now and then otherwise.
      Bytes part(end - at, random() % 4 == 0 ? 1 : at % 4096);
      std::ranges::copy(bytes.all().subspan(at, end - at), part.all().begin());
      const auto split = random() % (part.all().size() + 1);
      ASSERT_TRUE((*writer)->append(part.all().first(split)));
      if (random() % 2 == 0) {
        const auto synced = (*writer)->sync();
        ASSERT_TRUE(synced);
        EXPECT_LE(*synced, static_cast<std::int64_t>(at + split));
        EXPECT_GE(*synced, static_cast<std::int64_t>(at));
        EXPECT_GE(*synced + GetParam().unsynced_bytes_max, static_cast<std::int64_t>(at + split));
      }
      ASSERT_TRUE((*writer)->append(part.all().subspan(split)));
      if (random() % 2 == 0)
        ASSERT_TRUE((*writer)->flush());
      else
        open.push_back(*std::move(writer));  // ends later, so that several are open at once
    }
    for (auto& writer : open) ASSERT_TRUE(writer->flush());
    open.clear();
    EXPECT_THAT(listed(*store_), IsEmpty());
    const auto unfinished = store_->open_unfinished(first_id);
    ASSERT_TRUE(unfinished);
    auto so_far = read_all(**unfinished);
    ASSERT_GE(so_far.size(), size);
    so_far.resize(size);
    EXPECT_TRUE(std::ranges::equal(so_far, bytes.all()));
    auto last = store_->resume(first_id, length);
    ASSERT_TRUE(last);
    ASSERT_TRUE((*last)->commit());
    first->reset();  // has nothing to remove any more
    expect_content(*store_, first_id, bytes.all());
    ASSERT_TRUE(store_->remove(first_id));
  }
}

TEST_P(BlobStoreSuite, WhatIsKeptSurvivesTheProcessAndGoesOn) {
  const auto bytes = some_bytes(3 * mib + 5, 21);
  store_.reset();  // the other process alone writes there, and threads do not survive a fork
  in_dying_process([&] {
    const auto store = place_->open();
    auto writer = store->create(first_id, 3 * mib + 5);
    if (!writer || !(*writer)->append(bytes.all().first(mib + 7)) || !(*writer)->flush()) return false;
    (*writer)->detach();
    auto unwanted = store->create(second_id, std::nullopt);
    if (!unwanted || !(*unwanted)->append(bytes.all()) || !(*unwanted)->flush()) return false;
    (*unwanted)->detach();
    return true;
  });
  store_ = place_->open();
  ASSERT_TRUE(store_->remove_unfinished([](const BlobId& id) { return id == first_id; }));
  EXPECT_FALSE(store_->open_unfinished(second_id));
  EXPECT_THAT(listed(*store_), IsEmpty());
  {
    auto writer = store_->resume(first_id, mib + 7);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->append(bytes.all().subspan(mib + 7)));
    ASSERT_TRUE((*writer)->commit());
  }
  expect_content(*store_, first_id, bytes.all());
  const auto again = store_->resume(first_id, 0);
  ASSERT_FALSE(again) << "a committed blob never changes";
  EXPECT_EQ(again.error().kind(), ErrorKind::not_found);
  EXPECT_FALSE(store_->open_unfinished(first_id));
}

TEST_P(BlobStoreSuite, ACommittedBlobCanBeReopened) {
  const auto bytes = some_bytes(mib + 3, 23);
  put(*store_, first_id, bytes.all());
  ASSERT_TRUE(store_->reopen(first_id));
  EXPECT_FALSE(store_->open(first_id));
  EXPECT_THAT(listed(*store_), IsEmpty());
  auto writer = store_->resume(first_id, mib + 3);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->commit());
  expect_content(*store_, first_id, bytes.all());
  const auto missing = store_->reopen(second_id);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::not_found);
}

/// An upload that ends after its session has expired keeps its bytes durable, but nothing names them.
TEST_P(BlobStoreSuite, WhatIsKeptGoesWithItsWriterUnlessItIsLeft) {
  const auto bytes = some_bytes(100, 24);
  auto writer = store_->create(first_id, std::nullopt);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->append(bytes.all()));
  ASSERT_TRUE((*writer)->flush());
  writer->reset();
  EXPECT_FALSE(store_->open_unfinished(first_id));
}

TEST_P(BlobStoreSuite, RemovesUnfinishedBlobs) {
  const auto bytes = some_bytes(100, 22);
  auto writer = store_->create(first_id, std::nullopt);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->append(bytes.all()));
  ASSERT_TRUE((*writer)->flush());
  (*writer)->detach();
  writer->reset();
  EXPECT_TRUE(store_->open_unfinished(first_id));
  EXPECT_FALSE(store_->open(first_id));
  ASSERT_TRUE(store_->remove(first_id));
  EXPECT_FALSE(store_->open_unfinished(first_id));
  EXPECT_FALSE(store_->resume(first_id, 0));
}

TEST_P(BlobStoreSuite, SaysHowMuchSpaceThereIs) {
  const auto space = store_->space();
  ASSERT_TRUE(space);
  EXPECT_GE(space->free_bytes, 0);
  EXPECT_LE(space->free_bytes, space->capacity_bytes);
}

TEST_P(BlobStoreSuite, TheUriNamesTheBlob) {
  const auto uri = store_->uri(first_id);
  EXPECT_NE(uri.find("://"), std::string::npos) << uri;
  EXPECT_TRUE(uri.ends_with("/" + first_id.text())) << uri;
  EXPECT_EQ(uri, store_->uri(first_id));
  EXPECT_NE(uri, store_->uri(second_id));
}

}  // namespace quire::test_suites
