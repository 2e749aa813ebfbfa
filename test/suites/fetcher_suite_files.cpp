#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "adapters/files/file_blob_store.h"
#include "adapters/files/file_fetcher.h"
#include "suites/fetcher_suite.h"
#include "support/temporary_folder.h"

namespace quire::test_suites {
namespace {

namespace fs = std::filesystem;

class FolderPlace final : public FetcherPlace {
 public:
  FolderPlace() : fetcher_(adapters::files::make_file_fetcher({.volumes = {}, .folders = {root_}, .closed = {}})) {}

  content::Fetcher& fetcher() override { return *fetcher_; }
  content::SourceUrl put(const std::string& name, const std::string& bytes) override {
    std::ofstream(root_ / name, std::ios::binary) << bytes;
    return adapters::files::file_uri(root_ / name);
  }
  content::SourceUrl missing() override { return adapters::files::file_uri(root_ / "nothing"); }
  std::optional<content::SourceUrl> forbidden() override {
    if (::geteuid() == 0) return std::nullopt;  // root may read everything
    const auto url = put("forbidden", "secret");
    fs::permissions(root_ / "forbidden", fs::perms::none);
    return url;
  }
  content::SourceUrl unusable() override { return "file://elsewhere/a"; }
  bool probes() const override { return false; }

 private:
  const test_support::TemporaryFolder folder_;
  const fs::path root_ = fs::canonical(folder_.path());
  const std::unique_ptr<content::Fetcher> fetcher_;
};

INSTANTIATE_TEST_SUITE_P(Files, FetcherSuite,
                         testing::Values(FetcherAdapter{"Folder", [] { return std::make_unique<FolderPlace>(); }}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace quire::test_suites
