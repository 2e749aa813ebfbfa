#include "service/subscription/source_library.h"

#include <gmock/gmock.h>

namespace quire::service {
namespace {

using content::FetchFailure;
using content::FetchOutcome;
using testing::HasSubstr;

FetchOutcome unavailable(std::string body) {
  FetchOutcome outcome;
  outcome.failure = FetchFailure::status;
  outcome.status = 503;
  outcome.body = std::move(body);
  return outcome;
}

TEST(SourceLibraryTest, WhatIsNotReadyMayBecomeSo) {
  const auto waits = not_ready(unavailable(R"({"status": "PREPARING"})"));
  ASSERT_TRUE(waits);
  EXPECT_EQ(waits->message, "");
  EXPECT_EQ(not_ready(unavailable(R"({"status": "ERROR", "message": "broken disk"})"))->message, "broken disk");
  EXPECT_EQ(not_ready(unavailable(R"({"status": 1, "message": 7})"))->message, "");
}

TEST(SourceLibraryTest, OtherAnswersSayNothingOfThat) {
  for (const std::string body : {"", "busy", "[]", "{}", "{\"status\"", R"({"message": "broken"})"})
    EXPECT_FALSE(not_ready(unavailable(body))) << body;
  auto other = unavailable(R"({"status": "PREPARING"})");
  other.status = 500;
  EXPECT_FALSE(not_ready(other));
  other.status.reset();
  EXPECT_FALSE(not_ready(other));
}

TEST(SourceLibraryTest, WhatAStrangerSaysIsShownBoundedAndPlain) {
  const auto waits = not_ready(unavailable(R"({"status": "ERROR", "message": ")" + std::string(3000, 'x') + "\"}"));
  ASSERT_TRUE(waits);
  EXPECT_LE(waits->message.size(), 400U);
  EXPECT_EQ(not_ready(unavailable("{\"status\": 1, \"message\": \"a\\nb\"}"))->message.find('\n'), std::string::npos);
}

TEST(SourceLibraryTest, FailuresNameThePlaceAndTheCertificate) {
  FetchOutcome outcome;
  outcome.failure = FetchFailure::certificate;
  outcome.reason = base::make_message("quire.test.reason", "nobody vouches for it");
  outcome.presented = content::PeerCertificate{"AA:BB", "CC:DD", "PEM"};
  const auto error = source_failure(outcome, "https://publisher.example/lib.json");
  EXPECT_EQ(error.kind(), base::ErrorKind::resource_inaccessible);
  EXPECT_THAT(error.text(), HasSubstr("https://publisher.example/lib.json"));
  EXPECT_THAT(error.text(), HasSubstr("nobody vouches for it"));
  EXPECT_THAT(error.messages().front().args(), testing::IsSupersetOf({"AA:BB", "PEM"}));
  outcome.failure = FetchFailure::unauthorized;
  EXPECT_THAT(source_failure(outcome, "u").text(), HasSubstr("password"));
}

TEST(SourceLibraryTest, WaitingEndsAtOnceWhenItIsToStop) {
  const std::atomic<bool> stop = true;
  EXPECT_FALSE(wait_unless_stopped(std::chrono::hours(1), stop));
  const std::atomic<bool> go_on = false;
  EXPECT_TRUE(wait_unless_stopped(base::Duration(0), go_on));
}

}  // namespace
}  // namespace quire::service
