#include "suites/object_store_suite.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "support/seed.h"

namespace quire::test_suites {
namespace {

using base::ErrorKind;
using content::ObjectStore;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::size_t mib = 1 << 20;
using Bytes = std::vector<std::byte>;

/// Bytes that differ wherever two objects, or two places of one, could be mixed up.
Bytes some_bytes(std::size_t size, std::uint64_t seed) {
  Bytes bytes(size);
  std::mt19937_64 random(seed);
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::byte>(random()); });
  return bytes;
}

std::string sha256(std::span<const std::byte> bytes) {
  return base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex;
}

base::Result<void> put(ObjectStore& store, std::string_view key, std::span<const std::byte> bytes) {
  return store.put(key, bytes, sha256(bytes));
}

/// The bytes of an object from `offset` on, `most` at most.
Bytes read(ObjectStore& store, std::string_view key, std::int64_t offset, std::size_t most) {
  Bytes buffer(most);
  const auto got = store.get(key, offset, buffer);
  EXPECT_TRUE(got) << got.error().text() << got.error().cause();
  buffer.resize(got ? *got : 0);
  return buffer;
}

/// Not EXPECT_EQ, which would print megabytes.
void expect_content(ObjectStore& store, std::string_view key, std::span<const std::byte> bytes) {
  EXPECT_TRUE(std::ranges::equal(read(store, key, 0, bytes.size() + 1), bytes)) << "the bytes of " << key << " differ";
}

void expect_missing(ObjectStore& store, std::string_view key) {
  std::array<std::byte, 10> buffer{};
  const auto got = store.get(key, 0, buffer);
  ASSERT_FALSE(got) << key;
  EXPECT_EQ(got.error().kind(), ErrorKind::not_found);
}

/// All pages.
std::vector<ObjectStore::Listed> listed(ObjectStore& store, std::string_view prefix) {
  std::vector<ObjectStore::Listed> all;
  std::string next;
  do {
    auto page = store.list(prefix, next);
    EXPECT_TRUE(page) << page.error().text() << page.error().cause();
    if (!page) return all;
    EXPECT_LE(page->objects.size(), 3U);
    all.insert(all.end(), page->objects.begin(), page->objects.end());
    next = page->next;
  } while (!next.empty());
  return all;
}

std::vector<std::string> keys(ObjectStore& store, std::string_view prefix) {
  std::vector<std::string> keys;
  for (const auto& object : listed(store, prefix)) keys.push_back(object.key);
  return keys;
}

}  // namespace

void ObjectStoreSuite::SetUp() {
  std::string why;
  place_ = GetParam().make_place(why);
  if (!place_) GTEST_SKIP() << why;
}

void ObjectStoreSuite::TearDown() {
  if (!place_) return;
  EXPECT_TRUE(place_->store().remove(keys(place_->store(), "")));
  EXPECT_THAT(keys(place_->store(), ""), IsEmpty());
}

TEST_P(ObjectStoreSuite, GivesBackWhatWasPut) {
  auto& store = place_->store();
  const auto seed = test_support::test_seed();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65'536}, mib + 1, 8 * mib}) {
    SCOPED_TRACE(testing::Message() << size << " bytes");
    const auto bytes = some_bytes(size, seed + size);
    const auto key = "size/" + std::to_string(size);
    const auto stored = put(store, key, bytes);
    ASSERT_TRUE(stored) << stored.error().text() << stored.error().cause();
    expect_content(store, key, bytes);
  }
}

