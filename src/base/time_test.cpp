#include "base/time.h"

#include <gtest/gtest.h>

namespace quire::base {
namespace {

TEST(TimeText, HasThreeFractionDigitsAndZ) {
  EXPECT_EQ(to_text(Time(std::chrono::milliseconds(0))), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_text(Time(std::chrono::milliseconds(1770797057512))), "2026-02-11T08:04:17.512Z");
}

TEST(TimeText, ReadsEveryRfc3339Form) {
  const Time expected(std::chrono::milliseconds(1770797057512));
  for (const char* text : {"2026-02-11T08:04:17.512Z", "2026-02-11t08:04:17.512z", "2026-02-11 08:04:17.512Z",
                           "2026-02-11T09:34:17.512+01:30", "2026-02-11T08:04:17.512999Z"})
    EXPECT_EQ(parse_time(text), expected) << text;
  EXPECT_EQ(parse_time("2026-02-11T08:04:17Z"), Time(std::chrono::milliseconds(1770797057000)));
}

TEST(TimeText, RefusesWhatIsNotATime) {
  for (const char* text : {"", "2026-02-11", "2026-02-30T00:00:00Z", "2026-02-11T24:00:00Z", "2026-02-11T08:04:17",
                           "2026-02-11T08:04:17.Z", "2026-02-11T08:04:17Zx", "2026-2-11T08:04:17Z"})
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

}  // namespace
}  // namespace quire::base
