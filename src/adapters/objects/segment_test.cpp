#include "adapters/objects/segment.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "adapters/objects/blob_index.h"
#include "base/error.h"
#include "support/seed.h"

namespace quire::adapters::objects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string digest(64, 'a');

Segment segment(std::int64_t first, std::int64_t size, std::uint64_t order) { return {first, size, order, digest}; }

TEST(Segment, IsWhatItsNameSays) {
  const auto one = segment(0x123456789, 77, 0x1'0000'0002);
  EXPECT_EQ(one.name(), "0000000123456789-0000000100000002-" + digest);
  EXPECT_EQ(segment_of(one.name(), 77), one);
}

TEST(Segment, OtherNamesAreNone) {
  const auto name = segment(1, 2, 3).name();
  EXPECT_FALSE(segment_of("index", 1));
  EXPECT_FALSE(segment_of("", 1));
  EXPECT_FALSE(segment_of(name + "0", 1));
  EXPECT_FALSE(segment_of(name.substr(1), 1));
  EXPECT_FALSE(segment_of(name, -1));
  EXPECT_FALSE(segment_of("f" + name.substr(1), 1)) << "no position of a blob";
  EXPECT_FALSE(segment_of("7fffffffffffffff" + name.substr(16), 1)) << "ends behind the last position";
  auto upper = name;
  upper[40] = 'A';
  EXPECT_FALSE(segment_of(upper, 1));
}

TEST(Segment, KeysOfOtherThingsStandForNothing) {
  EXPECT_EQ(place_of_key("ab-1/index")->name, "index");
  EXPECT_EQ(place_of_key("ab-1/" + segment(0, 0, 1).name())->blob.text(), "ab-1");
  for (const auto* key : {"quire.json", "ab-1", "ab-1/", "ab-1/other", "xx-1/index", "ab-1/a/index", "/index", ""})
    EXPECT_FALSE(place_of_key(key)) << key;
}

TEST(Compose, TakesTheLaterOfTwo) {
  EXPECT_THAT(compose({segment(0, 100, 1), segment(40, 20, 2)}, 100),
              ElementsAre(Extent{segment(0, 100, 1), 0, 40}, Extent{segment(40, 20, 2), 0, 20},
                          Extent{segment(0, 100, 1), 60, 40}));
  EXPECT_THAT(compose({segment(40, 20, 2), segment(0, 100, 3)}, 100), ElementsAre(Extent{segment(0, 100, 3), 0, 100}));
  EXPECT_THAT(compose({segment(0, 100, 1)}, 30), ElementsAre(Extent{segment(0, 100, 1), 0, 30}));
  EXPECT_THAT(compose({segment(50, 10, 1), segment(0, 0, 2)}, 50), IsEmpty());
}

/// Against the plain way: byte by byte.
TEST(Compose, GivesEachByteTheLastThatWasWrittenThere) {
  std::mt19937_64 random(test_support::test_seed());
  for (int round = 0; round < 2000; ++round) {
    constexpr std::size_t positions = 40;
    const auto end = static_cast<std::int64_t>(random() % (positions + 1));
    std::vector<Segment> segments;
    std::vector<std::uint64_t> expected(positions, 0);
    for (std::uint64_t order = 1; order <= 1 + random() % 8; ++order) {
      const auto first = random() % positions;
      const auto size = random() % (positions - first + 1);
      segments.push_back(segment(static_cast<std::int64_t>(first), static_cast<std::int64_t>(size), order));
      std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(first), size, order);
    }
    std::fill(expected.begin() + end, expected.end(), 0);
    std::ranges::shuffle(segments, random);
    std::vector<std::uint64_t> got(positions, 0);
    std::int64_t behind = 0;
    for (const auto& extent : compose(segments, end)) {
      ASSERT_GT(extent.length, 0);
      ASSERT_GE(extent.offset, 0);
      ASSERT_LE(extent.offset + extent.length, extent.segment.size);
      ASSERT_GE(extent.first(), behind);
      behind = extent.end();
      std::fill_n(got.begin() + extent.first(), extent.length, extent.segment.order);
    }
    ASSERT_EQ(got, expected);
  }
}

TEST(BlobIndex, ComesBackAsItWas) {
  const BlobIndex index{90, {Extent{segment(0, 100, 1), 0, 40}, Extent{segment(30, 60, 2), 10, 50}}};
  const auto again = blob_index_of(text_of(index));
  ASSERT_TRUE(again) << again.error().cause();
  EXPECT_EQ(again->size, 90);
  EXPECT_EQ(again->extents, index.extents);
  const auto empty = blob_index_of(text_of({}));
  ASSERT_TRUE(empty);
  EXPECT_THAT(empty->extents, IsEmpty());
}

TEST(BlobIndex, EveryDamagedByteShows) {
  const auto text = text_of({40, {Extent{segment(0, 100, 1), 0, 40}}});
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    ASSERT_FALSE(blob_index_of(damaged)) << i;
    ASSERT_FALSE(blob_index_of(text.substr(0, i))) << i;
  }
}

TEST(BlobIndex, WhatDoesNotFitTogetherIsRefused) {
  const auto refused = [](const BlobIndex& index) {
    const auto read = blob_index_of(text_of(index));
    return read ? "" : read.error().cause();
  };
  EXPECT_THAT(refused({41, {Extent{segment(0, 100, 1), 0, 40}}}), HasSubstr("size"));
  EXPECT_THAT(refused({40, {Extent{segment(0, 30, 1), 0, 40}}}), HasSubstr("fit"));
  EXPECT_THAT(refused({40, {Extent{segment(0, 30, 1), -1, 40}}}), HasSubstr("fit"));
  EXPECT_THAT(refused({40, {Extent{segment(0, 30, 1), 0, 20}, Extent{segment(25, 15, 2), 0, 15}}}), HasSubstr("fit"));
}

}  // namespace
}  // namespace quire::adapters::objects
