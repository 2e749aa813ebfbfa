#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "content/fetcher.h"

namespace quire::test_suites {

/// A fetcher and the place that one test lets it read from: empty at first, gone with all it holds at the end.
class FetcherPlace {
 public:
  virtual ~FetcherPlace() = default;
  virtual content::Fetcher& fetcher() = 0;
  /// Puts `bytes` there under `name` (letters only), in the place of what was there; its URL.
  virtual content::SourceUrl put(const std::string& name, const std::string& bytes) = 0;
  /// The URL of something that is not there.
  virtual content::SourceUrl missing() = 0;
  /// The URL of something that the other side refuses to let us read; nullopt when this machine cannot have it.
  virtual std::optional<content::SourceUrl> forbidden() = 0;
  /// A URL that the adapter can never read.
  virtual content::SourceUrl unusable() = 0;
  /// Whether its sources can be probed: web servers only (content-library-api.md §15.2).
  virtual bool probes() const = 0;
};

/// An adapter to put through the suite: a row of INSTANTIATE_TEST_SUITE_P(…, FetcherSuite, …) in a file of its own.
struct FetcherAdapter {
  std::string name;
  std::function<std::unique_ptr<FetcherPlace>()> make_place;

  friend std::ostream& operator<<(std::ostream& out, const FetcherAdapter& adapter) { return out << adapter.name; }
};

/// What every adapter of content::Fetcher must do.
class FetcherSuite : public testing::TestWithParam<FetcherAdapter> {
 protected:
  void SetUp() override { place_ = GetParam().make_place(); }

  std::unique_ptr<FetcherPlace> place_;
};

}  // namespace quire::test_suites
