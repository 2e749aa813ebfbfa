#include "service/access/login_throttle.h"

#include <gtest/gtest.h>

namespace quire::service {
namespace {

using namespace std::chrono_literals;

constexpr auto alice = "alice@vsphere.local";

class LoginThrottleTest : public testing::Test {
 protected:
  void fail(int times, const std::string& user, const std::string& address) {
    for (int i = 0; i < times; ++i) throttle_.failed(user, address, now_);
  }
  bool may(const std::string& user, const std::string& address) {
    return static_cast<bool>(throttle_.check(user, address, now_));
  }

  LoginThrottle throttle_;
  base::Duration now_ = 1h;
};

TEST_F(LoginThrottleTest, AFewMistakesCostNothing) {
  fail(9, alice, "192.0.2.1");
  EXPECT_TRUE(may(alice, "192.0.2.1"));
  fail(1, alice, "192.0.2.1");
  EXPECT_FALSE(may(alice, "192.0.2.1"));
  const auto refused = throttle_.check("ALICE@vsphere.local", "192.0.2.2", now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), base::ErrorKind::unauthenticated);
  EXPECT_EQ(refused.error().text(),
            "Too many wrong passwords came for this user or from this address. Wait 1 s, then try again.");
}

TEST_F(LoginThrottleTest, WaitsDoubleUpToABound) {
  fail(10, alice, "");
  for (const auto wait : {1s, 2s, 4s, 8s}) {
    now_ += wait - 1ms;
    EXPECT_FALSE(may(alice, "")) << wait.count();
    now_ += 1ms;
    EXPECT_TRUE(may(alice, "")) << wait.count();
    fail(1, alice, "");
  }
  fail(100, alice, "");
  now_ += 10s;
  EXPECT_TRUE(may(alice, "")) << "nobody is locked out for good";
}

TEST_F(LoginThrottleTest, AnAddressWaitsForAllUsers) {
  for (int i = 0; i < 60; ++i) fail(1, "user" + std::to_string(i), "192.0.2.1");
  EXPECT_FALSE(may("user99", "192.0.2.1"));
  EXPECT_TRUE(may("user99", "192.0.2.2"));
  now_ += 2min;
  EXPECT_TRUE(may("user99", "192.0.2.1"));
}

/// Somebody else's guesses would keep a user out for as long as they go on.
TEST_F(LoginThrottleTest, WhoHasLoggedInFromThereDoesNotWaitForGuessesElsewhere) {
  throttle_.succeeded(alice, "192.0.2.1");
  fail(50, alice, "198.51.100.1");
  EXPECT_TRUE(may(alice, "192.0.2.1"));
  EXPECT_FALSE(may(alice, "192.0.2.2"));
}

/// Behind a proxy all come from one address: others who log in there must not make guessing free.
TEST_F(LoginThrottleTest, GuessesFromAKnownAddressWaitToo) {
  throttle_.succeeded(alice, "192.0.2.1");
  for (int i = 0; i < 20; ++i) {
    fail(1, alice, "192.0.2.1");
    throttle_.succeeded("bob@vsphere.local", "192.0.2.1");
  }
  EXPECT_FALSE(may(alice, "192.0.2.1"));
  EXPECT_TRUE(may("bob@vsphere.local", "192.0.2.1"));
}

TEST_F(LoginThrottleTest, TheRightPasswordEndsIt) {
  fail(10, alice, "192.0.2.1");
  now_ += 1s;
  throttle_.succeeded(alice, "192.0.2.1");
  fail(9, alice, "192.0.2.1");
  EXPECT_TRUE(may(alice, "192.0.2.1"));
}

TEST_F(LoginThrottleTest, ForgetsWhatIsLongAgo) {
  fail(50, alice, "192.0.2.1");
  now_ += 15min;
  EXPECT_TRUE(may(alice, "192.0.2.1"));
  fail(9, alice, "192.0.2.1");
  EXPECT_TRUE(may(alice, "192.0.2.1"));
}

TEST_F(LoginThrottleTest, RemembersABoundedNumber) {
  LoginThrottle::Settings settings;
  settings.remembered_max = 10;
  LoginThrottle throttle(settings);
  for (int i = 0; i < 10; ++i) throttle.failed(alice, "", now_);
  for (int i = 1; i < 10; ++i) throttle.failed(std::to_string(i), "", now_ + 1ms * i);
  EXPECT_FALSE(throttle.check(alice, "", now_ + 9ms));
  throttle.failed("one more", "", now_ + 10ms);
  EXPECT_TRUE(throttle.check(alice, "", now_ + 10ms)) << "the oldest has gone";
}

}  // namespace
}  // namespace quire::service
