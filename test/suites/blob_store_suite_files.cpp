#include <filesystem>
#include <string>
#include <utility>

#include "adapters/files/file_blob_store.h"
#include "suites/blob_store_suite.h"
#include "support/mounted_file_system.h"
#include "support/temporary_folder.h"

namespace quire::test_suites {
namespace {

namespace files = adapters::files;

class FilePlace final : public BlobStorePlace {
 public:
  FilePlace(files::FileBlobStoreOptions options, std::unique_ptr<test_support::MountedFileSystem> mounted)
      : options_(std::move(options)), mounted_(std::move(mounted)) {}

  std::unique_ptr<content::BlobStore> open() override {
    auto store = files::open_file_blob_store(root(), options_);
    if (!store) ADD_FAILURE() << store.error().text();
    return store ? *std::move(store) : nullptr;
  }

  std::vector<std::string> stored() override {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root()))
      if (!entry.is_directory()) names.push_back(entry.path().filename().string());
    return names;
  }

 private:
  std::filesystem::path root() const { return (mounted_ ? mounted_->path() : folder_.path()) / "blob store"; }

  const files::FileBlobStoreOptions options_;
  const test_support::TemporaryFolder folder_;
  const std::unique_ptr<test_support::MountedFileSystem> mounted_;
};

std::unique_ptr<BlobStorePlace> on_disk(bool direct_io) {
  return std::make_unique<FilePlace>(files::FileBlobStoreOptions{.storage_name = "LocalDS_0", .direct_io = direct_io},
                                     nullptr);
}

/// ramfs has neither O_DIRECT nor fallocate, and tells no sizes.
std::unique_ptr<BlobStorePlace> on_ramfs(std::string& why) {
  auto mounted = test_support::MountedFileSystem::make("ramfs", "", why);
  if (!mounted) return nullptr;
  return std::make_unique<FilePlace>(files::FileBlobStoreOptions{.storage_name = "LocalDS_0"}, std::move(mounted));
}

INSTANTIATE_TEST_SUITE_P(Files, BlobStoreSuite,
                         testing::Values(BlobStoreAdapter{"DirectIo", [](std::string&) { return on_disk(true); }},
                                         BlobStoreAdapter{"PageCache", [](std::string&) { return on_disk(false); }},
                                         BlobStoreAdapter{"LeastFileSystem", on_ramfs}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace quire::test_suites
