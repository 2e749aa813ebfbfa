#include "service/transfer/chunk_gatherer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "support/seed.h"

namespace quire::service {
namespace {

std::vector<std::byte> some_bytes(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  std::mt19937_64 random(seed);
  std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
  return bytes;
}

TEST(ChunkGatherer, MakesWholeChunksOfWhateverPieces) {
  std::mt19937_64 random(test_support::test_seed());
  const auto bytes = some_bytes(3 * ChunkGatherer::chunk_bytes + 12'345, random());
  std::vector<std::byte> taken;
  std::vector<std::size_t> sizes;
  ChunkGatherer gatherer([&](std::span<const std::byte> chunk, const std::shared_ptr<const void>& owner) {
    EXPECT_TRUE(owner);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(chunk.data()) % 4096, 0U);
    sizes.push_back(chunk.size());
    taken.insert(taken.end(), chunk.begin(), chunk.end());
    return base::Result<void>();
  });
  for (std::span<const std::byte> left = bytes; !left.empty();) {
    const auto piece = left.first(std::min<std::size_t>(left.size(), 1 + random() % 300'000));
    ASSERT_TRUE(gatherer.add(piece));
    left = left.subspan(piece.size());
  }
  ASSERT_TRUE(gatherer.flush());
  ASSERT_TRUE(gatherer.flush()) << "nothing is left";
  const auto whole = ChunkGatherer::chunk_bytes;
  EXPECT_EQ(sizes, (std::vector<std::size_t>{whole, whole, whole, 12'345}));
  EXPECT_TRUE(std::ranges::equal(taken, bytes));
}

TEST(ChunkGatherer, AChunkStaysAsLongAsItIsHeld) {
  std::vector<std::pair<std::span<const std::byte>, std::shared_ptr<const void>>> held;
  {
    ChunkGatherer gatherer([&](std::span<const std::byte> chunk, const std::shared_ptr<const void>& owner) {
      held.emplace_back(chunk, owner);
      return base::Result<void>();
    });
    for (int i = 0; i < 3; ++i) {
      const std::vector<std::byte> bytes(ChunkGatherer::chunk_bytes, static_cast<std::byte>(i));
      ASSERT_TRUE(gatherer.add(bytes));
    }
    const auto* const first = held.front().first.data();
    held.erase(held.begin());
    ASSERT_TRUE(gatherer.add(std::vector<std::byte>(ChunkGatherer::chunk_bytes, std::byte{3})));
    EXPECT_EQ(held.back().first.data(), first) << "the memory that was let go of is used again";
  }
  for (std::size_t i = 0; i < held.size(); ++i)
    EXPECT_TRUE(
        std::ranges::all_of(held[i].first, [&](std::byte byte) { return byte == static_cast<std::byte>(i + 1); }));
}

TEST(ChunkGatherer, HandsErrorsOnAndForgetsWhenTold) {
  int calls = 0;
  ChunkGatherer gatherer([&](std::span<const std::byte>, const std::shared_ptr<const void>&) -> base::Result<void> {
    ++calls;
    return base::Error(base::ErrorKind::unable_to_allocate_resource, "test.full", "Full.");
  });
  ASSERT_TRUE(gatherer.add(std::vector<std::byte>(10)));
  gatherer.clear();
  ASSERT_TRUE(gatherer.flush());
  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(gatherer.add(std::vector<std::byte>(ChunkGatherer::chunk_bytes)));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace quire::service
