#include "suites/fetcher_suite.h"

#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <span>
#include <thread>
#include <vector>

namespace quire::test_suites {
namespace {

using content::FetchFailure;
using content::FetchOutcome;
using content::SourceUrl;
using testing::HasSubstr;
using testing::Not;

/// Keeps what it is given, and holds the fetcher to the order of calls.
class CollectingSink final : public content::FetchSink {
 public:
  base::Result<void> begin(const content::FetchResponse& response) override {
    EXPECT_FALSE(head) << "begun twice";
    head = response;
    if (refuses_head) return refusal();
    return {};
  }
  base::Result<void> bytes(std::span<const std::byte> bytes) override {
    EXPECT_TRUE(head) << "bytes before the head";
    EXPECT_FALSE(refused) << "bytes after a refusal";
    taken.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (on_bytes) on_bytes();
    if (taken.size() < limit) return {};
    return refusal();
  }

  std::optional<content::FetchResponse> head;
  std::string taken;
  bool refuses_head = false;
  bool refused = false;
  std::size_t limit = std::size_t{1} << 40U;
  std::function<void()> on_bytes;

 private:
  base::Result<void> refusal() {
    refused = true;
    return base::Error(base::ErrorKind::error, "quire.test.full", "No more.");
  }
};

std::string some_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

FetchOutcome fetch(FetcherPlace& place, const SourceUrl& url, CollectingSink& sink, std::int64_t offset = 0,
                   const std::string& validator = "") {
  const std::atomic<bool> stop{false};
  auto outcome = place.fetcher().fetch({url, offset, validator, {}}, sink, stop);
  EXPECT_EQ(outcome.failure == FetchFailure::none, outcome.reason.default_message.empty())
      << "a failure has a reason, and nothing else has one";
  return outcome;
}

TEST_P(FetcherSuite, HandsOnTheContentWhole) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{0}, std::size_t{3'000'001}}) {
    const auto content = some_bytes(size, size);
    const auto url = place_->put("a", content);
    EXPECT_TRUE(place_->fetcher().check({url, 0, "", {}}));
    CollectingSink sink;
    EXPECT_EQ(fetch(*place_, url, sink).failure, FetchFailure::none);
    EXPECT_TRUE(sink.taken == content) << size;
    ASSERT_TRUE(sink.head);
    EXPECT_EQ(sink.head->offset, 0);
    EXPECT_EQ(sink.head->length.value_or(static_cast<std::int64_t>(size)), static_cast<std::int64_t>(size));
    EXPECT_FALSE(sink.head->redirected_to);
  }
}

TEST_P(FetcherSuite, GoesOnOrStartsOverButNeverMixesVersions) {
  const auto content = some_bytes(100'000, 1);
  const auto url = place_->put("a", content);
  CollectingSink first;
  EXPECT_EQ(fetch(*place_, url, first).failure, FetchFailure::none);
  constexpr std::size_t offset = 40'000;
  const auto again = [&] {
    CollectingSink sink;
    EXPECT_EQ(fetch(*place_, url, sink, offset, first.head->validator).failure, FetchFailure::none);
    return sink;
  };
  const auto same = again();
  EXPECT_TRUE(same.head->offset == 0 || same.head->offset == static_cast<std::int64_t>(offset)) << same.head->offset;
  EXPECT_TRUE(same.taken == content.substr(static_cast<std::size_t>(same.head->offset)));
  EXPECT_TRUE(same.head->offset == 0 || !first.head->validator.empty()) << "went on without a validator";

  const auto other = some_bytes(100'000, 2);
  place_->put("a", other);
  const auto changed = again();
  EXPECT_EQ(changed.head->offset, 0);
  EXPECT_TRUE(changed.taken == other);
}

TEST_P(FetcherSuite, EndsWhenTheSinkRefuses) {
  const auto url = place_->put("a", some_bytes(3'000'000, 1));
  CollectingSink head;
  head.refuses_head = true;
  EXPECT_EQ(fetch(*place_, url, head).failure, FetchFailure::refused_by_sink);
  EXPECT_EQ(head.taken, "");
  CollectingSink bytes;
  bytes.limit = 1;
  const auto outcome = fetch(*place_, url, bytes);
  EXPECT_EQ(outcome.failure, FetchFailure::refused_by_sink);
  EXPECT_FALSE(outcome.worth_retrying);
}

TEST_P(FetcherSuite, StopsWhenItIsTold) {
  const auto url = place_->put("a", some_bytes(3'000'000, 1));
  std::atomic<bool> stop{false};
  CollectingSink sink;
  sink.on_bytes = [&] { stop = true; };
  const auto outcome = place_->fetcher().fetch({url, 0, "", {}}, sink, stop);
  EXPECT_EQ(outcome.failure, FetchFailure::stopped);
  EXPECT_FALSE(outcome.worth_retrying);
  EXPECT_LT(sink.taken.size(), 3'000'000U);
}

TEST_P(FetcherSuite, TellsWhatIsNotThereFromWhatMayNotBeRead) {
  CollectingSink sink;
  const auto missing = fetch(*place_, place_->missing(), sink);
  EXPECT_EQ(missing.failure, FetchFailure::not_there);
  EXPECT_FALSE(missing.worth_retrying);
  EXPECT_FALSE(sink.head);
  const auto url = place_->forbidden();
  if (!url) return;
  const auto forbidden = fetch(*place_, *url, sink);
  EXPECT_EQ(forbidden.failure, FetchFailure::unauthorized);
  EXPECT_FALSE(forbidden.worth_retrying);
  EXPECT_FALSE(sink.head);
}

TEST_P(FetcherSuite, RefusesBeforehandWhatItCanNeverRead) {
  const auto url = place_->unusable();
  const auto checked = place_->fetcher().check({url, 0, "", {}});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind(), base::ErrorKind::invalid_argument);
  CollectingSink sink;
  const auto outcome = fetch(*place_, url, sink);
  EXPECT_EQ(outcome.failure, FetchFailure::unusable_url);
  EXPECT_FALSE(outcome.worth_retrying);
  EXPECT_FALSE(sink.head);
}

TEST_P(FetcherSuite, ReasonsHoldNoSecrets) {
  for (const auto& url : {place_->missing(), place_->unusable()}) {
    const auto begin = url.text().find("://");
    auto text = url.text();
    if (begin != std::string::npos && url.is_web()) text.insert(begin + 3, "reader:s3cret@");
    CollectingSink sink;
    const auto outcome = fetch(*place_, text + "?token=s3cret", sink);
    EXPECT_NE(outcome.failure, FetchFailure::none);
    EXPECT_THAT(outcome.reason.default_message, Not(HasSubstr("s3cret")));
    EXPECT_THAT(outcome.reason.default_message, Not(HasSubstr("reader")));
  }
}

TEST_P(FetcherSuite, ProbesWebServersOnly) {
  const auto probe = [&](const SourceUrl& url) { return place_->fetcher().probe({url, 0, "", {}}).failure; };
  const auto url = place_->put("a", "content");
  EXPECT_EQ(probe(url), place_->probes() ? FetchFailure::none : FetchFailure::unusable_url);
  EXPECT_EQ(probe(place_->missing()), place_->probes() ? FetchFailure::not_there : FetchFailure::unusable_url);
}

TEST_P(FetcherSuite, ManyThreadsShareIt) {
  const auto content = some_bytes(200'000, 3);
  const auto url = place_->put("a", content);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      CollectingSink sink;
      const bool whole = fetch(*place_, url, sink).failure == FetchFailure::none && sink.taken == content;
      if (whole) ++good;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
}

}  // namespace
}  // namespace quire::test_suites
