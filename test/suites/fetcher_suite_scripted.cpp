#include "suites/fetcher_suite.h"
#include "support/scripted_fetcher.h"

namespace quire::test_suites {
namespace {

/// The double that the services are tested with must be as good as the real ones.
class ScriptedPlace final : public FetcherPlace {
 public:
  content::Fetcher& fetcher() override { return fetcher_; }
  content::SourceUrl put(const std::string& name, const std::string& bytes) override {
    fetcher_.put("https://host/" + name, bytes);
    return "https://host/" + name;
  }
  content::SourceUrl missing() override { return "https://host/nothing"; }
  std::optional<content::SourceUrl> forbidden() override {
    fetcher_.forbid("https://host/forbidden");
    return "https://host/forbidden";
  }
  content::SourceUrl unusable() override { return "nowhere"; }
  bool probes() const override { return true; }

 private:
  test_support::ScriptedFetcher fetcher_;
};

INSTANTIATE_TEST_SUITE_P(Scripted, FetcherSuite,
                         testing::Values(FetcherAdapter{"Sources", [] { return std::make_unique<ScriptedPlace>(); }}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace quire::test_suites