TEST_P(ObjectStoreSuite, ReadsAnyRange) {
  auto& store = place_->store();
  const auto bytes = some_bytes(10'000, 1);
  ASSERT_TRUE(put(store, "ranges", bytes));
  const auto part = [&](std::size_t first, std::size_t count) {
    return Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(first),
                 bytes.begin() + static_cast<std::ptrdiff_t>(first + count));
  };
  EXPECT_EQ(read(store, "ranges", 0, 4000), part(0, 4000));
  EXPECT_EQ(read(store, "ranges", 4999, 4000), part(4999, 4000));
  EXPECT_EQ(read(store, "ranges", 9000, 4000), part(9000, 1000));
  EXPECT_EQ(read(store, "ranges", 9999, 1), part(9999, 1));
  EXPECT_EQ(read(store, "ranges", 0, 10'000), bytes);
  EXPECT_THAT(read(store, "ranges", 10'000, 10), IsEmpty());
  EXPECT_THAT(read(store, "ranges", std::int64_t{1} << 40, 10), IsEmpty());
  EXPECT_THAT(read(store, "ranges", 5, 0), IsEmpty());
}

TEST_P(ObjectStoreSuite, AnEmptyObjectHasNoBytesAnywhere) {
  auto& store = place_->store();
  ASSERT_TRUE(put(store, "empty", {}));
  EXPECT_THAT(read(store, "empty", 0, 10), IsEmpty());
  EXPECT_THAT(read(store, "empty", 5, 10), IsEmpty());
  ASSERT_EQ(listed(store, "").size(), 1U);
  EXPECT_EQ(listed(store, "")[0].size, 0);
}

TEST_P(ObjectStoreSuite, WhatIsNotThereIsNotFound) {
  auto& store = place_->store();
  expect_missing(store, "nothing");
  expect_missing(store, "deep/below/nothing");
  ASSERT_TRUE(put(store, "something-else", some_bytes(10, 2)));
  expect_missing(store, "something");
}

TEST_P(ObjectStoreSuite, NothingIsReplaced) {
  auto& store = place_->store();
  const auto bytes = some_bytes(100, 3);
  ASSERT_TRUE(put(store, "once", bytes));
  for (const auto& others : {bytes, some_bytes(100, 4), Bytes{}}) {
    const auto again = put(store, "once", others);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind(), ErrorKind::already_exists);
  }
  expect_content(store, "once", bytes);
}

TEST_P(ObjectStoreSuite, OfPutsAtOnceOneWins) {
  auto& store = place_->store();
  constexpr std::size_t threads = 8;
  std::array<std::atomic<bool>, threads> won{};
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> running;
    for (std::size_t thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread] {
        const auto stored = put(store, "contended", some_bytes(50'000, thread));
        won[thread] = static_cast<bool>(stored);
        if (!stored && stored.error().kind() == ErrorKind::already_exists) ++refused;
      });
    }
  }
  ASSERT_EQ(std::count(won.begin(), won.end(), true), 1);
  EXPECT_EQ(refused, static_cast<int>(threads) - 1);
  const auto winner = static_cast<std::uint64_t>(std::find(won.begin(), won.end(), true) - won.begin());
  expect_content(store, "contended", some_bytes(50'000, winner));
}

TEST_P(ObjectStoreSuite, BytesThatDoNotHaveTheirDigestAreNotStored) {
  auto& store = place_->store();
  const auto bytes = some_bytes(1000, 5);
  const auto stored = store.put("damaged", bytes, sha256(some_bytes(1000, 6)));
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind(), ErrorKind::service_unavailable);
  expect_missing(store, "damaged");
  EXPECT_TRUE(put(store, "damaged", bytes));
}

TEST_P(ObjectStoreSuite, KeysAreToldApart) {
  auto& store = place_->store();
  const std::vector<std::string> all = {"a-b", "a.b", "a/b", "a0/b", "a_b", "ab", "b/.-_/...x", "c/d/e/f/g/h"};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto stored = put(store, all[i], some_bytes(10 + i, i));
    ASSERT_TRUE(stored) << all[i] << stored.error().text() << stored.error().cause();
  }
  for (std::size_t i = 0; i < all.size(); ++i) expect_content(store, all[i], some_bytes(10 + i, i));
  EXPECT_EQ(keys(store, ""), all);
}

TEST_P(ObjectStoreSuite, ListsByPrefixInPages) {
  auto& store = place_->store();
  EXPECT_THAT(keys(store, ""), IsEmpty());
  const auto before = base::SystemClock().now();
  for (const std::string key : {"x/10", "x/1", "x/2", "y/1", "x1"})
    ASSERT_TRUE(put(store, key, some_bytes(key.size(), 7)));
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(put(store, "z/" + std::to_string(i), some_bytes(1, 7)));
  EXPECT_THAT(keys(store, "x/"), ElementsAre("x/1", "x/10", "x/2"));
  EXPECT_THAT(keys(store, "x/1"), ElementsAre("x/1", "x/10"));
  EXPECT_THAT(keys(store, "x"), ElementsAre("x/1", "x/10", "x/2", "x1"));
  EXPECT_THAT(keys(store, "nothing"), IsEmpty());
  EXPECT_THAT(keys(store, "z/"), ElementsAre("z/0", "z/1", "z/2", "z/3", "z/4", "z/5", "z/6"));
  EXPECT_EQ(keys(store, "").size(), 12U);
  for (const auto& object : listed(store, "x")) {
    EXPECT_EQ(object.size, static_cast<std::int64_t>(object.key.size()));
    EXPECT_GE(object.modified, before - std::chrono::seconds(2));  // S3 shows seconds
    EXPECT_LE(object.modified, base::SystemClock().now() + std::chrono::seconds(2));
  }
}

TEST_P(ObjectStoreSuite, ObjectsMayBeRemovedWhileTheyAreListed) {
  auto& store = place_->store();
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(put(store, "k/" + std::to_string(i), some_bytes(1, 8)));
  std::vector<std::string> seen;
  std::string next;
  do {
    const auto page = store.list("k/", next);
    ASSERT_TRUE(page);
    std::vector<std::string> some;
    for (const auto& object : page->objects) some.push_back(object.key);
    ASSERT_TRUE(store.remove(some));
    seen.insert(seen.end(), some.begin(), some.end());
    next = page->next;
  } while (!next.empty());
  EXPECT_EQ(seen.size(), 8U);
  EXPECT_THAT(keys(store, ""), IsEmpty());
}

TEST_P(ObjectStoreSuite, RemovesManyAndWhatIsNotThere) {
  auto& store = place_->store();
  EXPECT_TRUE(store.remove({}));
  std::vector<std::string> removed;
  for (int i = 0; i < 2500; ++i) removed.push_back("r/" + std::to_string(i));
  for (const std::string key : {"r/0", "r/1500", "r/2499", "r/kept"}) ASSERT_TRUE(put(store, key, some_bytes(9, 9)));
  const auto done = store.remove(removed);
  ASSERT_TRUE(done) << done.error().text() << done.error().cause();
  EXPECT_THAT(keys(store, ""), ElementsAre("r/kept"));
  EXPECT_TRUE(store.remove(removed));
  expect_missing(store, "r/1500");
  expect_content(store, "r/kept", some_bytes(9, 9));
}

TEST_P(ObjectStoreSuite, ManyThreadsMayUseIt) {
  auto& store = place_->store();
  constexpr int threads = 4;
  constexpr int objects = 10;  // of each thread
  {
    std::vector<std::jthread> running;
    for (int thread = 0; thread < threads; ++thread) {
      running.emplace_back([&store, thread] {
        const auto folder = "t" + std::to_string(thread) + "/";
        for (int i = 0; i < objects; ++i) {
          const auto key = folder + std::to_string(i);
          const auto bytes = some_bytes(20'000, static_cast<std::uint64_t>(thread * 1000 + i));
          EXPECT_TRUE(put(store, key, bytes));
          expect_content(store, key, bytes);
          EXPECT_EQ(keys(store, folder).size(), static_cast<std::size_t>(i) + 1);
        }
        EXPECT_TRUE(store.remove(std::vector{folder + "0"}));
      });
    }
  }
  EXPECT_EQ(keys(store, "").size(), static_cast<std::size_t>(threads * (objects - 1)));
}

}  // namespace quire::test_suites
