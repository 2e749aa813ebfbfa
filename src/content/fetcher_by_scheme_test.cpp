#include "content/fetcher_by_scheme.h"

#include <gtest/gtest.h>

namespace quire::content {
namespace {

/// Says who was asked.
class Named final : public Fetcher {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  base::Result<void> check(const FetchRequest&) const override {
    return base::Error(base::ErrorKind::invalid_argument, name_, name_);
  }
  FetchOutcome fetch(const FetchRequest&, FetchSink&, const std::atomic<bool>&) override { return asked(); }
  FetchOutcome probe(const FetchRequest&) override { return asked(); }

 private:
  FetchOutcome asked() const {
    FetchOutcome outcome;
    outcome.reason = base::make_message(name_, name_);
    return outcome;
  }
  std::string name_;
};

class NoSink final : public FetchSink {
  base::Result<void> begin(const FetchResponse&) override { return {}; }
  base::Result<void> bytes(std::span<const std::byte>) override { return {}; }
};

TEST(FetcherByScheme, AsksTheOneOfTheScheme) {
  Named web("web");
  Named files("files");
  FetcherByScheme fetcher({{"http", &web}, {"https", &web}, {"file", &files}});
  NoSink sink;
  const std::atomic<bool> stop{false};
  const auto asked = [&](const std::string& url) {
    const FetchRequest request{url, 0, "", {}};
    const auto fetched = fetcher.fetch(request, sink, stop);
    EXPECT_EQ(fetched.reason.id, fetcher.probe(request).reason.id);
    EXPECT_EQ(fetched.reason.id, fetcher.check(request).error().messages().front().id);
    return fetched.reason.id;
  };
  EXPECT_EQ(asked("HTTPS://host/a"), "web");
  EXPECT_EQ(asked("http://host/a"), "web");
  EXPECT_EQ(asked("file:///a"), "files");
  for (const auto* url : {"ftp://host/a", "/a", "", "a", ":", "filet:///a"})
    EXPECT_EQ(asked(url), "quire.pull.unusable_scheme") << url;
}

}  // namespace
}  // namespace quire::content
