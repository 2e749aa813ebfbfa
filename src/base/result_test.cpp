#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace quire::base {
namespace {

Error refusal() { return {ErrorKind::not_found, "quire.test.missing", "Nothing is there."}; }

Result<std::unique_ptr<int>> make(bool there) {
  if (!there) return refusal();
  return std::make_unique<int>(7);
}

Result<int> doubled(bool there, int& steps) {
  QUIRE_ASSIGN_OR_RETURN(const auto number, make(there));
  ++steps;
  QUIRE_ASSIGN_OR_RETURN(auto again, make(there));  // a second one in the same scope
  ++steps;
  return *number + *again;
}

Result<void> checked(const Result<void>& first, int& steps) {
  // One inside another: neither hides the other's variable.
  QUIRE_RETURN_IF_ERROR([&]() -> Result<void> {
    QUIRE_RETURN_IF_ERROR(first);
    return {};
  }());
  ++steps;
  return {};
}

TEST(Result, AssignsTheValueAlsoOneThatOnlyMoves) {
  int steps = 0;
  const auto sum = doubled(true, steps);
  ASSERT_TRUE(sum);
  EXPECT_EQ(*sum, 14);
}

TEST(Result, HandsTheErrorOnAndStops) {
  int steps = 0;
  const auto sum = doubled(false, steps);
  ASSERT_FALSE(sum);
  EXPECT_EQ(sum.error().kind(), ErrorKind::not_found);
  EXPECT_EQ(steps, 0);

  EXPECT_FALSE(checked(refusal(), steps));
  EXPECT_EQ(steps, 0);
  EXPECT_TRUE(checked({}, steps));
  EXPECT_EQ(steps, 1);
}

}  // namespace
}  // namespace quire::base
