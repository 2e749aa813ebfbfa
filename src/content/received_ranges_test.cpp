#include "content/received_ranges.h"

#include <gtest/gtest.h>

#include <random>

#include "support/seed.h"

namespace quire::content {
namespace {

using Ranges = std::vector<ByteRange>;

TEST(ReceivedRanges, MergesWhatTouches) {
  ReceivedRanges received;
  received.add({10, 20});
  received.add({30, 40});
  EXPECT_EQ(received.prefix(), 0);
  received.add({20, 30});
  EXPECT_EQ(received.ranges(), (Ranges{{10, 40}}));
  received.add({0, 5});
  EXPECT_EQ(received.ranges(), (Ranges{{0, 5}, {10, 40}}));
  EXPECT_EQ(received.prefix(), 5);
  EXPECT_EQ(received.bytes(), 35);
  EXPECT_EQ(received.end(), 40);
  received.add({7, 7});
  EXPECT_EQ(received.ranges().size(), 2U);
}

TEST(ReceivedRanges, RemovingSplits) {
  ReceivedRanges received;
  received.add({0, 100});
  received.remove({40, 60});
  EXPECT_EQ(received.ranges(), (Ranges{{0, 40}, {60, 100}}));
  received.remove({30, 70});
  EXPECT_EQ(received.ranges(), (Ranges{{0, 30}, {70, 100}}));
  received.remove({0, 200});
  EXPECT_TRUE(received.ranges().empty());
  EXPECT_EQ(received.end(), 0);
}

TEST(ReceivedRanges, FindsWhereThingsChange) {
  ReceivedRanges received;
  received.add({10, 20});
  EXPECT_EQ(received.uniform_part({0, 100}), (ByteRange{0, 10}));
  EXPECT_EQ(received.uniform_part({12, 100}), (ByteRange{12, 20}));
  EXPECT_EQ(received.uniform_part({20, 100}), (ByteRange{20, 100}));
  EXPECT_EQ(received.uniform_part({12, 15}), (ByteRange{12, 15}));
}

/// Against a bit per byte.
TEST(ReceivedRanges, IsWhatASetOfBytesIs) {
  std::mt19937_64 random(test_support::test_seed());
  for (int sequence = 0; sequence < 200; ++sequence) {
    ReceivedRanges received;
    std::vector<bool> bits(64, false);
    for (int step = 0; step < 30; ++step) {
      const auto first = static_cast<std::int64_t>(random() % bits.size());
      const auto end =
          first + static_cast<std::int64_t>(random() % (bits.size() - static_cast<std::size_t>(first) + 1));
      const bool adds = random() % 3 != 0;
      if (adds)
        received.add({first, end});
      else
        received.remove({first, end});
      for (auto at = first; at < end; ++at) bits[static_cast<std::size_t>(at)] = adds;

      Ranges expected;
      for (std::size_t at = 0; at < bits.size(); ++at) {
        if (!bits[at]) continue;
        const auto place = static_cast<std::int64_t>(at);
        if (!expected.empty() && expected.back().end == place)
          ++expected.back().end;
        else
          expected.push_back({place, place + 1});
      }
      ASSERT_EQ(received.ranges(), expected);
      bool all = true;
      for (auto at = first; at < end; ++at) all &= bits[static_cast<std::size_t>(at)];
      ASSERT_EQ(received.contains({first, end}), all);
    }
  }
}

}  // namespace
}  // namespace quire::content
