#include "base/decimal.h"

#include <gtest/gtest.h>

namespace quire::base {
namespace {

TEST(Decimal, IsTheWholeTextAndNotNegative) {
  EXPECT_EQ(parse_decimal("0"), 0);
  EXPECT_EQ(parse_decimal("007"), 7);
  EXPECT_EQ(parse_decimal("9223372036854775807"), INT64_MAX);
  for (const auto* text : {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "9223372036854775808"}) {
    EXPECT_FALSE(parse_decimal(text)) << text;
  }
}

}  // namespace
}  // namespace quire::base
