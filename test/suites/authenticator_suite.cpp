#include "suites/authenticator_suite.h"

#include <atomic>
#include <thread>
#include <vector>

namespace quire::test_suites {

using base::ErrorKind;
using base::Result;
using content::Principal;

namespace {
constexpr auto nobody = "";
}  // namespace

void AuthenticatorSuite::SetUp() {
  std::string why;
  place_ = GetParam().make_place(why);
  if (!place_) GTEST_SKIP() << why;
}

Result<Principal> AuthenticatorSuite::authenticate(std::string_view user, std::string_view password) {
  return place_->authenticator().authenticate(user, password);
}

std::string AuthenticatorSuite::who(std::string_view user, std::string_view password) {
  const auto found = authenticate(user, password);
  if (found) return found->user;
  EXPECT_EQ(found.error().kind(), ErrorKind::unauthenticated) << found.error().text();
  EXPECT_EQ(found.error().text(), authenticate("never heard of", "any").error().text());
  return nobody;
}

TEST_P(AuthenticatorSuite, KnowsWhoHasTheirPassword) {
  place_->put("Carol@vsphere.local", "correct horse");
  EXPECT_EQ(who("Carol@vsphere.local", "correct horse"), "Carol@vsphere.local");
  EXPECT_EQ(who("cAROL@VSPHERE.local", "correct horse"), "Carol@vsphere.local") << "the name as it is shown";
  EXPECT_EQ(who("Carol", "correct horse"), nobody) << "another name";
}

TEST_P(AuthenticatorSuite, TakesThePasswordAsItIs) {
  place_->put("carol", "correct horse");
  for (const std::string wrong :
       {"Correct horse", "correct horse ", " correct horse", "correct hors", "correct horse2"})
    EXPECT_EQ(who("carol", wrong), nobody) << wrong;
  EXPECT_EQ(who("carol", std::string("correct horse\0", 14)), nobody);
  EXPECT_EQ(who("carol", std::string(100'000, 'x')), nobody);
  place_->put("dave", "p\xC3\xA4ssw\xC3\xB6rd \xE2\x82\xAC");
  EXPECT_EQ(who("dave", "p\xC3\xA4ssw\xC3\xB6rd \xE2\x82\xAC"), "dave");
  EXPECT_EQ(who("dave", "passwort"), nobody);
}

TEST_P(AuthenticatorSuite, NobodyComesInWithoutAPassword) {
  place_->put("carol", "correct horse");
  EXPECT_EQ(who("carol", ""), nobody);
  EXPECT_EQ(who("nobody", ""), nobody);
  EXPECT_EQ(who("", ""), nobody);
  EXPECT_EQ(who("", "correct horse"), nobody);
}

TEST_P(AuthenticatorSuite, AnswersNamesThatCannotBe) {
  place_->put("carol", "correct horse");
  EXPECT_EQ(who("\xFF\xFE", "correct horse"), nobody);
  EXPECT_EQ(who(std::string("carol\0", 6), "correct horse"), nobody);
  EXPECT_EQ(who(std::string(10'000, 'c'), "correct horse"), nobody);
  EXPECT_EQ(who("carol' OR '1'='1", "correct horse"), nobody);
}

/// What is remembered of a right password must not open another user.
TEST_P(AuthenticatorSuite, KeepsUsersApart) {
  place_->put("ab", "c and more");
  place_->put("a", "another one");
  EXPECT_EQ(who("ab", "c and more"), "ab");
  EXPECT_EQ(who("a", "bc and more"), nobody);
  EXPECT_EQ(who("a", "c and more"), nobody);
  EXPECT_EQ(who("a", "another one"), "a");
}

TEST_P(AuthenticatorSuite, AnotherPasswordCountsAtOnce) {
  place_->put("carol", "the first one");
  EXPECT_EQ(who("carol", "the first one"), "carol");
  place_->put("carol", "the second one");
  EXPECT_EQ(who("carol", "the first one"), nobody);
  EXPECT_EQ(who("carol", "the second one"), "carol");
  place_->put("carol", "the first one");
  EXPECT_EQ(who("carol", "the first one"), "carol");
}

TEST_P(AuthenticatorSuite, WhoIsDisabledOrGoneIsRefusedAtOnce) {
  for (const auto* user : {"carol", "dave"}) {
    place_->put(user, "correct horse");
    EXPECT_EQ(who(user, "correct horse"), user);
  }
  place_->disable("carol");
  place_->remove("dave");
  for (const auto* user : {"carol", "dave"}) EXPECT_EQ(who(user, "correct horse"), nobody);
  place_->put("dave", "battery staple");
  EXPECT_EQ(who("dave", "correct horse"), nobody);
  EXPECT_EQ(who("dave", "battery staple"), "dave");
}

/// Nobody is told that their password is wrong when it could not be looked at.
TEST_P(AuthenticatorSuite, WhoCannotBeAskedDoesNotRefuse) {
  place_->put("carol", "correct horse");
  EXPECT_EQ(who("carol", "correct horse"), "carol");
  place_->cut_off();
  for (const auto* password : {"correct horse", "wrong"}) {
    const auto found = authenticate("carol", password);
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().kind(), ErrorKind::unauthenticated);
  }
}

TEST_P(AuthenticatorSuite, AnswersManyAtOnce) {
  constexpr int users = 4;
  for (int i = 0; i < users; ++i) place_->put("user" + std::to_string(i), "password" + std::to_string(i));
  std::atomic<int> right = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  threads.reserve(users);
  for (int i = 0; i < users; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 2; ++round)
        for (int j = 0; j < users; ++j) {
          const auto found = authenticate("user" + std::to_string(i), "password" + std::to_string(j));
          if (found && i == j && found->user == "user" + std::to_string(i)) ++right;
          if (!found && i != j && found.error().kind() == ErrorKind::unauthenticated) ++refused;
        }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 2 * users);
  EXPECT_EQ(refused, 2 * users * (users - 1));
}

}  // namespace quire::test_suites
